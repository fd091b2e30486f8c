"""Balances the ledger of elements and charge of both sides: the findings where it does not hold.

Hydrogens are left out, as data on reactions leave out water, acids and bases. Neither are the other entries always
balanced: counter-ions are dropped and a reagent of which two are needed stands there once. So a side is held to the
ledger only where the reference keeps to it.
"""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.verifiers.reaction.locate import component_spans, lone_charges
from rlsf_lightning.symbolic.verifiers.reaction.parse import Component, Ledger, Sides

#: The atoms (as they are written) of wrong components that stand for none of the reference.
Free = list[tuple[Component, set[int]]]


class Ledgers(NamedTuple):
    """Of the given side, the reference and the answer."""

    given: Ledger
    wanted: Ledger
    answer: Ledger

    def as_json(self) -> dict[str, list[int]]:
        """element, and "charge" -> [given side, reference, answer]."""
        sides = [dict(side.atoms) for side in self]
        symbols = sorted({symbol for side in sides for symbol in side})
        rows = {symbol: [side.get(symbol, 0) for side in sides] for symbol in symbols}
        return {**rows, "charge": [side.charge for side in self]}


def imbalance(sides: Sides, ledgers: Ledgers, free: Free) -> list[Finding]:
    """What the ledgers say against the answer."""
    if sides.direction == "forward":
        findings = _unsupplied_atoms(_unsupplied(*ledgers), free)
    else:
        findings = _element_imbalance(_unprovided(*ledgers))
    return findings + _charge_imbalance(_unbalanced_charge(*ledgers), free)


def _unsupplied(given: Ledger, wanted: Ledger, answer: Ledger) -> dict[str, int]:
    """How many atoms of which element a product has beyond those of the reactants (and beyond the reference)."""
    supply, right = dict(given.atoms), dict(wanted.atoms)
    excess = {symbol: count - max(supply.get(symbol, 0), right.get(symbol, 0)) for symbol, count in answer.atoms}
    return {symbol: count for symbol, count in excess.items() if count > 0}


def _unprovided(given: Ledger, wanted: Ledger, answer: Ledger) -> dict[str, int]:
    """How many atoms of which element a product has that the answered reactants lack (where the reference has them)."""
    supply, right = dict(answer.atoms), dict(wanted.atoms)
    return {
        symbol: count - supply.get(symbol, 0)
        for symbol, count in given.atoms
        if right.get(symbol, 0) >= count > supply.get(symbol, 0)
    }


def _unbalanced_charge(given: Ledger, wanted: Ledger, answer: Ledger) -> int:
    """The charge of the answer beyond that of the given side; 0 where the reference does not keep it either."""
    return answer.charge - given.charge if wanted.charge == given.charge else 0


def _element_imbalance(lacking: dict[str, int]) -> list[Finding]:
    """The finding for reactants that cannot make the product. It has no place."""
    if not lacking:
        return []
    listed = ", ".join(f"{count} {symbol}" for symbol, count in sorted(lacking.items()))
    return [Finding("element_imbalance", f"no reactant supplies these atoms of the product: {listed}")]


def _unsupplied_atoms(excess: dict[str, int], free: Free) -> list[Finding]:
    """A finding for each element of which there are too many atoms, at those that could be the ones too many."""
    findings = []
    for symbol, count in sorted(excess.items()):
        spans: list[Span] = []
        for component, atoms in free:
            read = read_smiles(component.text)
            spans += component_spans(component, [i for i in atoms if read.atoms[i].symbol == symbol])
        message = f"the reactants have {count} {symbol} less than this answer"
        findings.append(Finding("unsupplied_atoms", message, tuple(spans)))
    return findings


def _charge_imbalance(excess: int, free: Free) -> list[Finding]:
    """The finding for a charge that the given side has not, at the charges of that sign that no neighbour makes up for."""
    if excess == 0:
        return []
    spans: list[Span] = []
    for component, _ in free:
        read = read_smiles(component.text)
        if sum(atom.charge for atom in read.atoms) * excess > 0:
            spans += component_spans(component, lone_charges(read, excess))
    return [Finding("charge_imbalance", f"a charge of {excess:+d} against the other side", tuple(spans))]
