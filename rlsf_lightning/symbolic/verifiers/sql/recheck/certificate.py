"""The verdict of a certificate, confirmed or refuted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Verdict
from rlsf_lightning.symbolic.verifiers.sql.check import RESULT_KINDS, RUN_KINDS
from rlsf_lightning.symbolic.verifiers.sql.parse import is_legible
from rlsf_lightning.symbolic.verifiers.sql.recheck.changes import changes_of, range_of, without_repair
from rlsf_lightning.symbolic.verifiers.sql.recheck.refusal import is_refused
from rlsf_lightning.symbolic.verifiers.sql.recheck.rows import in_common, more_of
from rlsf_lightning.symbolic.verifiers.sql.recheck.subject import Retrial, Subject
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Result
from rlsf_lightning.symbolic.verifiers.sql.sqlite.messages import ascii_of
from rlsf_lightning.symbolic.verifiers.sql.task import Task
from rlsf_lightning.symbolic.verifiers.sql.viable import is_dead, is_unfinished


def stands(certificate: Certificate, task: Task, completion: str, max_chars: int) -> bool:
    """Whether nothing speaks against the certificate."""
    subject = Subject.of(completion, task, max_chars)
    first, last = subject.offset, subject.offset + len(subject.text)
    spans = [span for finding in certificate.findings for span in finding.spans]
    if any(not first <= span.start <= span.end <= last for span in spans):
        return False
    if (certificate.verdict is Verdict.FAIL) != bool(certificate.findings):
        return False
    if certificate.verdict is Verdict.ABSTAIN:
        return certificate.score == 0 and certificate.dead_from is None and set(certificate.witness) == {"error"}
    dead = certificate.dead_from
    if any(retrial.wanted.error is not None for retrial in subject.retrials):
        return False
    if dead is not None and not _dies_at(subject, completion, dead):
        return False
    if certificate.verdict is Verdict.PASS:
        rows = len(subject.retrials[0].wanted.rows)
        expected = {"rows": [rows, rows], "databases": len(subject.retrials)}
        return certificate.witness == expected and subject.passes(subject.text)
    kind = certificate.findings[0].kind
    if kind in RESULT_KINDS | RUN_KINDS:
        return len(certificate.findings) == 1 and _goes_wrong(subject, certificate)
    own = without_repair(subject, certificate) if certificate.score == 0 else None
    return own is not None and is_refused(subject, own)


def _dies_at(subject: Subject, completion: str, dead: int) -> bool:
    """What stands before the character is alive, what goes on with it is not."""
    if not 0 <= dead <= len(completion):
        return False
    before = completion[:dead].lstrip()
    if _is_dead(subject, before):
        return False
    if dead < len(completion):
        return _is_dead(subject, completion[: dead + 1].lstrip())
    text = subject.text
    return is_unfinished(subject.database, text) or is_dead(subject.database, text + " ")


def _is_dead(subject: Subject, text: str) -> bool:
    return not is_legible(text.strip(), subject.max_chars) or is_dead(subject.database, text)


def _goes_wrong(subject: Subject, certificate: Certificate) -> bool:
    """SQLite takes the query, and the first database on which it goes wrong is the one that the witness names."""
    if subject.database.error_of(subject.text):
        return False
    witness, number = dict(certificate.witness), subject.first_wrong()
    said = witness.pop("databases", None), witness.pop("database", None)
    if number is None or [*map(type, said)] != [int, int] or said != (len(subject.retrials), number):
        return False
    retrial = subject.retrials[number]
    result = subject.result_on(retrial)
    if result.error is not None:
        return certificate.score == 0 and _fails_to_run(result.error, certificate.findings[0], witness)
    return _stands_on_rows(subject, retrial, result, replace(certificate, witness=witness))


def _fails_to_run(error: str, finding: Finding, witness: Mapping[str, Any]) -> bool:
    """The query gives no rows, for the reason that is given."""
    if error in ("refused", "too slow") or finding.spans:
        return False
    kind = {"too costly": "too_costly", "too large": "too_large"}.get(error, "runtime_error")
    return finding.kind == kind and witness == {"error": ascii_of(error)}


def _stands_on_rows(subject: Subject, retrial: Retrial, result: Result, certificate: Certificate) -> bool:
    """The rows of a query are wrong as the certificate says."""
    (finding,), witness, wanted = certificate.findings, dict(certificate.witness), retrial.wanted
    columns = result.columns == wanted.columns
    same = retrial.is_alike(result)
    kind = "wrong_order" if same else "wrong_rows" if columns else "wrong_columns"
    most = max(len(result.rows), len(wanted.rows), 1)
    share = in_common(result, wanted) / most if columns else 0.0
    if finding.kind != kind or not math.isclose(certificate.score, min(MOST_WITHOUT_PASS, share)):
        return False
    repair = witness.pop("repair", None)
    shown = {"missing": more_of(wanted, result), "extra": more_of(result, wanted)}
    if witness != {"rows": [len(result.rows), len(wanted.rows)], **shown}:
        return False
    if "repair" not in certificate.witness:
        return not finding.spans
    changes = changes_of(subject, repair)
    return changes is not None and subject.spans(finding) == [range_of(subject.text, change) for change in changes]
