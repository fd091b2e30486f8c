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

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.certificates import failed, issued, passed
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifier import package
from rlsf_lightning.symbolic.verifiers.smt.check import check, score_of, witness_of
from rlsf_lightning.symbolic.verifiers.smt.locate import Locator
from rlsf_lightning.symbolic.verifiers.smt.parse import parse
from rlsf_lightning.symbolic.verifiers.smt.recheck import stands
from rlsf_lightning.symbolic.verifiers.smt.task import MAX_DEPTH, Task, task_of
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import Solver, version
from rlsf_lightning.symbolic.verifiers.smt.viable import Viability

TOOL = "z3"
#: The kinds that mean "no text of the language".
INVALID_KINDS = frozenset(
    "empty too_long too_deep too_large bad_character bad_literal unclosed unexpected malformed forbidden redefined "
    "unknown_symbol unknown_sort wrong_sort wrong_arity".split()
)
KINDS = INVALID_KINDS | frozenset(("unsatisfiable", "contradiction", "excess", "violated", "missing_definition"))


class SmtVerifier:
    """PASS when the specification holds.

    Facts of a prompt: ``specification``, the properties, as ``(assert ...)`` commands or a list of formulas;
    ``declarations``, commands that declare what both sides speak of (assertions among them are known to hold);
    ``define``, the declared names that the completion has to define (then nothing may be asserted); ``exact``, true where
    every assertion has to follow from the specification. The score is the share of properties (and, with ``exact``, of
    assertions) that hold; 0 for a text that is not well formed or contradicts itself.

    Args:
        explain: find the parts that could repair what is wrong; without it whole assertions and definitions are blamed.
        max_chars: longer completions are not read.
        max_depth: nor are terms that are nested deeper.
        effort: z3's own resource limit for one check, the same on every machine.
        seconds: computing time that z3 gets for one question.
        megabytes: its memory.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    tools = (package("z3", "smt"),)

    def __init__(
        self,
        *,
        explain: bool = True,
        max_chars: int = 10_000,
        max_depth: int = MAX_DEPTH,
        effort: int = 2_000_000,
        seconds: float = 3.0,
        megabytes: int = 512,
        locate: object = None,
    ) -> None:
        if locate is not None:
            raise ValueError(f"locate is called explain: write verifier.options.explain={str(locate).lower()}")
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if not 0 < max_depth <= MAX_DEPTH:
            raise ValueError(f"max_depth={max_depth}: must be from 1 to {MAX_DEPTH}")
        if not (effort > 0 and seconds > 0 and megabytes > 0):
            raise ValueError(f"effort={effort}, seconds={seconds}, megabytes={megabytes}: must all be above 0")
        self.explain, self.max_chars, self.max_depth = explain, max_chars, max_depth
        self.version = version()
        self.solver = Solver(seconds, megabytes, effort)
        self._viability = Viability(self.solver, max_chars, max_depth)
        self._lock = threading.RLock()

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt)
        return issued(TOOL, self.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False: no text that begins so passes, which is certain; so is True. None: cannot tell."""
        task = task_of(prompt)
        try:
            with self._lock:
                self.solver.begin(task.before)
                self._viability.require_possible(task)
                return self._viability.is_viable(task, prefix)
        except ToolFailed:
            return None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the certificate stands.

        Independent of ``verify``: models are evaluated exactly, without z3, and values are tried at random; what holds and
        what cannot hold together are other questions to z3. Not independent: how the text is read and its sorts are
        checked, z3, and the places, which a second run must find again.
        """
        task = task_of(prompt)
        with self._lock:
            fresh = self.verify(prompt, completion)
            parsed = parse(completion.strip(), task, self.max_chars, self.max_depth)
            commands = None if parsed.findings else parsed.commands
            return stands(certificate, task, completion, fresh=fresh, commands=commands, solver=self.solver)

    def _judge(self, task: Task, completion: str) -> Certificate:
        with self._lock:
            self.solver.begin(task.before)
            certificate = self._certificate(task, completion)
            if certificate.verdict is not Verdict.PASS:  # else it is possible
                self._viability.require_possible(task)
            return certificate

    def _certificate(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        parsed = parse(text, task, self.max_chars, self.max_depth)
        findings, score, witness = parsed.findings, 0.0, {}
        if not findings:
            checked = check(task, parsed.commands, self.solver)
            witness = witness_of(task, parsed.commands, checked, offset)
            if checked.passes:
                return passed(witness)
            score = score_of(task, parsed.commands, checked)
            findings = Locator(task, parsed.commands, checked, self.solver, explain=self.explain).findings()
        dead = self._viability.first_dead(task, completion)
        return failed(findings, score=score, dead_from=dead, witness=witness, offset=offset)
