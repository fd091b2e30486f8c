"""A second opinion on a certificate about a SMILES: plain loops over the text, without asking RDKit for its verdict.

It refutes; what it cannot judge (whether a valence is too high, that a substructure is the largest) it lets stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.smiles.findings import is_bad
from rlsf_lightning.symbolic.smiles.map import SmilesMap, read_smiles

#: Kinds that the reader finds itself, and those that concern whole atoms.
_OF_READER = frozenset(
    "bad_bracket_atom unclosed_ring unclosed_branch extra_close dangling_bond duplicate_bond ring_to_self".split()
)
_OF_ATOMS = frozenset("valence kekulisation wildcard radical wrong_atoms wrong_charge wrong_hydrogens".split())


def stands(certificate: Certificate, text: str, offset: int, reference: str | None) -> bool:
    """Whether the certificate on ``text``, which begins at ``offset`` of the completion, is not refuted.

    What passes must have the reference's atoms, each with as many neighbours. Findings must lie in the text, where there
    is something of their kind. A mapping must pair equal elements one to one, keep the bonds between them, and leave out
    the atoms that are called wrong.
    """
    read = read_smiles(text)
    if certificate.verdict is Verdict.ABSTAIN:
        return True
    if certificate.verdict is Verdict.PASS:
        return not read.problems and (reference is None or _heavy_atoms(read) == _heavy_atoms(read_smiles(reference)))
    mapping = certificate.witness.get("mapping")
    return (
        bool(certificate.findings)
        and all(_shows(finding, text, read, offset) for finding in certificate.findings)
        and (mapping is None or (reference is not None and _maps(mapping, certificate, read, offset, reference)))
    )


def _heavy_atoms(read: SmilesMap) -> Counter[tuple[str, int]]:
    """Element and number of heavy neighbours of every atom but hydrogens."""
    degree = Counter(
        end
        for bond in read.bonds
        for end, other in ((bond.first, bond.second), (bond.second, bond.first))
        if read.atoms[other].symbol != "H"
    )
    return Counter((atom.symbol, degree[i]) for i, atom in enumerate(read.atoms) if atom.symbol != "H")


def dies(dead_from: int, completion: str, viable: Callable[[str], bool | None]) -> bool:
    """Whether what stands before ``dead_from`` is not dead, and with the character there is not known to be viable."""
    if viable(completion[:dead_from]) is False:
        return False
    return dead_from == len(completion) or viable(completion[: dead_from + 1]) is not True


def _shows(finding: Finding, text: str, read: SmilesMap, offset: int) -> bool:
    """Whether there is something of the finding's kind at its places."""
    places = [(span.start - offset, span.end - offset) for span in finding.spans]
    if any(not 0 <= start <= end <= len(text) for start, end in places):
        return False
    at_reader = {(problem.kind, problem.start, problem.end) for problem in read.problems}
    if finding.kind == "empty":
        return not text
    if finding.kind == "bad_character":
        return all(any(map(is_bad, text[a:b])) or (finding.kind, a, b) in at_reader for a, b in places)
    if finding.kind in _OF_READER:
        return all((finding.kind, start, end) in at_reader for start, end in places)
    if finding.kind in _OF_ATOMS:
        return {start for start, _ in places} <= {atom.start for atom in read.atoms}
    return True


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
    return not any(span.overlaps(atom) for span in wrong for atom in kept)
