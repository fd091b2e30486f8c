"""Texts of a formal language: of a Lark grammar, or JSON documents of a JSON Schema.

The grammar is an LALR grammar of Lark, in the fact or option ``grammar``; the schema is a JSON Schema (drafts 6 to
2020-12), in the fact or option ``schema``. Located are the first token or character that cannot stand where it stands,
with what could, the tokens before it without any one of which the whole is accepted, and every violation of the schema at
its place in the text. The first dead character is exact for a grammar whose terminals do not depend on what follows them,
and for JSON text; where a schema excludes what is still JSON, "dead" is certain, "viable" is not always told. Matching is
linear, and counted: no text and no pattern makes it hang.

With ``compare=reference`` a document must have the values of the prompt's reference, too. Patterns are ECMA-262's.

Not covered: other start rules within one grammar, indentation-sensitive lexing, the keyword ``format``.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from functools import cache
from typing import Any

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Edit, Prompt
from rlsf_lightning.symbolic.certificates import failed, first_dead, issued, passed, too_long
from rlsf_lightning.symbolic.verifier import package
from rlsf_lightning.symbolic.verifiers.grammar.check import check
from rlsf_lightning.symbolic.verifiers.grammar.check.score import score_of
from rlsf_lightning.symbolic.verifiers.grammar.locate import locate
from rlsf_lightning.symbolic.verifiers.grammar.parse import parse
from rlsf_lightning.symbolic.verifiers.grammar.recheck import stands
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.repair import repairs
from rlsf_lightning.symbolic.verifiers.grammar.task import Options, Task, task_of
from rlsf_lightning.symbolic.verifiers.grammar.viable import is_dead, viable

#: The kinds that mean "not a text of the language at all"; the others are violations of a schema.
INVALID_KINDS = frozenset(
    "too_long too_deep bad_character unexpected_token unexpected_end duplicate_key number_range".split()
)
KINDS = INVALID_KINDS | frozenset(
    "wrong_type wrong_value wrong_number wrong_string missing_property extra_property missing_item extra_item "
    "excluded".split()
)


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
        compare: "schema" or "reference": whether JSON must also have the values of the prompt's reference, field by field.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    tools = (package("lark", "grammar"), package("jsonschema", "grammar"))

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
        compare: str = "schema",
    ) -> None:
        if grammar is not None and schema is not None:
            raise ValueError("grammar and schema: only one of them can be given")
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if not 0 < max_depth <= 64:
            raise ValueError(f"max_depth={max_depth}: must be from 1 to 64 (jsonschema is recursive)")
        if not steps > 0:
            raise ValueError(f"steps={steps}: must be above 0")
        if compare not in ("schema", "reference"):
            raise ValueError(f"compare={compare}: must be schema or reference")
        self.options = Options(grammar, start, schema, strip, max_chars, max_depth, compare == "reference")
        self.max_chars, self.steps = max_chars, steps

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt, self.options)
        return issued(task.tool, _version(task.tool), lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some text that begins with it, passes: both are certain. None: cannot tell."""
        try:
            return viable(prefix, task_of(prompt, self.options), Fuel(self.steps))
        except ToolFailed:
            return None

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """Edits that may mend the first mistake (see ``repair``)."""
        try:
            yield from repairs(certificate, task_of(prompt, self.options), completion, Fuel(self.steps))
        except ToolFailed:
            return

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether an Earley recogniser, or Python's JSON reader and own rules for the schema, confirm a certificate."""
        return stands(certificate, task_of(prompt, self.options), completion, Fuel(2 * self.steps))

    def _judge(self, task: Task, completion: str) -> Certificate:
        fuel = Fuel(self.steps)
        text, offset = task.object_in(completion)
        if len(text) > self.max_chars:
            dead_from = self._dead_from(task, completion, fuel)
            return failed([too_long(text, self.max_chars)], dead_from=dead_from, offset=offset)
        reading = parse(text, offset, task, fuel)
        checked = check(reading, task, fuel)
        if not checked.findings:
            return passed(checked.witness)
        dead_from = self._dead_from(task, completion, fuel)
        located = locate(checked, reading, completion[:dead_from], task, fuel)
        score = score_of(reading, located.findings, dead_from, located.witness.get("continuation"))
        return failed(located.findings, score=score, dead_from=dead_from, witness=located.witness)

    def _dead_from(self, task: Task, completion: str, fuel: Fuel) -> int:
        """The first dead character; the completion's length if only its end is wrong."""
        return first_dead(completion, lambda prefix: not is_dead(prefix, task, fuel))


@cache
def _version(package: str) -> str:
    return importlib.metadata.version(package)
