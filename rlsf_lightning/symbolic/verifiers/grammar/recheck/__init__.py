"""Second opinion on a certificate, of a text of a grammar or of a JSON document.

Independent of ``verify``: whether the tokens are a sentence of the grammar's rules, by Earley's recogniser, which knows no LALR
table; whether a text is JSON, by the reader of the standard library; whether a document breaks the schema where it is said
to, by rules written without ``jsonschema``. Not independent: the tokens of a text, the tree of a document with its places,
and whether a prefix is dead. What would take too long is let stand; messages about documents are not looked at.
"""

from __future__ import annotations

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.recheck.document import document_stands
from rlsf_lightning.symbolic.verifiers.grammar.recheck.text import text_stands
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import Task, TextTask


def stands(certificate: Certificate, task: Task, completion: str, fuel: Fuel) -> bool:
    """Whether nothing is found against the certificate."""
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings and certificate.score == 0 and certificate.dead_from is None
    try:
        if isinstance(task, TextTask):
            return text_stands(certificate, task, completion, fuel)
        return document_stands(certificate, task, completion, fuel)
    except ToolFailed:
        return True  # nothing was found against it
