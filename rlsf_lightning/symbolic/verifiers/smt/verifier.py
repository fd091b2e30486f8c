"""SMT-LIB 2 texts against a specification, with z3: constraints or definitions, what is wrong in them and where.

A task of constraints asks for assertions that hold together and from which every property follows (formalise a text, say;
with ``exact`` they may say no more than that). A task of definitions asks for values or functions for which every property
holds (a model, an invariant, a program of one expression). Located are mistakes of form, unknown names and wrong sorts;
the assertions that cannot hold together; the parts of definitions and assertions that, were they something else, would
make a violated property hold.

The language is closed: Core, Ints, Reals, fixed-size bit-vectors and arrays, declared sorts and functions, quantifiers.
A text is read and checked here, and z3 sees only what is written anew from checked terms, in a process of its own; where it
comes to no end within its limits the verdict is ABSTAIN. Not covered: data types, strings, floating point, recursive
definitions, sorts with parameters; places within quantifiers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.smt import judge as judging
from rlsf_lightning.symbolic.verifiers.smt.blame import findings_of
from rlsf_lightning.symbolic.verifiers.smt.script import named
from rlsf_lightning.symbolic.verifiers.smt.solver import Solver, version
from rlsf_lightning.symbolic.verifiers.smt.task import MAX_DEPTH, Task, task_of
from rlsf_lightning.symbolic.verifiers.smt.terms import Command
from rlsf_lightning.symbolic.verifiers.smt.understand import beginning, first_dead, understand

#: The kinds that mean "no text of the language".
INVALID_KINDS = frozenset(
    "empty too_long too_deep too_large bad_character bad_literal unclosed unexpected malformed forbidden redefined "
    "unknown_symbol unknown_sort wrong_sort wrong_arity".split()
)
KINDS = INVALID_KINDS | frozenset(("unsatisfiable", "contradiction", "excess", "violated", "missing_definition"))
T = TypeVar("T")
#: Answers about beginnings that are kept.
KEPT = 1_000


class SmtVerifier:
    """PASS when the specification holds.

    Facts of a prompt: ``specification``, the properties, as ``(assert ...)`` commands or a list of formulas;
    ``declarations``, commands that declare what both sides speak of (assertions among them are known to hold);
    ``define``, the declared names that the completion has to define (then nothing may be asserted); ``exact``, true where
    every assertion has to follow from the specification. The score is the share of properties (and, with ``exact``, of
    assertions) that hold; 0 for a text that is not well formed or contradicts itself.

    Args:
        locate: find the parts that could repair what is wrong; without it whole assertions and definitions are blamed.
        max_chars: longer completions are not read.
        max_depth: nor are terms that are nested deeper.
        effort: z3's own resource limit for one check, the same on every machine.
        seconds: computing time that z3 gets for one question.
        megabytes: its memory.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(
        self,
        *,
        locate: bool = True,
        max_chars: int = 10_000,
        max_depth: int = MAX_DEPTH,
        effort: int = 2_000_000,
        seconds: float = 3.0,
        megabytes: int = 512,
    ) -> None:
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if not 0 < max_depth <= MAX_DEPTH:
            raise ValueError(f"max_depth={max_depth}: must be from 1 to {MAX_DEPTH}")
        if not (effort > 0 and seconds > 0 and megabytes > 0):
            raise ValueError(f"effort={effort}, seconds={seconds}, megabytes={megabytes}: must all be above 0")
        self.locate, self.max_chars, self.max_depth = locate, max_chars, max_depth
        self.version = version()
        self.solver = Solver(seconds, megabytes, effort)
        self._lock = threading.RLock()
        self._deaths: dict[Any, judging.Deaths] = {}
        self._lives: dict[Any, bool] = {}
        self._possible: dict[Task, bool] = {}

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        start = time.perf_counter()
        try:
            with self._lock:
                task = task_of(prompt)
                fields = self._judge(task, completion)
                if fields["verdict"] is not Verdict.PASS:  # else it is possible
                    self._require_possible(task, prompt)
        except ToolFailed as failure:
            fields = {"verdict": Verdict.ABSTAIN, "witness": {"error": str(failure)}}
        return Certificate(tool="z3", version=self.version, seconds=time.perf_counter() - start, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False: no text that begins so passes, which is certain; so is True. None: cannot tell."""
        try:
            with self._lock:
                task = self.task(prompt)
                begun = beginning(task, prefix, self.max_depth)
                if self._too_long(prefix) or begun.findings or self._dead_command(task, begun.commands) is not None:
                    return False
                return True if not begun.is_cut and self._can_go_on(task, begun.commands, prefix) else None
        except ToolFailed:
            return None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the certificate stands, by own evaluation and fresh questions (see ``recheck``)."""
        from rlsf_lightning.symbolic.verifiers.smt.recheck import stands

        with self._lock:
            task, text = self.task(prompt), completion.strip()
            try:
                fresh = self._judge(task, completion)
            except ToolFailed:
                return certificate.verdict is Verdict.ABSTAIN
            understood = understand(task, text, self.max_depth) if not self._too_long(completion) else None
            commands = None if understood is None or understood.findings or not text else understood.commands
            return stands(certificate, fresh, task, commands, completion, self.solver)

    def task(self, prompt: Prompt) -> Task:
        """The task of a prompt. Raises UserError for wrong facts, and where nothing could pass."""
        task = task_of(prompt)
        self.solver.begin(task.before)
        self._require_possible(task, prompt)
        return task

    def _require_possible(self, task: Task, prompt: Prompt) -> None:
        if task not in self._possible:
            self._know_possible(task, judging.is_possible(task, self.solver))
        if not self._possible[task]:
            why = "the specification contradicts itself or the declarations: nothing can pass"
            raise UserError(f"prompt {prompt.id}: {why}")

    def _know_possible(self, task: Task, is_possible: bool) -> None:
        if len(self._possible) >= KEPT:
            self._possible.clear()
        self._possible[task] = is_possible

    def _judge(self, task: Task, completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        self.solver.begin(task.before)
        text, offset = stripped(completion)
        if not text:
            return _failed([Finding("empty", "there is nothing")], dead_from=len(completion))
        if self._too_long(completion):
            beyond = len(text) - len(text[self.max_chars :].lstrip())
            message = f"{len(text)} characters; at most {self.max_chars} are read"
            dead = self._dead_from(task, text[: self.max_chars])
            dead = offset + (beyond if dead is None else dead)
            place = Span(self.max_chars, len(text))
            return _failed([Finding("too_long", message, (place,))], dead_from=dead, offset=offset)
        understood = understand(task, text, self.max_depth)
        if understood.findings:
            dead = self._dead_from(task, text)
            return _failed(
                understood.findings, dead_from=len(completion) if dead is None else dead + offset, offset=offset
            )
        return self._judge_commands(task, understood.commands, text, completion, offset)

    def _judge_commands(
        self, task: Task, commands: list[Command], text: str, completion: str, offset: int
    ) -> dict[str, Any]:
        done = judging.judge(task, self.solver, commands)
        own = judging.assertions(commands)
        witness: dict[str, Any] = {"properties": len(task.properties), "held": done.held}
        if done.passes:
            symbols = (*task.symbols, *(c.symbol for c in commands if c.symbol is not None))
            model = named(done.own_model, symbols)
            return {
                "verdict": Verdict.PASS,
                "score": 1.0,
                "witness": {**witness, **({"model": model} if model else {})},
            }
        witness |= _shown(task, commands, done, offset)
        found = findings_of(task, self.solver, commands, done, self.locate)
        dead = self._dead_from(task, text)
        total = len(task.properties) + (len(own) if task.exact else 0)
        good = len(done.held) + (len(own) - len(done.excess) if task.exact else 0)
        score = min(MOST_WITHOUT_PASS, good / total) if (done.is_consistent and own) or task.to_define else 0.0
        return _failed(
            found,
            dead_from=len(completion) if dead is None else dead + offset,
            offset=offset,
            score=score,
            witness=witness,
        )

    def _dead_from(self, task: Task, text: str) -> int | None:
        """The first character after which nothing passes; None if there is none for certain."""
        formal = first_dead(task, text, self.max_depth)
        commands = beginning(task, text if formal is None else text[:formal], self.max_depth).commands
        deaths = judging.first_dead_command(task, self.solver, commands)
        if deaths.is_possible:
            self._know_possible(task, True)
        n = deaths.first
        if n is None:
            return formal
        closed = text[commands[n].decided - 1] in ")|"
        return commands[n].decided - closed

    def _dead_command(self, task: Task, commands: list[Command]) -> int | None:
        """The first command after which nothing passes. Beginnings of one text share their commands: answers are kept."""
        return self._kept(self._deaths, task, commands, judging.first_dead_command).first

    def _too_long(self, text: str) -> bool:
        return len(text.strip()) > self.max_chars

    def _can_go_on(self, task: Task, commands: list[Command], prefix: str) -> bool:
        """Whether the rest can be written for certain."""
        needed = sum(len(property.text) + 1 for property in task.properties)
        if len(prefix) + needed > self.max_chars:
            return False
        return self._kept(self._lives, task, commands, judging.can_go_on)

    def _kept(
        self, kept: dict[Any, T], task: Task, commands: list[Command], ask: Callable[[Task, Solver, list[Command]], T]
    ) -> T:
        key = (task, tuple((command.name, command.text) for command in commands))
        if key not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            self.solver.begin(task.before)
            kept[key] = ask(task, self.solver, commands)
        return kept[key]


def _failed(
    found: list[Finding],
    *,
    dead_from: int | None,
    offset: int = 0,
    score: float = 0.0,
    witness: dict[str, Any] | None = None,
) -> dict[str, Any]:
    moved = tuple(
        Finding(f.kind, f.message, tuple(Span(s.start + offset, s.end + offset) for s in f.spans)) for f in found
    )
    return {
        "verdict": Verdict.FAIL,
        "findings": moved,
        "score": score,
        "dead_from": dead_from,
        "witness": witness or {},
    }


def _shown(task: Task, commands: list[Command], done: judging.Judgement, offset: int) -> dict[str, Any]:
    """Core and models, as JSON."""
    own = judging.assertions(commands)
    symbols = (*task.symbols, *(c.symbol for c in commands if c.symbol is not None))
    room = 4_000 // (len(done.models) + len(done.excess_models) + 1)
    shown: dict[str, Any] = {}
    if done.core:
        shown["core"] = [[own[i].start + offset, own[i].end + offset] for i in done.core]
        shown["with_specification"] = done.with_specification
    if done.models:
        shown["models"] = [{"property": i, "model": named(m, symbols, room)} for i, m in done.models.items()]
    if done.excess_models:
        shown["excess"] = [{"assertion": i, "model": named(m, symbols, room)} for i, m in done.excess_models.items()]
    return shown
