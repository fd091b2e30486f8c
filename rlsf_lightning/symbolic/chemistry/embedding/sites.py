"""The atoms of a reference: which tokens, whole or unfinished, may stand for each, its bonds aside.

Where clean-up may have given an atom its charge, charges are taken loosely: more may be allowed than is right, never less.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit import Chem

from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS
from rlsf_lightning.symbolic.chemistry.smiles_tokens import CHIRALITY_CLASSES, Atom, read_atom

#: All that a bracket may say of chirality.
CHIRALITIES = ["@", "@@", *(f"@{c}{n}" for c, count in CHIRALITY_CLASSES.items() for n in ["", *range(1, count + 1)])]
_UNBRACKETED = frozenset(["B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "*"])


class Site:
    """One atom of the reference and what may be written for it."""

    def __init__(self, atom: Any, order_sum: float, loose: bool, rewritten: bool, pi: bool, pi_near: bool) -> None:
        self.symbol: str = atom.GetSymbol()
        self.charge: int = atom.GetFormalCharge()
        self.isotope: int = atom.GetIsotope()
        self.hydrogens: int = atom.GetTotalNumHs()
        self.map_number: int = atom.GetAtomMapNum()
        #: Clean-up may have given it its charge.
        self.rewritten = rewritten
        loose = loose or rewritten
        in_ring = atom.IsInRing()
        aromatic = atom.GetIsAromatic()
        self.lower_case = in_ring and (loose or aromatic or pi or pi_near)
        plain = not (self.isotope or self.map_number) and self.symbol in _UNBRACKETED
        valences = [v for v in _valences(self.symbol) if v >= order_sum]
        filled = int(valences[0] - order_sum) if valences and valences[0] > 0 else 0
        as_implied = not self.charge and not atom.GetNumRadicalElectrons() and filled == self.hydrogens
        self.upper_plain = plain and (rewritten or as_implied or (loose and not self.charge))
        # RDKit gives a lower-case atom without bracket a double bond wherever it has room for one.
        own = loose or self.symbol in ("O", "S") or self.hydrogens == 0 or (self.symbol == "C" and (aromatic or pi))
        self.lower_plain = self.upper_plain and self.lower_case and own

    def key(self) -> tuple[Any, ...]:
        """Equal for atoms that the same tokens may stand for."""
        return tuple(vars(self).values())

    def accepts(self, atom: Atom) -> bool:
        """Whether ``atom``, as it is written, may stand for this one, its bonds aside."""
        if atom.symbol != self.symbol:
            return False
        if not atom.bracket:
            return self.lower_plain if atom.aromatic else self.upper_plain
        return (
            atom.hydrogens == self.hydrogens
            and (atom.charge == self.charge or (self.rewritten and atom.charge == 0))
            and atom.isotope == self.isotope
            and atom.map_number == self.map_number
            and (self.lower_case or not atom.aromatic)
        )

    def may_become(self, fragment: str, aromatic: bool, marks: list[str]) -> bool:
        """Whether some continuation of ``fragment``, which begins with ``[``, is a bracket atom for this one.

        ``marks``: what may stand in it of stereochemistry.
        """
        if aromatic and not self.lower_case:
            return False
        symbol = self.symbol.lower() if aromatic else self.symbol
        if aromatic and read_atom(f"[{symbol}]") is None:
            return False
        charges = {self.charge, 0} if self.rewritten else {self.charge}
        parts = (
            [str(self.isotope)] if self.isotope else ["", "0"],
            [symbol] if aromatic else [symbol, f"#{ELEMENTS.index(self.symbol)}", f"'{symbol}'"],
            marks,
            {0: ["", "H0"], 1: ["H", "H1"]}.get(self.hydrogens, [f"H{self.hydrogens}"]),
            [spelling for charge in charges for spelling in _charge_spellings(charge)],
            [f":{self.map_number}"] if self.map_number else ["", ":0"],
            ["]"],
        )
        return _may_begin(fragment[1:], parts)


@cache
def _valences(symbol: str) -> tuple[int, ...]:
    return tuple(Chem.GetPeriodicTable().GetValenceList(symbol))


def _charge_spellings(charge: int) -> list[str]:
    if charge == 0:
        return ["", "+0", "-0"]
    sign = "+" if charge > 0 else "-"
    return [f"{sign}{abs(charge)}"] + ([sign * abs(charge)] if abs(charge) <= 2 else [])


def _may_begin(text: str, parts: tuple[list[str], ...]) -> bool:
    """Whether ``text`` is the beginning of some spelling that takes one of each part in chirality."""
    if not text:
        return True
    if not parts:
        return False
    return any(
        spelling.startswith(text) or (text.startswith(spelling) and _may_begin(text[len(spelling) :], parts[1:]))
        for spelling in parts[0]
    )
