"""Findings on a SMILES, checked against the text by plain loops, without RDKit.

A check refutes; what it cannot judge (most valences beside those of carbon, oxygen and fluorine, whether ring atoms can be
kekulised, that a substructure is the largest) it lets stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.smiles_tokens import BOND_ORDERS, is_foreign

#: Kinds that the parser finds itself, and those that concern whole atoms.
_OF_PARSER = frozenset(
    "bad_bracket_atom unclosed_ring unclosed_branch extra_close dangling_bond duplicate_bond ring_to_self".split()
)
_OF_ATOMS = frozenset("valence kekulisation forbidden_atom radical wrong_atoms wrong_charge wrong_hydrogens".split())
_FULL = {"C": 4, "O": 2, "F": 1}


def agrees_with_text(certificate: Certificate, text: str, offset: int, reference: str | None) -> bool:
    """Whether the certificate on ``text``, which begins at ``offset`` of the completion, is not refuted.

    What passes must have the reference's atoms, each with as many neighbours. Findings must lie in the text, where there
    is something of their kind. A mapping must pair equal elements one to one, keep the bonds between them, and leave out
    the atoms that are called wrong.
    """
    read = read_smiles(text)
    if certificate.verdict is Verdict.ABSTAIN:
        return True
    if "canonical" in certificate.witness and (read.problems or overfull(read)):
        return False
    if certificate.verdict is Verdict.PASS:
        return not read.problems and (reference is None or heavy_atoms(read) == heavy_atoms(read_smiles(reference)))
    mapping = certificate.witness.get("mapping")
    findings = without_departure(certificate, offset + len(text))
    if findings is None:
        return False
    certificate = replace(certificate, findings=tuple(findings))
    return (
        bool(findings)
        and all(shows(finding, text, read, offset) for finding in findings)
        and (mapping is None or (reference is not None and _maps(mapping, certificate, read, offset, reference)))
    )


def without_departure(certificate: Certificate, end: int) -> list[Finding] | None:
    """The findings where they show: without the places that the witness adds to the first; None if these are not there."""
    findings = list(certificate.findings)
    departed = {Span(*place) for place in certificate.witness.get("departure", ())}
    if findings and departed:
        if not departed <= set(findings[0].spans) or max(departed).end > end:
            return None
        findings[0] = replace(findings[0], spans=tuple(span for span in findings[0].spans if span not in departed))
    return findings


def heavy_atoms(read: SmilesMap) -> Counter[tuple[str, int]]:
    """Element and number of heavy neighbours of every atom but hydrogens."""
    degree = Counter(
        end
        for bond in read.bonds
        for end, other in ((bond.first, bond.second), (bond.second, bond.first))
        if read.atoms[other].symbol != "H"
    )
    return Counter((atom.symbol, degree[i]) for i, atom in enumerate(read.atoms) if atom.symbol != "H")


def dead_from_stands(dead_from: int, completion: str, viable: Callable[[str], bool | None]) -> bool:
    """Whether what stands before ``dead_from`` is not dead, and with the character there is not known to be viable."""
    if viable(completion[:dead_from]) is False:
        return False
    return dead_from == len(completion) or viable(completion[: dead_from + 1]) is not True


def shows(finding: Finding, text: str, read: SmilesMap, offset: int) -> bool:
    """Whether there is something of the finding's kind at its places."""
    places = [(span.start - offset, span.end - offset) for span in finding.spans]
    if any(not 0 <= start <= end <= len(text) for start, end in places):
        return False
    at_parser = {(problem.kind, problem.start, problem.end) for problem in read.problems}
    if finding.kind == "empty":
        return not text
    if finding.kind == "bad_character":
        return all(any(map(is_foreign, text[a:b])) or (finding.kind, a, b) in at_parser for a, b in places)
    if finding.kind in _OF_PARSER:
        return all((finding.kind, start, end) in at_parser for start, end in places)
    if finding.kind == "wildcard":
        return all(set(text[start:end]) & set("*~0") for start, end in places)
    if finding.kind in _OF_ATOMS:
        at_atoms = {atom.start for atom in read.atoms}, {atom.end for atom in read.atoms}
        whole = all(start in at_atoms[0] and end in at_atoms[1] for start, end in places)
        return whole and (finding.kind != "valence" or not any(_has_room(read, *place) for place in places))
    return True


def overfull(read: SmilesMap) -> set[int]:
    """Neutral atoms that plain counting says have too many bonds: carbon, oxygen and fluorine in upper case."""
    return {
        i for i in range(len(read.atoms)) if (used := _used(read, i)) is not None and used > _FULL[read.atoms[i].symbol]
    }


def _has_room(read: SmilesMap, start: int, end: int) -> bool:
    """Whether some atom in this range is known to have no bond too many."""
    inside = [i for i, atom in enumerate(read.atoms) if start <= atom.start and atom.end <= end]
    return any((used := _used(read, i)) is not None and used <= _FULL[read.atoms[i].symbol] for i in inside)


def _used(read: SmilesMap, i: int) -> int | None:
    """The bonds of an atom, hydrogens in its bracket included; None if plain counting does not apply to it."""
    atom = read.atoms[i]
    if atom.aromatic or atom.charge or atom.symbol not in _FULL:
        return None
    bonds = [bond for bond in read.bonds if i in (bond.first, bond.second)]
    symbols = [bond.symbol for bond in bonds]
    beside_bracket = any(read.atoms[bond.first + bond.second - i].bracket for bond in bonds)  # perhaps a metal
    if beside_bracket or any(symbol not in BOND_ORDERS for symbol in symbols):
        return None
    return atom.hydrogens + sum(BOND_ORDERS[symbol] for symbol in symbols)


def _maps(mapping: list[list[int]], certificate: Certificate, read: SmilesMap, offset: int, smiles: str) -> bool:
    ours, theirs = read.atoms, read_smiles(smiles)
    image = {i: j for i, j in mapping}
    one_to_one = len(image) == len(mapping) == len(set(image.values()))
    if not one_to_one or any(not (0 <= i < len(ours) and 0 <= j < len(theirs.atoms)) for i, j in image.items()):
        return False
    if any(ours[i].symbol != theirs.atoms[j].symbol for i, j in image.items()):
        return False
    if not any(finding.kind == "wrong_bonds" for finding in certificate.findings):
        bonds = {frozenset((bond.first, bond.second)) for bond in theirs.bonds}
        between = [bond for bond in read.bonds if bond.first in image and bond.second in image]
        if any(frozenset((image[bond.first], image[bond.second])) not in bonds for bond in between):
            return False
    kept = [Span(ours[i].start + offset, ours[i].end + offset) for i in image]
    wrong = [span for finding in certificate.findings if finding.kind == "wrong_atoms" for span in finding.spans]
    left_out = [
        Span(a.start + offset, a.end + offset) for i, a in enumerate(ours) if i not in image and a.symbol != "H"
    ]
    named = all(any(span.overlaps(atom) for span in wrong) for atom in left_out)
    return named and not any(span.overlaps(atom) for span in wrong for atom in kept)
