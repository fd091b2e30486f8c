"""Counts of a fact's groups, rings or atoms in a molecule, and the atoms concerned. RDKit counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import Fact

_TERM = re.compile(r"([A-Z][a-z]?|\*)([0-9]*)", re.ASCII)
#: Matches of one SMARTS that are looked for, before those of the same atoms are counted once.
MAX_MATCHES = 10_000


class Measure(NamedTuple):
    """``found``: the number, or the formula as counts; ``matches``: the atoms of each occurrence, as RDKit numbers them."""

    found: float | dict[str, int]
    matches: Sequence[tuple[int, ...]]


def measure(fact: Fact, molecule: Any) -> Measure:
    """Count what ``fact`` speaks of in a sanitised molecule."""
    if fact.smarts:
        matches = molecule.GetSubstructMatches(_query(fact.smarts), uniquify=True, maxMatches=MAX_MATCHES)
        return Measure(len(matches), sorted(tuple(sorted(match)) for match in matches))
    if fact.subject == "formula":
        return Measure(dict(composition(molecule)), [])
    if fact.subject == "element":
        matches = molecule.GetSubstructMatches(_query(f"[#{ELEMENTS.index(fact.name)}]"), maxMatches=MAX_MATCHES)
        return Measure(composition(molecule)[fact.name], matches)
    return _PROPERTIES[fact.name](molecule)


def composition(molecule: Any) -> Counter[str]:
    """Atoms of each element, implied hydrogens and isotopes too; wildcards count as the element ``*``."""
    formula = rdMolDescriptors.CalcMolFormula(molecule)
    return Counter({symbol: int(number or 1) for symbol, number in _TERM.findall(formula)})


@lru_cache(maxsize=1024)
def _query(smarts: str) -> Any:
    with rdkit_io.quiet():
        return Chem.MolFromSmarts(smarts)


def _charge(molecule: Any) -> Measure:
    charged = [(atom.GetIdx(),) for atom in molecule.GetAtoms() if atom.GetFormalCharge()]
    return Measure(Chem.GetFormalCharge(molecule), charged)


def _rings(molecule: Any) -> Measure:
    """Independent cycles; RDKit's own number of rings is larger in cages, where it counts equivalent ones too."""
    parts = len(Chem.GetMolFrags(molecule))
    return Measure(molecule.GetNumBonds() - molecule.GetNumAtoms() + parts, [])


def _stereocentres(molecule: Any) -> Measure:
    tetrahedral = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)
    marked = [(atom.GetIdx(),) for atom in molecule.GetAtoms() if atom.GetChiralTag() in tetrahedral]
    return Measure(len(marked), marked)


_PROPERTIES = {
    "charge": _charge,
    "fragments": lambda molecule: Measure(len(Chem.GetMolFrags(molecule)), []),
    "heavy_atoms": lambda molecule: Measure(molecule.GetNumHeavyAtoms(), []),
    "molecular_weight": lambda molecule: Measure(round(rdMolDescriptors._CalcMolWt(molecule), 3), []),
    "rings": _rings,
    "stereocentres": _stereocentres,
}
