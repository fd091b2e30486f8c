"""Molecules of a description: elements, formula, weight, rings and fragments counted by hand on atoms and bonds
(networkx), groups by RDKit's own search for their SMARTS, each place once.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import networkx
from corpora import Case
from corpora import molecule as corpus
from rdkit import Chem
from same_molecule import Molecule, plain_text, read

from opinions import Opinion, smiles
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS

TOOLS = smiles.TOOLS
HOW = "counts by hand on the graph, SMARTS by RDKit"
EXPLAINED = {
    "merged hydrogens": smiles.EXPLAINED["merged hydrogens"],
    "what RDKit drops": smiles.EXPLAINED["what RDKit drops"],
    "on the border": "a weight within a thousandth of a bound: the tables of atomic weights differ in their last digits",
}
#: Standard atomic weights, abridged (IUPAC 2021).
_WEIGHTS = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Na": 22.990, "Mg": 24.305, "Al": 26.982,
    "Si": 28.085, "P": 30.974, "S": 32.06, "Cl": 35.45, "K": 39.098, "Ca": 40.078, "Fe": 55.845, "Cu": 63.546, "Zn": 65.38,
    "As": 74.922, "Se": 78.971, "Br": 79.904, "Sn": 118.71, "I": 126.90,
}  # fmt: skip


def opinion(case: Case) -> Opinion:
    """Whether all facts hold of a molecule without radicals."""
    text = case.completion.strip()
    wrong = plain_text(text) or (f"{len(text)} characters" if len(text) > smiles.MAX_CHARS else None)
    molecule = None if wrong else read(text)
    if molecule is None:
        return Opinion(False, wrong or "RDKit refuses it")
    if any(atom.GetNumRadicalElectrons() for atom in molecule.mol.GetAtoms()):
        return Opinion(False, "a radical")
    for fact in case.prompt.facts["facts"]:
        found = _found(fact, molecule)
        if found is None:
            return Opinion(None, f"cannot be counted here: {sorted(fact)}")
        if not _holds(fact, found):
            return Opinion(False, f"{fact}: {found}")
    return Opinion(True, "all facts hold")


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """By what the verifier found, and by a weight."""
    kinds = {finding.kind for finding in certificate.findings}
    if "[H" in case.completion and kinds & {"valence", "bad_bracket_atom", "wrong_hydrogens"}:
        return "merged hydrogens"
    if "molecular_weight" in said.reason or kinds == {"wrong_molecular_weight"}:
        return "on the border"
    return "what RDKit drops" if "|" in case.completion else None


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: facts with bounds, true and false, of all sorts, about molecules of the corpus in other spellings."""
    while True:
        for case in corpus.correct(200, rng):
            mol = Chem.MolFromSmiles(case.completion)
            if mol is None:
                continue
            facts = [fact for fact in (_random_fact(mol, rng) for _ in range(rng.randint(1, 3)))]
            prompt = Prompt(f"own {facts}", "", facts={"facts": facts})
            for text in [*smiles.spellings(mol, rng)][:3]:
                yield Case(prompt, text)


def _random_fact(mol: Chem.Mol, rng: random.Random) -> dict[str, Any]:
    subject = rng.choice(["functional_group", "ring", "element", "property", "formula", "functional_group"])
    if subject == "formula":
        counts = _composition(mol)
        if rng.random() < 0.3:
            counts["H"] += 1
        charge = sum(atom.GetFormalCharge() for atom in mol.GetAtoms())
        sign = f"{'+' if charge > 0 else '-'}{abs(charge)}" if charge else ""
        return {"formula": "".join(f"{symbol}{number}" for symbol, number in counts.items() if number) + sign}
    names = {
        "functional_group": [*FUNCTIONAL_GROUPS], "ring": [*RINGS], "element": ["C", "H", "N", "O", "S", "Cl", "F"],
        "property": ["charge", "fragments", "heavy_atoms", "rings", "stereocentres"],
    }[subject]  # fmt: skip
    fact = {subject: rng.choice(names)}
    number = _found(fact, Molecule(mol, None, ""))
    assert isinstance(number, int)
    number += rng.choice([0, 0, 0, 1, -1])
    number = number if fact.get("property") == "charge" else max(0, number)
    return {**fact, **rng.choice([{"count": number}, {"min": number}, {"max": number}])}


def _found(fact: dict[str, Any], molecule: Molecule) -> Any:
    """The number that a fact speaks of, or the composition with the charge."""
    mol = molecule.mol
    if "formula" in fact:
        return _composition(mol), sum(atom.GetFormalCharge() for atom in mol.GetAtoms())
    if "element" in fact:
        return _composition(mol)[fact["element"]]
    smarts = fact.get("smarts") or next(
        (table[fact[subject]].smarts for subject, table in _TABLES.items() if subject in fact), None
    )
    if smarts is not None:
        matches = mol.GetSubstructMatches(Chem.MolFromSmarts(smarts), uniquify=False, maxMatches=200_000)
        return len({frozenset(match) for match in matches})
    return _property(fact["property"], mol)


_TABLES = {"functional_group": FUNCTIONAL_GROUPS, "ring": RINGS}


def _property(name: str, mol: Chem.Mol) -> Any:
    graph = networkx.Graph((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds())
    graph.add_nodes_from(range(mol.GetNumAtoms()))
    if name == "charge":
        return sum(atom.GetFormalCharge() for atom in mol.GetAtoms())
    if name == "fragments":
        return networkx.number_connected_components(graph)
    if name == "heavy_atoms":
        return sum(atom.GetAtomicNum() > 1 for atom in mol.GetAtoms())
    if name == "rings":
        return len(networkx.cycle_basis(graph))
    if name == "stereocentres":
        return sum(str(atom.GetChiralTag()).startswith("CHI_TETRAHEDRAL") for atom in mol.GetAtoms())
    counts = _composition(mol)
    if any(atom.GetIsotope() for atom in mol.GetAtoms()) or not counts.keys() <= _WEIGHTS.keys():
        return None
    return sum(_WEIGHTS[symbol] * number for symbol, number in counts.items())


def _composition(mol: Chem.Mol) -> Counter[str]:
    counts: Counter[str] = Counter()
    for atom in mol.GetAtoms():
        counts[atom.GetSymbol()] += 1
        counts["H"] += atom.GetTotalNumHs()
    return +counts


def _holds(fact: dict[str, Any], found: Any) -> bool:
    if "formula" in fact:
        elements, sign, number = re.fullmatch(r"([A-Za-z0-9]+?)(?:([+-])([0-9]*))?", fact["formula"]).groups()  # type: ignore[union-attr]
        wanted: Counter[str] = Counter()
        for symbol, many in re.findall(r"([A-Z][a-z]?)([0-9]*)", elements):
            wanted[symbol] += int(many or 1)
        charge = int(number or 1) * (-1 if sign == "-" else 1) if sign else 0
        return bool((wanted, charge) == found)
    if "count" in fact:
        return bool(found == fact["count"])
    least = 1 if not {"min", "max"} & fact.keys() else float("-inf")
    return bool(fact.get("min", least) <= found <= fact.get("max", float("inf")))
