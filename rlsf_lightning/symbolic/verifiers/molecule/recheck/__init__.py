"""Rechecks a certificate on a molecule: a second count, on a graph that is read from the text without RDKit.

Independent of ``verify``: formula, elements, charge, weight, rings, fragments and every group and ring of the tables are
counted again, with atoms and bonds by the parser, hydrogens by plain valence rules, groups by another matcher. Not
independent: aromaticity, for which RDKit is asked, valences, and a SMARTS of the user beyond the matcher; for these the
verifier has to say the same again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.chemistry.crosscheck import dead_from_stands, overfull, shows, without_departure
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.validity import Limits
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.molecule.recheck.counts import counts_the_same, read_graph
from rlsf_lightning.symbolic.verifiers.molecule.task import Task
from rlsf_lightning.symbolic.verifiers.molecule.viable import is_viable


def stands(
    certificate: Certificate, task: Task, completion: str, limits: Limits, confirms: Callable[[str], bool]
) -> bool:
    """Whether nothing is found against a certificate that a second run repeats.

    ``confirms``: whether a changed completion passes, after a recheck of its own.
    """
    text, offset = stripped(completion)
    if len(text) > limits.max_chars:
        return [finding.kind for finding in certificate.findings] == ["too_long"]
    read = read_smiles(text)
    bare = _without_mended(certificate, completion, confirms)
    findings = None if bare is None else without_departure(bare, offset + len(text))
    if findings is None or not all(_is_there(finding, text, read, offset) for finding in findings):
        return False
    dead = certificate.dead_from
    if dead is not None and not dead_from_stands(dead, completion, lambda prefix: is_viable(prefix, task, limits)):
        return False
    rows = certificate.witness.get("facts")
    if rows is None:
        return certificate.verdict is Verdict.FAIL and certificate.score == 0
    if read.problems or overfull(read) or len(rows) != len(task.facts):
        return False
    graph = read_graph(text, read)
    pairs = zip(task.facts, rows, strict=True)
    agree = graph is None or all(counts_the_same(fact, row, graph, read) for fact, row in pairs)
    right = all(row["holds"] for row in rows)
    return agree and (right or certificate.verdict is Verdict.FAIL)


def _without_mended(certificate: Certificate, completion: str, confirms: Callable[[str], bool]) -> Certificate | None:
    """The certificate without the places of single changes; None where one of these does not make all facts true."""
    changes = certificate.witness.get("mended", ())
    if not changes:
        return certificate
    places = tuple(dict.fromkeys(Span(start, end) for start, end, _ in changes))
    at = next((i for i, finding in enumerate(certificate.findings) if finding.spans == places), None)
    if at is None or not all(confirms(completion[:start] + new + completion[end:]) for start, end, new in changes):
        return None
    rest = (replace(finding, spans=()) if i == at else finding for i, finding in enumerate(certificate.findings))
    return replace(certificate, findings=tuple(rest))


def _is_there(finding: Finding, text: str, read: SmilesMap, offset: int) -> bool:
    """As for a SMILES; where bonds are named beside atoms, an atom with too many bonds must be among them."""
    if finding.kind not in ("valence", "kekulisation"):
        return shows(finding, text, read, offset)
    inside = {i for i, a in enumerate(read.atoms) if any(s.start <= a.start + offset < s.end for s in finding.spans)}
    plain = all(atom.symbol == "C" and not atom.bracket and not atom.aromatic for atom in read.atoms)
    return bool(inside) and (finding.kind != "valence" or not plain or bool(inside & overfull(read)))
