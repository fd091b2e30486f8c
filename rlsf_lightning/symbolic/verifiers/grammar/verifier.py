"""Texts of a formal language: of a Lark grammar, or JSON documents of a JSON Schema.

The grammar is an LALR grammar of Lark, in the fact or option ``grammar``; the schema is a JSON Schema (drafts 6 to
2020-12), in the fact or option ``schema``. Located are the first token or character that cannot stand where it stands,
with what could, the tokens before it without any one of which the whole is accepted, and every violation of the schema at
its place in the text. The first dead character is exact for a grammar whose terminals do not depend on what follows them,
and for JSON text; where a schema excludes what is still JSON, "dead" is certain, "viable" is not always told. Matching is
linear, and counted: no text and no pattern makes it hang.

Not covered: other start rules within one grammar, indentation-sensitive lexing, the keyword ``format``.
"""

from __future__ import annotations

import importlib.metadata
import json
import time
from functools import cache
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.document import DocumentTask
from rlsf_lightning.symbolic.verifiers.grammar.lalr import machine_of
from rlsf_lightning.symbolic.verifiers.grammar.regex import Fuel, OutOfFuelError
from rlsf_lightning.symbolic.verifiers.grammar.task import Task
from rlsf_lightning.symbolic.verifiers.grammar.text import TextTask
from rlsf_lightning.symbolic.verifiers.grammar.violations import schema_of

#: The kinds that mean "not a text of the language at all"; the others are violations of a schema.
INVALID_KINDS = frozenset(
    "too_long too_deep bad_character unexpected_token unexpected_end duplicate_key number_range".split()
)
KINDS = INVALID_KINDS | frozenset(
    "wrong_type wrong_value wrong_number wrong_string missing_property extra_property missing_item extra_item "
    "excluded".split()
)
_EXAMPLE = 'a Lark grammar ("start: NUMBER \\"+\\" NUMBER ...") in `grammar`, or a JSON Schema ({"type": "object"}) in `schema`'


class GrammarVerifier:
    """PASS when the grammar, or the schema, accepts the completion.

    The facts ``grammar`` (with ``start``) and ``schema`` of a prompt, one of them, take the place of the options of the
    same names. The score of a text that is not accepted is the share of it that could stand (halved for JSON); of JSON
    that violates the schema, a half and half of the share of its values that nothing is said against.

    Args:
        grammar: a Lark grammar, of which Lark makes an LALR parser with its contextual lexer.
        start: its start rule.
        schema: a JSON Schema, as an object or as JSON text.
        strip: white space around a text of the grammar does not belong to it; false: the grammar sees all of it.
        max_chars: longer completions are not accepted.
        max_depth: nor is JSON that is nested deeper.
        steps: how much work one completion may cost; where it is not enough, the verdict is ABSTAIN.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(
        self,
        *,
        grammar: str | None = None,
        start: str = "start",
        schema: Any = None,
        strip: bool = True,
        max_chars: int = 10_000,
        max_depth: int = 64,
        steps: int = 5_000_000,
    ) -> None:
        if grammar is not None and schema is not None:
            raise ValueError("grammar and schema: only one of them can be given")
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if not 0 < max_depth <= 64:
            raise ValueError(f"max_depth={max_depth}: must be from 1 to 64 (jsonschema is recursive)")
        if not steps > 0:
            raise ValueError(f"steps={steps}: must be above 0")
        self.grammar, self.start, self.schema, self.strip = grammar, start, schema, strip
        self.max_chars, self.max_depth, self.steps = max_chars, max_depth, steps

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Never raises on a completion."""
        task, tool = self._task(prompt)
        start = time.perf_counter()
        try:
            judged = task.judge(completion, Fuel(self.steps))
        except OutOfFuelError:
            fields: dict[str, Any] = {"verdict": Verdict.ABSTAIN, "witness": {"error": f"more than {self.steps} steps"}}
        except RecursionError:
            fields = {"verdict": Verdict.ABSTAIN, "witness": {"error": "the schema's references nest too deep"}}
        else:
            fields = {
                "verdict": Verdict.FAIL if judged.findings else Verdict.PASS,
                "findings": tuple(judged.findings),
                "score": judged.score,
                "dead_from": judged.dead,
                "witness": judged.witness,
            }
        return Certificate(tool=tool, version=_version(tool), seconds=time.perf_counter() - start, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some text that begins with it, passes: both are certain. None: cannot tell."""
        try:
            return self._task(prompt)[0].viable(prefix, Fuel(self.steps))
        except (OutOfFuelError, RecursionError):
            return None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether an Earley recogniser, or Python's JSON reader and own rules for the schema, confirm a certificate."""
        if certificate.verdict is Verdict.ABSTAIN:
            return not certificate.findings and certificate.score == 0 and certificate.dead_from is None
        try:
            return self._task(prompt)[0].confirms(certificate, completion, Fuel(2 * self.steps))
        except (OutOfFuelError, RecursionError):
            return True  # nothing was found against it

    def _task(self, prompt: Prompt) -> tuple[Task, str]:
        """What this prompt accepts, and the package that knows it."""
        grammar, schema = prompt.facts.get("grammar"), prompt.facts.get("schema")
        if grammar is None and schema is None:
            grammar, schema = self.grammar, self.schema
        if (grammar is None) == (schema is None):
            seen = "there is neither" if grammar is None else "there are both"
            raise UserError(f"prompt {prompt.id}: expects {_EXAMPLE}; {seen}")
        if grammar is not None:
            start = prompt.facts.get("start", self.start)
            if not isinstance(grammar, str) or not isinstance(start, str):
                raise UserError(f"prompt {prompt.id}: grammar={str(grammar)[:80]}, start={start}: expects two texts")
            return TextTask(machine_of(grammar, start), strip=self.strip, max_chars=self.max_chars), "lark"
        try:
            written = schema if isinstance(schema, str) else json.dumps(schema)
        except (TypeError, ValueError, RecursionError) as error:
            raise UserError(f"prompt {prompt.id}: the schema is no JSON: {error}") from None
        return DocumentTask(schema_of(written), max_depth=self.max_depth, max_chars=self.max_chars), "jsonschema"


@cache
def _version(package: str) -> str:
    return importlib.metadata.version(package)
