"""Reactions: ``uspto15k_forward/valid.tsv`` and ``uspto50k_retro/valid.smi`` in the folder RLSF_DATA, half of the cases each,
else made of the molecules of the package ``chemicals`` with a few reaction templates, in both directions.

RDKit alone writes the spellings, and decides with canonical SMILES of the whole answer whether an edit made it wrong.
"""

from __future__ import annotations

import itertools
import os
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from edits import gap, replaced
from rdkit import Chem, rdBase
from rdkit.Chem import rdChemReactions
from small_graphs import Compared, all_spellings, characters_of, compare_all, goes_on, graph_of

from corpora import Case, Injected
from rlsf_lightning.prompts.sources.iupac import source_path
from rlsf_lightning.records import Prompt

OPTIONS: dict[str, Any] = {}
WHY = {
    "hit": "A component that is left out has no place in the answer but its end.",
}
_SMILES_COLUMN = 4
_LONGEST = 40
#: Rows of the package that are looked at for reactants.
_ROWS = 6_000
_TEMPLATES = [
    "[CX3:1](=[O:2])[OX2H].[NX3;H2,H1;!$(NC=[O,S,N]);!$(N~[!#6]):3]>>[C:1](=[O:2])[N:3]",
    "[CX3:1](=[O:2])[OX2H].[OX2H:3][CX4:4]>>[C:1](=[O:2])[O:3][C:4]",
    "[c:1][OX2H:2].[CX4;H2,H3:3][Cl,Br,I]>>[c:1][O:2][C:3]",
    "[c:1][N+](=O)[O-]>>[c:1][NH2]",
    "[CX3:1](=[O:2])[O:3][CH3]>>[C:1](=[O:2])[OH:3]",
    "[CX3:1](=[O:2])[OX2H:3].[Na+:4].[OH-]>>[C:1](=[O:2])[O-:3].[Na+:4]",
]
_TOKEN = re.compile(r"\[[^\]]*\]|Cl|Br|%\(\d+\)|%\d\d|.", re.DOTALL)
_ATOM = re.compile(r"\[[^\]]*\]|Cl|Br|[BCNOPSFIbcnops]")
_MOLECULE: Any = Chem.SmilesParserParams()
_MOLECULE.parseName = False
_MOLECULE.allowCXSMILES = False


def correct(count: int, rng: random.Random) -> list[Case]:
    """Forward and retro in turns."""
    sides = [list(side) for side in (_real() if os.environ.get("RLSF_DATA") else _made())]
    for side in sides:
        rng.shuffle(side)
    cases = []
    for number in range(count):
        side = sides[number % 2]
        given, answer = side[number // 2 % len(side)]
        prompt = _prompt(f"{number}", "retro" if number % 2 else "forward", given, answer)
        cases.append(Case(prompt, answer if number % 4 < 2 else _spelled(answer, rng)))
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """The components in other orders, each from another atom and in another style of RDKit; blanks around them."""
    assert case.prompt.reference is not None
    while True:
        yield _spelled(case.prompt.reference, rng) + rng.choice(["", "", "", " ", "\n"])


def inject(case: Case, rng: random.Random) -> Injected | None:
    text = case.completion
    made = rng.choice(_EDITS)(text, rng)
    if made is None or _canonical(made.completion) == _canonical(case.prompt.reference or ""):
        return None
    return made


def hostile() -> list[Case]:
    """What RDKit is known to hang on, crash at, or read silently as something else."""
    large = "CC(C)(C)OC(=O)N[C@@H](Cc1ccccc1)C(=O)O.CC(C)(C)OC(=O)N[C@H](Cc1ccccc1)C(=O)O.[Na+].[Na+].O"
    prompts = [
        _prompt("hostile, forward", "forward", "CC(=O)O.CN", "CNC(C)=O"),
        _prompt("hostile, retro", "retro", "CNC(C)=O", "CC(=O)O.CN"),
        _prompt("hostile, many", "retro", large, large),
    ]
    texts = [
        "", " ", ".", "..", "." * 500, "C." * 249 + "C", "C." * 100_000, "CC(=O)O..CN", ".CN", "CN.", "C1.CC1(=O)O.CN",
        "CNC1=O.C1", "CC(.N)=O", "[C.C]", "CC junk", "CC\nCC", "C\tC", "CNC(C)=O CN", "CNC(C)=O\u00e9", "\u540dCNC(C)=O",
        "CNC(C)=O\u200b", "CNC(C)=O |^1:0|", "CNC(C)=O\x00", "\ud800", "\u0421" * 400, "[C]", "[CH2]", "[C-4]", "[C+16]",
        "[Og]", "[999C]", "C~C", "*", "[H]", "[#119]", "N(=O)(=O)C", "C1" + "C" * 20_000 + "1", "C" * 20_000, "C" * 500,
        "C(" * 166 + "C" + ")" * 166, "c1ccccc1" * 62, "C" + "1" * 100_000, "c" * 500, "(" * 100_000, "[" * 100_000,
        "%10" * 33_000, "%" * 500, "C1" * 250, "C1CC1" * 100, "C/C=C/" * 80 + "C", "[C@H](F)(Cl)" * 40, "*" * 500,
        "[999999999C+999999999:999999999]C%(99999)CC%(99999)", "C[C@H](O)F." * 45 + "C", "c1cccc1." * 60 + "C",
        "CC(=O)O." * 60 + "CN", "C1=CC=n(C=C1O)C.CN", ".".join(["C[C@@H](N)C(=O)O"] * 29), "C12CC12", "C11.C11",
        "[Na+]." * 80 + "C", "CC(=O)O.CN" + "\n" * 100_000, "FN(F)(F)(F)F." * 38 + "C",
    ]  # fmt: skip
    return [Case(prompt, text, "hostile") for text in texts for prompt in prompts]


def bare(case: Case) -> None:
    """Parse and write each component, as is done to compare sets of them."""
    for component in case.completion.split("."):
        _canonical.__wrapped__(component)


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Every text over a few letters, for answers of up to five atoms: it lives if it begins one that passes."""
    compared = differing = 0
    for reference, letters, longest, compared_to in [
        ("C.O", "CO.=()", 7, 4),
        ("CO.C", "CO.()", 8, 5),
        ("C=O.C", "CO=.", 8, 6),
        ("CO.CN", "CON.", 8, 8),
        ("C.C.O", "CO.", 8, 8),
        ("Cl.C", "Cl.B", 7, 5),
        ("C.CBr", "CBr.", 7, 5),
        ("C1CC1.C", "C1.", 10, 7),
        ("C1CC1.CO", "C1O.", 10, 6),
        ("C[O-].C", ["C", "[", "O", "-", "]", "."], 10, 6),
    ]:
        texts = _texts(letters, longest, reference)
        wanted = _parts(reference)
        brackets = _BRACKETED if "[" in letters else ()  # a prefix may end within a bracket that has other letters
        pieces = ["".join(some) for size in range(6) for some in itertools.product(brackets, repeat=size)]
        lives = {text[:end] for text in texts + pieces if _parts(text) == wanted for end in range(len(text) + 1)}
        prompt = _prompt("small", "retro", "C", reference)
        for text in texts:
            if len(text) <= compared_to:
                answer = verifier.viable(prompt, text)
                compared += 1
                if answer and text not in lives:
                    differing += not goes_on(
                        text, letters, partial(verifier.viable, prompt), partial(_is_mixture, wanted)
                    )
                else:
                    differing += answer is not None and answer is not (text in lives)
    return compared, differing


#: Two components of six to eight atoms together.
_LARGER = ("CCC.CCO", "C1CC1.CCO", "CC(C)C.COC", "C=CCO.C1CC1", "CC(=O)O.CCCl", "CCCC.CC(C)O", "CC(C)N.C1CCC1")


def exhaustive_by_atoms(verifier: Any, rng: random.Random) -> dict[int, Compared]:
    """Answers of which all spellings are known."""

    def wanted(reference: str) -> tuple[int, set[str], list[str], Any, Any]:
        graphs = [graph_of(component) for component in reference.split(".")]
        sides = [all_spellings(graph) for graph in graphs]
        texts = {f"{a}.{b}" for first, second in (sides, sides[::-1]) for a in first for b in second}
        parts = _parts(reference)
        characters = sorted({".", *(character for graph in graphs for character in characters_of(graph))})
        ask = partial(verifier.viable, _prompt("small", "retro", "C", reference))
        return sum(len(g.symbols) for g in graphs), texts, characters, ask, partial(_is_mixture, parts)

    return compare_all(map(wanted, _LARGER), rng)


_BRACKETED = ("C", "[CH3]", "[CH4]", "[O-]", "-", ".")


def _prompt(name: str, direction: str, given: str, answer: str) -> Prompt:
    side = "reactants" if direction == "forward" else "product"
    return Prompt(name, given, answer, facts={"direction": direction, side: given})


def _texts(letters: Sequence[str], longest: int, reference: str) -> list[str]:
    """All texts with no more letters than the reference that begin with none, close no parenthesis too many, and have no more
    brackets or parentheses than it has atoms."""
    atoms = sum(letter.isupper() for letter in reference)
    found, stack = [], [""]
    while stack:
        text = stack.pop()
        depth = text.count("(") - text.count(")")
        in_bracket = text.count("[") - text.count("]")
        if sum(letter.isupper() for letter in text) > atoms or depth < 0 or in_bracket not in (0, 1):
            continue
        found.append(text)
        if len(text) < longest:
            stack += [text + letter for letter in letters]
    return found


def _parts(text: str) -> list[str] | None:
    """The canonical components, each read by itself; None if one cannot be."""
    parts = [_canonical(component) for component in text.split(".")]
    return None if None in parts else sorted(part for part in parts if part is not None)


def _is_mixture(parts: list[str] | None, text: str) -> bool:
    """Whether a text has these components, which may be bonded over dots."""
    written = _canonical(text)
    return written is not None and sorted(written.split(".")) == parts


@lru_cache(maxsize=100_000)
def _canonical(text: str) -> str | None:
    with rdBase.BlockLogs():
        try:
            molecule = Chem.MolFromSmiles(text, _MOLECULE)
        except UnicodeEncodeError:
            return None
    return None if molecule is None or not molecule.GetNumAtoms() else Chem.MolToSmiles(molecule)


def _spelled(answer: str, rng: random.Random) -> str:
    components = answer.split(".")
    rng.shuffle(components)
    return ".".join(_spelling(component, rng) for component in components)


def _spelling(smiles: str, rng: random.Random) -> str:
    """One molecule from another atom, in another order, and in one of RDKit's styles; itself if that is another molecule."""
    molecule = Chem.MolFromSmiles(smiles)
    style = rng.choice(["plain", "plain", "canonical", "kekule", "bonds", "hydrogens"])
    if style == "kekule":
        Chem.Kekulize(molecule, clearAromaticFlags=True)
    options = {
        "kekuleSmiles": style == "kekule",
        "allBondsExplicit": style in ("bonds", "hydrogens"),
        "allHsExplicit": style == "hydrogens",
    }
    text = Chem.MolToSmiles(molecule)
    if style != "canonical":  # MolToSmiles(doRandom=True) draws from a generator that cannot be seeded
        text = next(iter(Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=rng.randrange(1, 1 << 30), **options)))
    return text if _canonical(text) == _canonical(smiles) else smiles


Pairs = list[tuple[str, str]]


@cache
def _real() -> tuple[Pairs, Pairs]:
    """(given side, answer) of both directions; what RDKit cannot read is left out."""
    folder = Path(os.environ["RLSF_DATA"])
    forward = (folder / "uspto15k_forward" / "valid.tsv").read_text().splitlines()[1:]
    retro = (folder / "uspto50k_retro" / "valid.smi").read_text().splitlines()
    sides = [line.split("\t") for line in forward], [line.split(" >> ") for line in retro]
    both = [[(a, b) for a, b in side if _canonical(a) and _parts(b)] for side in sides]
    return both[0], both[1]


@cache
def _made() -> tuple[Pairs, Pairs]:
    """Some reactions of every template, with reactants drawn from the package's molecules."""
    rng = random.Random(0)
    with open(source_path(), encoding="utf-8") as file:
        rows = [line.split("\t", 5)[_SMILES_COLUMN] for line in file]
    smiles = [row for row in rng.sample(rows, _ROWS) if row and len(row) <= _LONGEST and "." not in row]
    with rdBase.BlockLogs():
        molecules = [m for m in map(Chem.MolFromSmiles, smiles) if m is not None]
        molecules += [Chem.MolFromSmiles(salt) for salt in ("[Na+]", "[OH-]")]
        reactions = [pair for template in _TEMPLATES for pair in _run(template, molecules, rng)]
    rng.shuffle(reactions)
    half = len(reactions) // 2
    retro = [(product, reactants) for reactants, product in reactions[half:] if "." not in product]
    return reactions[:half], retro


def _run(template: str, molecules: list[Any], rng: random.Random, count: int = 300) -> Iterator[tuple[str, str]]:
    reaction = rdChemReactions.ReactionFromSmarts(template)
    patterns = [reaction.GetReactantTemplate(i) for i in range(reaction.GetNumReactantTemplates())]
    pools = [[m for m in molecules if len(m.GetSubstructMatches(pattern)) == 1] for pattern in patterns]
    for _ in range(count if all(pools) else 0):
        reactants = [rng.choice(pool) for pool in pools]
        for products in reaction.RunReactants(reactants)[:1]:
            sides = [".".join(map(Chem.MolToSmiles, side)) for side in (reactants, products)]
            if all(_parts(side) for side in sides):
                yield sides[0], ".".join(_parts(sides[1]) or [])


def _places(text: str, pattern: str) -> list[tuple[int, int]]:
    """Where the tokens are that a pattern matches as a whole."""
    return [m.span() for m in _TOKEN.finditer(text) if re.fullmatch(pattern, m[0])]


def _pick(places: list[tuple[int, int]], rng: random.Random) -> tuple[int, int] | None:
    return rng.choice(places) if places else None


def _drop(pattern: str, edit: str) -> Any:
    def edited(text: str, rng: random.Random) -> Injected | None:
        place = _pick(_places(text, pattern), rng)
        return place and replaced(text, place, "", edit)

    return edited


def _change(pattern: str, options: list[str], edit: str) -> Any:
    def edited(text: str, rng: random.Random) -> Injected | None:
        place = _pick(_places(text, pattern), rng)
        return place and replaced(text, place, rng.choice([o for o in options if o != text[slice(*place)]]), edit)

    return edited


def _add(options: list[str], edit: str) -> Any:
    def edited(text: str, rng: random.Random) -> Injected | None:
        place = _pick(_places(text, _ATOM.pattern), rng)
        return place and replaced(text, (place[1], place[1]), rng.choice(options), edit)

    return edited


def _changed_charge(text: str, rng: random.Random) -> Injected | None:
    place = _pick(_places(text, r"\[[^\]]*[-+]\]"), rng)
    if place is None:
        return None
    token = text[slice(*place)]
    other = token.translate(str.maketrans("+-", "-+"))
    return replaced(text, place, rng.choice([other, re.sub(r"[-+]", "", token)]), "changed charge")


def _flipped_stereo(text: str, rng: random.Random) -> Injected | None:
    place = _pick([m.span() for m in re.finditer(r"@@?|[/\\]", text)], rng)
    if place is None:
        return None
    other = {"@": "@@", "@@": "@", "/": "\\", "\\": "/"}[text[slice(*place)]]
    return replaced(text, place, other, "flipped stereo")


def _dropped_component(text: str, rng: random.Random) -> Injected | None:
    parts = text.split(".")
    if len(parts) == 1:
        return None
    at = rng.randrange(len(parts))
    made = ".".join(parts[:at] + parts[at + 1 :])
    return Injected(made, gap(made, len(".".join(parts[:at]))), "dropped component")


def _added_component(text: str, rng: random.Random) -> Injected:
    new = rng.choice(["O", "Cl", "[Na+]", "CCO", "c1ccccc1", *text.split(".")])
    at = rng.choice([0, len(text)])
    return replaced(text, (at, at), f"{new}." if at == 0 else f".{new}", "added component")


def _split_component(text: str, rng: random.Random) -> Injected | None:
    place = _pick(_places(text, _ATOM.pattern)[1:], rng)
    return place and replaced(text, (place[0], place[0]), ".", "added dot")


_EDITS = [
    _drop(_ATOM.pattern, "dropped atom"),
    _add(["C", "N", "O", "F", "(C)", "(=O)", "[CH2]"], "added atom"),
    _change("[CNOSF]|Cl|Br", ["C", "N", "O", "S", "F", "Cl", "Br"], "changed element"),
    _change("[cnos]", ["c", "n", "o", "s", "C", "N"], "changed aromatic atom"),
    _drop("[0-9]", "dropped ring number"),
    _change("[0-9]", list("123456789"), "changed ring number"),
    _drop("[()]", "dropped parenthesis"),
    _add(["(", ")"], "added parenthesis"),
    _change("[=#]", ["=", "#", "-"], "changed bond"),
    _add(["=", "#"], "added bond symbol"),
    _add(["X", "!", "&", "q", "]", " ", "\u00e9"], "foreign character"),
    _drop(r"\.", "dropped dot"),
    _changed_charge,
    _flipped_stereo,
    _dropped_component,
    _added_component,
    _split_component,
]
