"""A second opinion on the ledger of a reaction: atoms and charges counted in the text."""

from __future__ import annotations

from collections import Counter

from rlsf_lightning.records import Certificate, Finding
from rlsf_lightning.symbolic.chemistry.smiles_parser import Atom, read_smiles
from rlsf_lightning.symbolic.verifiers.reaction.parse import Component, Sides


def balance_stands(
    certificate: Certificate,
    findings: list[Finding],
    texts: list[str] | None,
    sides: Sides,
    offset: int,
    wrong: list[tuple[Component, set[int]]] | None = None,
) -> bool:
    """Whether the ledger is right and calls for these findings, at atoms of ``wrong`` components, each with its mapped atoms.

    Args:
        texts: the components; None if not all are molecules, where there is no ledger.
        offset: where the answer begins in the completion.
    """
    if texts is None:
        return "ledger" not in certificate.witness and not findings
    atoms = [atom for text in texts for atom in read_smiles(text).atoms]
    answer = Counter(atom.symbol for atom in atoms if atom.symbol not in ("H", "*"))
    given, wanted = Counter(dict(sides.given.atoms)), Counter(dict(sides.wanted_ledger.atoms))
    symbols = given.keys() | wanted.keys() | answer.keys()
    charges = [sides.given.charge, sides.wanted_ledger.charge, sum(atom.charge for atom in atoms)]
    ledger = {symbol: [given[symbol], wanted[symbol], answer[symbol]] for symbol in symbols} | {"charge": charges}
    if certificate.witness.get("ledger") != ledger:
        return False
    expected = []
    if sides.direction == "forward":
        expected += ["unsupplied_atoms" for s in symbols if answer[s] > given[s] and answer[s] > wanted[s]]
    elif any(answer[s] < given[s] <= wanted[s] for s in symbols):
        expected.append("element_imbalance")
    if charges[0] == charges[1] != charges[2]:
        expected.append("charge_imbalance")
    places = _atoms_of(wrong or [], offset)
    free = _atoms_of(wrong or [], offset, only_free=True)
    return [finding.kind for finding in findings] == expected and all(
        _marks_fit(f, free if f.kind == "unsupplied_atoms" else places) for f in findings
    )


def _atoms_of(components: list[tuple[Component, set[int]]], offset: int, only_free: bool = False) -> dict[int, Atom]:
    """Where each atom begins in the completion; ``only_free``: of those that no atom of the reference answers to."""
    return {
        component.start + offset + atom.start: atom
        for component, mapped in components
        for i, atom in enumerate(read_smiles(component.text).atoms)
        if not (only_free and i in mapped)
    }


def _marks_fit(finding: Finding, places: dict[int, Atom]) -> bool:
    """Whether the spans are whole atoms, of one element or with charges of one sign, as the finding says."""
    marked = []
    for span in finding.spans:
        at = span.start
        while at < span.end:
            if at not in places:
                return False
            marked.append(places[at])
            at += marked[-1].end - marked[-1].start
        if at != span.end:
            return False
    if finding.kind == "unsupplied_atoms":
        return bool(marked) and all(f" {atom.symbol} less " in finding.message for atom in marked)
    if finding.kind == "charge_imbalance":
        sign = -1 if " -" in finding.message else 1
        return all(atom.charge * sign > 0 for atom in marked)
    return not marked
