"""Rechecks a certificate on a reaction by other means than those that made it.

Independent of ``verify``, which is not run again: molecules are compared by matching one onto the other instead of by
canonical SMILES, atoms are counted in the text instead of in the molecule, similarities are added up by hand, and a first
dead character is tried out; bonds are made and broken one by one instead of by a reaction SMARTS as a whole. Not independent:
what is no molecule, for which RDKit is asked once more; where a pattern matches.
"""

from __future__ import annotations

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.chemistry.crosscheck import dead_from_stands
from rlsf_lightning.symbolic.chemistry.smiles_tokens import is_foreign
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.reaction.check.round_trip import no_reaction
from rlsf_lightning.symbolic.verifiers.reaction.parse import Sides, components_of, sides_of
from rlsf_lightning.symbolic.verifiers.reaction.recheck.balance import balance_stands
from rlsf_lightning.symbolic.verifiers.reaction.recheck.components import (
    Row,
    component_stands,
    is_superfluous,
    rows_of,
    score_of,
    texts_of,
)
from rlsf_lightning.symbolic.verifiers.reaction.recheck.round_trip import leading
from rlsf_lightning.symbolic.verifiers.reaction.task import Task
from rlsf_lightning.symbolic.verifiers.reaction.viable import is_viable


def stands(certificate: Certificate, task: Task, completion: str, max_chars: int) -> bool:
    """Whether nothing is found against the certificate."""
    if certificate.verdict is Verdict.ABSTAIN:
        failed = str(certificate.witness.get("error", "")).startswith(("RDKit", "not decided"))
        return failed and not certificate.findings and certificate.dead_from is None
    try:
        sides = sides_of(task)
    except ToolFailed:
        return False
    if any(finding.weight != 1.0 for finding in certificate.findings):
        return False
    text, offset = stripped(completion)
    dead = certificate.dead_from

    def viable(prefix: str) -> bool | None:
        return is_viable(prefix, task, max_chars)

    def is_dead_there() -> bool:
        if dead is None:
            return True
        # Where other reactants may be right, what is not known to be dead is not.
        is_certain = not sides.reactions or dead == len(completion) or viable(completion[: dead + 1]) is False
        return is_certain and dead_from_stands(dead, completion, viable)

    if not text or len(text) > max_chars or any(map(is_foreign, text)):
        return _refusal_stands(certificate, text, offset, max_chars) and is_dead_there()
    if "round_trip" in certificate.witness:
        return _round_trip_stands(certificate, text, sides)
    rows = rows_of(certificate.witness.get("components"), text, sides)
    if rows is None:
        return False
    is_right = len(rows) == len(sides.wanted) and all(row.equal for row in rows)
    if is_right or certificate.verdict is Verdict.PASS:
        is_plain = all(row.witness["findings"] == 0 for row in rows)
        right = is_right and is_plain and certificate.verdict is Verdict.PASS
        return right and balance_stands(certificate, [], texts_of(rows), sides, 0)
    is_scored = abs(certificate.score - score_of(rows, sides)) < 1e-9
    return _findings_stand(certificate, rows, sides, text, offset) and is_scored and is_dead_there()


def _refusal_stands(certificate: Certificate, text: str, offset: int, max_chars: int) -> bool:
    """What is refused without a look at its components."""
    if certificate.verdict is not Verdict.FAIL or certificate.score or certificate.witness:
        return False
    if len(certificate.findings) != 1:
        return False
    (finding,) = certificate.findings
    marked = [at - offset for span in finding.spans for at in range(span.start, span.end)]
    if not text:
        return finding.kind == "empty" and not finding.spans
    if len(text) > max_chars:
        return finding.kind == "too_long" and marked == list(range(max_chars, len(text)))
    return finding.kind == "bad_character" and marked == [
        i for i, character in enumerate(text) if is_foreign(character)
    ]


def _findings_stand(certificate: Certificate, rows: list[Row], sides: Sides, text: str, offset: int) -> bool:
    """Findings come in the order of the components, as many as the witness says, then those of the whole answer."""
    findings = list(certificate.findings)
    is_cut = len(findings) > MAX_FINDINGS
    if sides.reactions and texts_of(rows) is not None:
        if leading([row.component.text for row in rows], sides):
            return False
        if not is_cut and findings.pop() != no_reaction():
            return False
    rest = findings[:-1] if is_cut else findings
    for row in rows:
        mine, rest = rest[: row.witness["findings"]], rest[row.witness["findings"] :]
        if len(mine) < row.witness["findings"] and is_cut:
            break
        if len(mine) != row.witness["findings"] or not component_stands(row, mine, rows, sides, offset):
            return False
    if is_cut:
        return certificate.findings[-1].message.startswith("and ")
    if rest and rest[-1].kind == "dead_end":
        *rest, dead_end = rest
        if not _dead_end_stands(certificate, dead_end, text, offset):
            return False
    if rest and rest[-1].kind == "superfluous":
        *rest, superfluous = rest
        if not is_superfluous(superfluous, rows, sides, offset):
            return False
    missing = [f for f in rest if f.kind == "missing_component" and not f.spans]
    stand_for_one = sum(row.partner is not None or (row.molecule is None and row.component.text != "") for row in rows)
    if len(missing) != max(0, len(sides.wanted) - stand_for_one):
        return False
    wrong = [(row.component, {i for i, _ in row.witness.get("mapping", ())}) for row in rows if not row.equal]
    return balance_stands(certificate, [f for f in rest if f not in missing], texts_of(rows), sides, offset, wrong)


def _round_trip_stands(certificate: Certificate, text: str, sides: Sides) -> bool:
    """Whether the reaction that the witness names does lead from the components to the product."""
    name = certificate.witness["round_trip"]
    is_plain = certificate.verdict is Verdict.PASS and certificate.witness.keys() == {"round_trip"}
    return is_plain and name in leading([component.text for component in components_of(text)], sides)


def _dead_end_stands(certificate: Certificate, finding: Finding, text: str, offset: int) -> bool:
    """Whether the finding is at the first dead character and the one before it."""
    if certificate.dead_from is None:
        return False
    dead = certificate.dead_from - offset
    start, end = (max(0, dead - 1), dead + 1) if dead < len(text) else (dead, dead)
    return finding.spans == (Span(start + offset, end + offset),)
