"""Real molecules with facts that are true of them, counted by RDKit alone, and one mistake in each.

Where a parenthesis or a ring number is left out, it may be missing at many places: no reference is known.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors
from small_graphs import Compared, all_spellings, characters_of, compare_all, graph_of

from corpora import Case, Injected
from corpora.smiles import (
    HOSTILE,
    add_atom,
    bad_character,
    canonical,
    change_atom,
    drop_parenthesis,
    drop_ring_number,
    enumerate_prefixes,
    foreign,
    is_atom,
    molecules,
    spelling,
    tokens,
    wildcard,
)
from rlsf_lightning.records import Prompt, Span
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS

OPTIONS: dict[str, Any] = {}
WHY = {
    "hit": "A parenthesis that is left out may be missing at any of many places, of which eight are named.",
}

Facts = list[dict[str, Any]]
_COUNTED = ("N", "O", "S", "F", "Cl", "Br", "I", "P", "B", "Si")


def correct(count: int, rng: random.Random) -> list[Case]:
    cases: list[Case] = []
    while len(cases) < count:
        for name, smiles in molecules(count - len(cases), rng):
            with rdBase.BlockLogs():
                molecule = Chem.MolFromSmiles(smiles)
            odd = any(atom.GetNumRadicalElectrons() or not atom.GetAtomicNum() for atom in molecule.GetAtoms())
            if not odd:
                prompt = Prompt(f"molecule-{len(cases)}", name, facts={"facts": true_facts(molecule, rng)})
                cases.append(Case(prompt, spelling(smiles, rng)))
    return cases


def true_facts(molecule: Chem.Mol, rng: random.Random) -> Facts:
    """Some of what is true of a molecule."""
    groups: Facts = []
    for subject, table in (("functional_group", FUNCTIONAL_GROUPS), ("ring", RINGS)):
        present = [name for name in table if count(molecule, table[name].smarts)]
        for name in rng.sample(present, min(2, len(present))):
            groups.append({subject: name, "count": count(molecule, table[name].smarts)})
    symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    facts = groups + [{"element": symbol, "count": symbols.count(symbol)} for symbol in rng.sample(_COUNTED, 4)]
    facts.append({"property": "rings", "count": int(_PROPERTY["rings"](molecule))})
    facts.append({"property": "charge", "count": Chem.GetFormalCharge(molecule)})
    if rng.random() < 0.3:
        facts.append({"formula": rdMolDescriptors.CalcMolFormula(molecule)})
    if rng.random() < 0.3:
        weight = rdMolDescriptors._CalcMolWt(molecule)
        facts.append({"property": "molecular_weight", "min": weight - 1, "max": weight + 1})
    return facts


def count(molecule: Chem.Mol, smarts: str) -> int:
    return len(molecule.GetSubstructMatches(_query(smarts), maxMatches=10_000))


@cache
def _query(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


def are_true(facts: Facts, smiles: str) -> bool:
    """RDKit's own answer, as its manual would have one write it."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    return molecule is not None and all(is_true(fact, molecule) for fact in facts)


def is_true(fact: dict[str, Any], molecule: Chem.Mol) -> bool:
    if "formula" in fact:
        return rdMolDescriptors.CalcMolFormula(molecule) == fact["formula"]
    if "functional_group" in fact:
        found: float = count(molecule, FUNCTIONAL_GROUPS[fact["functional_group"]].smarts)
    elif "ring" in fact:
        found = count(molecule, RINGS[fact["ring"]].smarts)
    elif "element" in fact:
        found = sum(atom.GetSymbol() == fact["element"] for atom in molecule.GetAtoms())
    else:
        found = _PROPERTY[fact["property"]](molecule)
    if "count" in fact:
        return bool(found == fact["count"])
    return bool(fact.get("min", -1e9) <= found <= fact.get("max", 1e9))


_PROPERTY: dict[str, Callable[[Chem.Mol], float]] = {
    "rings": lambda molecule: molecule.GetNumBonds() - molecule.GetNumAtoms() + len(Chem.GetMolFrags(molecule)),
    "charge": Chem.GetFormalCharge,
    "molecular_weight": rdMolDescriptors._CalcMolWt,
    "fragments": lambda molecule: len(Chem.GetMolFrags(molecule)),
    "heavy_atoms": lambda molecule: molecule.GetNumHeavyAtoms(),
}


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Endless; some with white space around them."""
    while True:
        yield rng.choice(("", "", " ", "\n")) + spelling(case.completion, rng) + rng.choice(("", "", " ", "\n"))


def inject(case: Case, rng: random.Random) -> Injected | None:
    injected = rng.choice(EDITS)(case.completion, rng)
    if injected is None:
        return None
    legible = injected.completion.isascii() and injected.completion.isprintable() and "*" not in injected.completion
    if legible and " " not in injected.completion and are_true(case.prompt.facts["facts"], injected.completion):
        return None
    return injected


def add_group(text: str, rng: random.Random) -> Injected | None:
    """A substituent: more of a group, an element or a ring than is stated, where that is stated."""
    carbons = [match for match in tokens(text) if is_atom(match[0]) and match[0].upper() == "C"]
    if not carbons:
        return None
    at = rng.choice(carbons).end()
    new = rng.choice(["(Cl)", "(F)", "(Br)", "(O)", "(N)", "(C(=O)O)", "(C#N)", "(S)", "(C1CC1)", "(c1ccccc1)"])
    used = {match[0] for match in tokens(text)}
    digit = next(digit for digit in "987654321" if digit not in used or digit == "1")
    new = new.replace("1", digit)
    return Injected(text[:at] + new + text[at:], Span(at, at + len(new)), "added group")


def add_mark(text: str, rng: random.Random) -> Injected | None:
    """A branch, ring number or bond that leads nowhere."""
    at = rng.choice([match.end() for match in tokens(text)])
    new = rng.choice(["()", "=", "#", "%97"])
    return Injected(text[:at] + new + text[at:], Span(at, at + len(new)), "added mark")


def too_many_bonds(text: str, rng: random.Random) -> Injected | None:
    atoms = [match for match in tokens(text) if match[0] in ("C", "O", "F", "Cl")]
    if not atoms:
        return None
    match = rng.choice(atoms)
    new = "[" + match[0] + "H7]"
    return Injected(
        text[: match.start()] + new + text[match.end() :], Span(match.start(), match.start() + len(new)), "valence"
    )


EDITS: Sequence[Callable[[str, random.Random], Injected | None]] = (
    add_group,
    add_group,
    add_group,
    add_mark,
    too_many_bonds,
    change_atom,
    add_atom,
    foreign,
    wildcard,
    bad_character,
    drop_parenthesis,
    drop_ring_number,
)


def hostile() -> list[Case]:
    facts: Facts = [
        {"functional_group": "carboxylic acid", "count": 1},
        {"smarts": "*~*~*~*", "max": 3},
        {"formula": "C9H8O4"},
        {"property": "rings", "max": 2},
    ]
    return [Case(Prompt(f"hostile-{name}", "", facts={"facts": facts}), text, name) for name, text in HOSTILE.items()]


def bare(case: Case) -> None:
    """Parse, and count what is stated."""
    are_true(case.prompt.facts["facts"], case.completion.strip())
    canonical(case.completion.strip())


_ONE = {"property": "fragments", "count": 1}
#: facts, alphabet, length of the strings that are written, and up to which length a prefix has room to end.
_SMALL: tuple[tuple[Facts, str, int, int], ...] = (
    ([{"formula": "C2H6O"}, _ONE], "CO()", 8, 4),
    ([{"formula": "C3H6"}, _ONE], "C=1()", 8, 3),
    ([{"formula": "C3H8O"}], "CO()", 8, 5),
    ([{"element": "Cl", "count": 1}, {"property": "heavy_atoms", "count": 3}], "ClB=", 7, 4),
    ([{"functional_group": "carboxylic acid", "count": 1}, {"property": "heavy_atoms", "max": 4}], "CO()=", 7, 3),
    ([{"property": "rings", "count": 1}, {"property": "heavy_atoms", "max": 4}], "C1()", 8, 4),
    ([_ONE, {"formula": "C2H6"}], "C.=", 5, 3),
    ([{"ring": "cyclopropane", "count": 1}, {"element": "O", "max": 0}], "CO1", 8, 4),
)


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Every string over a small alphabet: a prefix lives if some string that continues it is right.

    Where ``viable`` says that a prefix lives, it has tried a continuation out, perhaps one with other symbols.
    """
    compared = differing = 0
    for facts, alphabet, longest, complete_to in _SMALL:
        alive, prefixes = enumerate_prefixes(alphabet, longest, complete_to, partial(are_true, facts))
        prompt = Prompt("small", "", facts={"facts": facts})
        for prefix in prefixes:
            answer = verifier.viable(prompt, prefix)
            if answer is not None:
                compared += 1
                differing += answer != (prefix in alive)
    return compared, differing


#: formula of one fragment -> all of its isomers, of six to eight atoms.
_ISOMERS = {
    "C6H14": "CCCCCC CC(C)CCC CCC(C)CC CC(C)C(C)C CC(C)(C)CC",
    "C7H16": "CCCCCCC CC(C)CCCC CCC(C)CCC CC(C)(C)CCC CCC(C)(C)CC CC(C)C(C)CC CC(C)CC(C)C CC(C)(C)C(C)C CCC(CC)CC",
    "C2F6": "FC(F)(F)C(F)(F)F",
    "C2Cl6": "ClC(Cl)(Cl)C(Cl)(Cl)Cl",
}


def exhaustive_by_atoms(verifier: Any, rng: random.Random) -> dict[int, Compared]:
    """Formulas of which all isomers, and of these all spellings, are known."""

    def wanted(formula: str, isomers: str) -> tuple[int, set[str], list[str], Any, Any]:
        graphs = [graph_of(smiles) for smiles in isomers.split()]
        facts: Facts = [{"formula": formula}, _ONE]
        ask = partial(verifier.viable, Prompt("small", "", facts={"facts": facts}))
        texts = set[str]().union(*map(all_spellings, graphs))
        return len(graphs[0].symbols), texts, characters_of(graphs[0]), ask, partial(are_true, facts)

    return compare_all(itertools.starmap(wanted, _ISOMERS.items()), rng)
