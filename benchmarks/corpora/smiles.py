"""Real molecules (the package ``chemicals``, PubChem compounds), their spellings, and one mistake in each."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.DataStructs import TanimotoSimilarity
from small_graphs import Compared, all_spellings, characters_of, compare_all, goes_on, graph_of

from corpora import Case, Injected
from rlsf_lightning.prompts.sources.iupac import source_path
from rlsf_lightning.records import Prompt, Span

OPTIONS: dict[str, Any] = {}

LONGEST = 100
_MORGAN = GetMorganGenerator(radius=2)
_SMILES_COLUMN, _NAME_COLUMN = 4, 7
_TOKEN = re.compile(r"\[[^\[\]]*\]|Cl|Br|%\d\d|.", re.DOTALL)
_ATOM = re.compile(r"\[.*\]|Cl|Br|[A-Za-z*]", re.DOTALL)


@cache
def _rows() -> list[tuple[str, str]]:
    with open(source_path(), encoding="utf-8") as file:
        columns = (line.rstrip("\n").split("\t") for line in file)
        return [(row[_NAME_COLUMN], row[_SMILES_COLUMN]) for row in columns if 3 < len(row[_SMILES_COLUMN]) <= LONGEST]


def molecules(count: int, rng: random.Random) -> list[tuple[str, str]]:
    """(name, SMILES) of so many real compounds that RDKit reads, salts, metals and stereochemistry included."""
    found: list[tuple[str, str]] = []
    while len(found) < count:
        name, smiles = rng.choice(_rows())
        if canonical(smiles) is not None:
            found.append((name, smiles))
    return found


def canonical(smiles: str) -> str | None:
    """RDKit's canonical SMILES; None if it reads no molecule."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles.isascii() else None
    return Chem.MolToSmiles(molecule) if molecule is not None else None


def spelling(smiles: str, rng: random.Random) -> str:
    """The same molecule from another atom, in another order, in one of RDKit's styles."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    style, seed = rng.randrange(6), rng.randrange(1, 1 << 30)
    if style in (1, 2):
        Chem.Kekulize(molecule, clearAromaticFlags=style == 1)
    written = {"kekuleSmiles": style in (1, 2), "allBondsExplicit": style == 3, "allHsExplicit": style == 4}
    if style == 5:
        text = Chem.MolToSmiles(molecule, canonical=False, **written)
    else:  # MolToSmiles(doRandom=True) draws from a generator that cannot be seeded
        (text,) = Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=seed, **written)
    return text if canonical(text) == canonical(smiles) else smiles


def correct(count: int, rng: random.Random) -> list[Case]:
    return [
        Case(Prompt(f"smiles-{i}", name, smiles), spelling(smiles, rng))
        for i, (name, smiles) in enumerate(molecules(count, rng))
    ]


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Endless; some with white space around them."""
    assert case.prompt.reference is not None, "every case has a reference"
    while True:
        yield rng.choice(("", "", " ", "\n")) + spelling(case.prompt.reference, rng) + rng.choice(("", "", " ", "\n"))


def inject(case: Case, rng: random.Random) -> Injected | None:
    assert case.prompt.reference is not None, "every case has a reference"
    injected = rng.choice(EDITS)(case.completion, rng)
    if injected is None or canonical(case.prompt.reference) == canonical(injected.completion):
        return None
    return injected


def tokens(text: str) -> list[re.Match[str]]:
    """The atoms, ring numbers and other characters of a SMILES."""
    return list(_TOKEN.finditer(text))


def _without(text: str, match: re.Match[str], edit: str) -> Injected:
    start, end = match.span()
    kept = text[:start] + text[end:]
    return Injected(kept, Span(max(0, start - 1), min(len(kept), start + 1)), edit)


def _with(text: str, start: int, end: int, new: str, edit: str) -> Injected:
    return Injected(text[:start] + new + text[end:], Span(start, start + len(new)), edit)


def _pick(text: str, rng: random.Random, wanted: Callable[[str], bool]) -> re.Match[str] | None:
    found = [match for match in tokens(text) if wanted(match[0])]
    return rng.choice(found) if found else None


def is_atom(token: str) -> bool:
    return _ATOM.fullmatch(token) is not None


def drop_ring_number(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, lambda token: token.isdigit())
    return match and _without(text, match, "dropped ring number")


def change_ring_number(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, lambda token: token.isdigit())
    return match and _with(text, *match.span(), str(int(match[0]) % 9 + 1), "changed ring number")


def drop_parenthesis(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, lambda token: token in "()")
    return match and _without(text, match, "dropped parenthesis")


def change_atom(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, is_atom)
    if match is None:
        return None
    new = rng.choice("nosc" if match[0].islower() else ["C", "N", "O", "S", "F", "Cl", "Br", "P"])
    return None if new == match[0] else _with(text, *match.span(), new, "changed atom")


def add_atom(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, is_atom)
    new = rng.choice(["C", "N", "O", "(C)", "(O)", "(Cl)", "(=O)", "c"])
    return match and _with(text, match.end(), match.end(), new, "added atom")


def drop_atom(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, is_atom)
    return match and _without(text, match, "dropped atom")


def change_bond(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, lambda token: token in "=#")
    if match is None:
        return None
    if rng.random() < 0.5:
        return _without(text, match, "dropped bond")
    return _with(text, *match.span(), "#" if match[0] == "=" else "=", "changed bond")


def change_charge(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, lambda token: token[0] == "[" and token[-2] in "+-")
    if match is None:
        return None
    new = "-" if match[0][-2] == "+" else "+"
    return _with(text, match.end() - 2, match.end() - 1, new, "changed charge")


def change_stereo(text: str, rng: random.Random) -> Injected | None:
    marks = list(re.finditer(r"@@?|[/\\]", text))
    if not marks:
        return None
    match = rng.choice(marks)
    return _with(text, *match.span(), {"@": "@@", "@@": "@", "/": "\\", "\\": "/"}[match[0]], "changed stereo mark")


def foreign(text: str, rng: random.Random) -> Injected | None:
    """What RDKit drops without a word."""
    new = rng.choice([" junk", "\u00e9", "\u540d", " |^1:0|", "\u200b", "\tC"])
    return _with(text, len(text), len(text), new, "text that RDKit drops")


def wildcard(text: str, rng: random.Random) -> Injected | None:
    match = _pick(text, rng, is_atom)
    return match and _with(text, *match.span(), "*", "wildcard")


def bad_character(text: str, rng: random.Random) -> Injected | None:
    at = rng.randrange(len(text))
    return _with(text, at, at, rng.choice("XQ!?&;$^"), "bad character")


EDITS: Sequence[Callable[[str, random.Random], Injected | None]] = (
    drop_ring_number,
    change_ring_number,
    drop_parenthesis,
    change_atom,
    add_atom,
    drop_atom,
    change_bond,
    change_charge,
    change_stereo,
    foreign,
    wildcard,
    bad_character,
)

#: What has made RDKit crash, hang or accept what is none.
HOSTILE = {
    "open parentheses": "(" * 100_000,
    "brackets": "[" * 100_000,
    "chain": "C" * 100_000,
    "one large ring": "C1" + "C" * 20_000 + "1",
    "ring digits": "C" + "1" * 100_000,
    "nested branches": "C(" * 50_000 + "C" + ")" * 50_000,
    "fragments": "C." * 50_000 + "C",
    "biphenyls": "c1ccccc1" * 10_000,
    "long chain": "C" * 500,
    "aromatic chain": "c" * 500,
    "small rings": "C1CC1" * 100,
    "stereo": "C/C=C/" * 80 + "C",
    "centres": "[C@H](F)(Cl)" * 40,
    "cage": "c12c3c4c5c1c6c7c8c2c9c1c3c2c3c4c4c%10c5c5c6c6c7c7c%11c8c9c8c9c1c2c1c2c3c4c3c4c%10c5c5c6c6c7c7c%11c8c8c9c1c1c2c3"
    "c2c4c5c6c3c7c8c1c23",
    "huge numbers": "[999999999C+999999999:999999999]C%(99999)CC%(99999)",
    "empty": "",
    "text after a blank": "CC junk",
    "a foreign tail": "CC\u540d",
    "CXSMILES": "CC |^1:0|",
    "a lone surrogate": "C\ud800C",
    "NUL": "CC\x00",
    "no such element": "[#119]",
    "radicals": "[C].[CH2].[C-4].[C+16]",
    "wildcards": "*~*",
    "not sanitised without a problem": "C1=CC=n(C=C1O)C",
}


def hostile() -> list[Case]:
    references = ["CC(=O)Oc1ccccc1C(=O)O", None, "c1ccccc1" * 20]
    return [
        Case(Prompt(f"hostile-{name}", "", reference), text, name)
        for name, text in HOSTILE.items()
        for reference in references
    ]


def bare(case: Case) -> None:
    """Parse, write canonically, compare fingerprints: what one would do without places."""
    with rdBase.BlockLogs():
        ours, theirs = Chem.MolFromSmiles(case.completion.strip()), Chem.MolFromSmiles(case.prompt.reference or "C")
        if ours is not None and theirs is not None and Chem.MolToSmiles(ours) != Chem.MolToSmiles(theirs):
            TanimotoSimilarity(_MORGAN.GetCountFingerprint(ours), _MORGAN.GetCountFingerprint(theirs))


#: molecule, alphabet, length of the strings that are written, and up to which length a prefix has room to end.
_SMALL = (
    ("CCO", "CO()1", 8, 5),
    ("C=CC", "C=()", 8, 5),
    ("CC(C)O", "CO()", 8, 5),
    ("C.C", "C.()", 6, 5),
    ("CCl", "ClB()", 7, 4),
    ("C1CC1", "C1()", 9, 6),
    ("C1CC1C", "C1()", 10, 5),
    ("CCO", "CO1.", 8, 5),
    ("C1CC1", "C12.", 9, 5),
    ("C=C", "C1=.", 8, 5),
    ("CC.O", "CO1.", 8, 4),
    ("CC.O", "CO().", 7, 4),
)


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Every string over a small alphabet: a prefix lives if some spelling of the molecule continues it."""
    compared = differing = 0
    for smiles, alphabet, longest, complete_to in _SMALL:
        wanted = canonical(smiles)
        alive, prefixes = enumerate_prefixes(alphabet, longest, complete_to, partial(_spells, wanted))
        prompt = Prompt("small", "", smiles)
        for prefix in prefixes:
            answer = verifier.viable(prompt, prefix)
            if answer is not None:
                compared += 1
                differing += answer != (prefix in alive) and not _goes_on(verifier, prompt, prefix, alphabet)
    for smiles, symbols, most, compared_to in _SMALL_WITH_MARKS:
        alive, prefixes = _with_marks(smiles, symbols, most, compared_to)
        prompt = Prompt("small", "", smiles)
        for prefix in prefixes:
            answer = verifier.viable(prompt, prefix)
            compared += 1
            differing += answer is not (prefix in alive) and not _goes_on(verifier, prompt, prefix, symbols)
    return compared, differing


def _goes_on(verifier: Any, prompt: Prompt, prefix: str, symbols: Iterable[str]) -> bool:
    """Whether a prefix, dead as far as the texts show, is rightly called alive: a ring number may be closed behind a dot."""
    wanted, viable = canonical(prompt.reference or ""), partial(verifier.viable, prompt)
    return bool(viable(prefix)) and goes_on(prefix, symbols, viable, partial(_spells, wanted))


#: molecule, tokens, how many of them are written, and up to how many a prefix has room to end.
_SMALL_WITH_MARKS: tuple[tuple[str, list[str], int, int], ...] = (
    ("C[C@H](O)F", ["C", "O", "F", "[C@H]", "[C@@H]", "(", ")"], 8, 4),
    ("CC(O)F", ["C", "O", "F", "[C@H]", "(", ")"], 8, 4),
    ("F/C=C\\F", ["F", "C", "/", "\\", "=", "(", ")"], 9, 3),
    ("O[C@H]1CO1", ["C", "O", "1", "[C@H]", "[C@@H]", "(", ")"], 10, 3),
)


#: Of six to eight atoms; where True, with ``-`` for single bonds.
_LARGER = {
    **dict.fromkeys("CCCCCC CC(C)CCO CCC=CCO N#CCCC#N CCC(=O)CCl C1CCCCC1 C1=CC=CC=C1 C1CC1C1CC1".split(), False),
    **dict.fromkeys("CCCCCCC CC(C)(C)C(C)C CC(=O)OC(C)=O CC1CCCCC1 CC1=CC=CC=C1".split(), False),
    **dict.fromkeys("CCCCCCCC CC(C)CC(C)(C)C CC=CC(C)(C)C=C ClC(Cl)(Cl)C(Cl)(Cl)Cl C1CCCCCCC1".split(), False),
    "CC(C)C(C)C": True,
}


def exhaustive_by_atoms(verifier: Any, rng: random.Random) -> dict[int, Compared]:
    """Molecules of six to eight atoms, of which all spellings are known."""

    def wanted(smiles: str, dash: bool) -> tuple[int, set[str], list[str], Any, Any]:
        graph = graph_of(smiles)
        ask = partial(verifier.viable, Prompt("small", "", smiles))
        passes = partial(_spells, canonical(smiles))
        return len(graph.symbols), all_spellings(graph, dash), characters_of(graph, dash), ask, passes

    return compare_all(itertools.starmap(wanted, _LARGER.items()), rng)


def _with_marks(smiles: str, symbols: Sequence[str], most: int, compared_to: int) -> tuple[set[str], list[str]]:
    """The same with tokens of several characters: only so many atoms, double bonds and open parentheses as can end well."""
    wanted, atoms = canonical(smiles), sum(map(str.isalpha, smiles.replace("@H", "")))
    alive: set[str] = set()
    prefixes: list[str] = []
    stack = [("", 0)]
    while stack:
        text, size = stack.pop()
        written = sum(map(str.isalpha, text.replace("@H", "")))
        depth = text.count("(") - text.count(")")
        unfinished = depth + (text.count("1") % 2) + atoms - written
        if depth < 0 or written > atoms or text.count("=") > smiles.count("=") or unfinished > most - size:
            continue
        if size <= compared_to:
            prefixes.append(text)
        if unfinished == 0 and canonical(text) == wanted:
            alive |= {text[:end] for end in range(len(text) + 1)}
        stack += [(text + symbol, size + 1) for symbol in symbols]
    return alive, prefixes


def _spells(wanted: str | None, text: str) -> bool:
    return canonical(text) == wanted


def enumerate_prefixes(
    alphabet: str, longest: int, complete_to: int, passes: Callable[[str], bool]
) -> tuple[set[str], list[str]]:
    """(prefixes of the strings that pass, all strings up to ``complete_to``), by writing every string there is.

    Left out is only what has too many parentheses closed: no continuation mends that.
    """
    alive: set[str] = set()
    prefixes: list[str] = []
    stack = [""]
    while stack:
        text = stack.pop()
        if text.count("(") < text.count(")"):
            continue
        if len(text) <= complete_to:
            prefixes.append(text)
        if (
            text
            and text.count("(") == text.count(")")
            and all(text.count(digit) % 2 == 0 for digit in "123")
            and passes(text)
        ):
            alive |= {text[:end] for end in range(len(text) + 1)}
        if len(text) < longest:
            stack += [text + symbol for symbol in alphabet]
    return alive, prefixes
