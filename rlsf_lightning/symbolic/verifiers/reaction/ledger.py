"""The books of a reaction: heavy atoms by element, and charge, on each side.

Hydrogens are left out, as data on reactions leave out water, acids and bases. Neither are the other books always
balanced: counter-ions are dropped and a reagent of which two are needed stands there once. So a side is held to the books
only where the reference keeps to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from rlsf_lightning.records import Finding


class Ledger(NamedTuple):
    """``atoms``: (symbol, how many) of every element but hydrogen, in alphabetical order."""

    atoms: tuple[tuple[str, int], ...] = ()
    charge: int = 0


def ledger_of(molecule: Any) -> Ledger:
    """Of a molecule of RDKit."""
    atoms = Counter(atom.GetSymbol() for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1)
    return Ledger(tuple(sorted(atoms.items())), sum(atom.GetFormalCharge() for atom in molecule.GetAtoms()))


def total(ledgers: Iterable[Ledger]) -> Ledger:
    """Of several molecules together."""
    atoms: Counter[str] = Counter()
    charge = 0
    for ledger in ledgers:
        atoms.update(dict(ledger.atoms))
        charge += ledger.charge
    return Ledger(tuple(sorted(atoms.items())), charge)


def unsupplied(given: Ledger, wanted: Ledger, answer: Ledger) -> dict[str, int]:
    """How many atoms of which element a product has beyond those of the reactants (and beyond the reference)."""
    supply, right = dict(given.atoms), dict(wanted.atoms)
    excess = {symbol: count - max(supply.get(symbol, 0), right.get(symbol, 0)) for symbol, count in answer.atoms}
    return {symbol: count for symbol, count in excess.items() if count > 0}


def unprovided(given: Ledger, wanted: Ledger, answer: Ledger) -> dict[str, int]:
    """How many atoms of which element a product has that the answered reactants lack (where the reference has them)."""
    supply, right = dict(answer.atoms), dict(wanted.atoms)
    return {
        symbol: count - supply.get(symbol, 0)
        for symbol, count in given.atoms
        if right.get(symbol, 0) >= count > supply.get(symbol, 0)
    }


def unbalanced_charge(given: Ledger, wanted: Ledger, answer: Ledger) -> int:
    """The charge of the answer beyond that of the given side; 0 where the reference does not keep it either."""
    return answer.charge - given.charge if wanted.charge == given.charge else 0


def as_json(given: Ledger, wanted: Ledger, answer: Ledger) -> dict[str, list[int]]:
    """element, and "charge" -> [given side, reference, answer]."""
    sides = [dict(side.atoms) for side in (given, wanted, answer)]
    symbols = sorted({symbol for side in sides for symbol in side})
    rows = {symbol: [side.get(symbol, 0) for side in sides] for symbol in symbols}
    return {**rows, "charge": [given.charge, wanted.charge, answer.charge]}


def element_imbalance(lacking: dict[str, int]) -> list[Finding]:
    """The finding for reactants that cannot make the product. It has no place."""
    if not lacking:
        return []
    listed = ", ".join(f"{count} {symbol}" for symbol, count in sorted(lacking.items()))
    return [Finding("element_imbalance", f"no reactant supplies these atoms of the product: {listed}")]
