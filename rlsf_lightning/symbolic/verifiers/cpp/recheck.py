"""A second opinion on a certificate about a C++ program, by other ways than the first.

Errors are looked up in the compiler's other form of output, JSON; the failing test is run by itself and its output
compared with a plain loop; a repair is made and must pass every test; a text that is called dead is cut there and
compiled. What these do not show (which lines only failing tests execute, say) must come out the same when all is done
again, which is left to the verifier.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlsf_lightning.records import Certificate, Span, Verdict
from rlsf_lightning.symbolic.verifiers.cpp.check import KINDS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler, libraries
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import FILE
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import Ran
from rlsf_lightning.symbolic.verifiers.cpp.compiler.scripts import encoded, limits, preamble
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.repair.search import is_repair
from rlsf_lightning.symbolic.verifiers.cpp.task import Case, Task

#: Kinds that are not at a place which the compiler names.
_ELSEWHERE = frozenset(("template", "link", "empty", "too_long", "unbalanced"))


def stands(
    certificate: Certificate, task: Task, completion: str, compiler: Compiler, is_dead: Callable[[str], bool]
) -> bool:
    """Whether nothing speaks against a certificate with a verdict. ``is_dead``: of a prefix."""
    if any(span.end > len(completion) for finding in certificate.findings for span in finding.spans):
        return False
    if not {finding.kind for finding in certificate.findings} <= KINDS:
        return False
    if certificate.dead_from is not None and not _dies(certificate.dead_from, completion, is_dead):
        return False
    if "tests" in certificate.witness:
        return _witnessed(certificate, task.cases, completion, compiler)
    return _reported(certificate, completion, compiler)


def _dies(dead_from: int, completion: str, is_dead: Callable[[str], bool]) -> bool:
    """Whether the text is dead with this character, and cannot be called so without it."""
    if not 0 <= dead_from < len(completion) or is_dead(completion[:dead_from]):
        return False
    return is_dead(completion[: dead_from + 1])


def _witnessed(certificate: Certificate, cases: Sequence[Case], completion: str, compiler: Compiler) -> bool:
    """Whether the first failing test alone gives what the witness says, which is not what was expected."""
    witness = certificate.witness
    if witness["tests"] != len(cases) or (certificate.score != witness["passed"] / len(cases)):
        return False
    at = witness.get("test")
    if at is None:
        return certificate.verdict is Verdict.PASS
    if certificate.verdict is not Verdict.FAIL or not 0 <= at < len(cases):
        return False
    built = compiler.compile(Program(completion), [cases[at]])
    if built.code != 0 or not _fails(cases[at], built.ran[0], witness):
        return False
    return "repair" not in witness or _repairs(witness["repair"], cases, completion, compiler)


def _repairs(change: Any, cases: Sequence[Case], completion: str, compiler: Compiler) -> bool:
    """Whether all tests pass when this change is made."""
    if not isinstance(change, list | tuple) or [type(part) for part in change] != [int, int, str]:
        return False
    start, end, new = change
    if not 0 <= start <= end <= len(completion):
        return False
    return is_repair(compiler, completion, Change(Span(start, end), new), cases)


def _fails(case: Case, ran: Ran, witness: Mapping[str, Any]) -> bool:
    if ran.code != witness["exit_code"] or not ran.output.startswith(witness["actual"]):
        return False
    expected, actual = case.output.split(), ran.output.split()
    differs = len(expected) != len(actual)
    for one, other in zip(expected, actual, strict=False):
        differs = differs or one != other
    return differs or ran.code != 0


def _reported(certificate: Certificate, completion: str, compiler: Compiler) -> bool:
    """Whether each place that is called wrong is one that the compiler names in its JSON."""
    if certificate.verdict is not Verdict.FAIL or not certificate.findings:
        return False
    kinds = {finding.kind for finding in certificate.findings}
    if kinds & {"empty", "too_long", "link"}:
        return True  # plain to see, or the linker's: done again by the verifier
    places = _places(completion, compiler)
    named = [finding for finding in certificate.findings if finding.kind not in _ELSEWHERE and finding.spans]
    return all(any(_near(span, places, completion) for span in finding.spans) for finding in named)


def _near(span: Span, places: set[int], completion: str) -> bool:
    """Whether the compiler names a place in a span, or in the white space beside it."""
    return any(
        span.start <= place <= span.end or not completion[min(place, span.end) : max(place, span.start)].strip()
        for place in places
    )


def _places(completion: str, compiler: Compiler) -> set[int]:
    """Offsets of all the errors in JSON."""
    program = Program(completion)
    script = (
        f"g++ -std={compiler.standard} -O1 -w -fsyntax-only -fdiagnostics-format=json "
        f"-fmax-errors=20 {preamble(program, libraries(program)[-1])} {FILE} 2>&1"
    )
    outcome = compiler.run(script, {FILE: encoded(completion)}, limits(compiler.budget, []))
    places = set()
    for line in outcome.output.decode("utf-8", "replace").splitlines():
        if line.startswith("["):
            try:
                places |= {_offset(completion, error) for error in json.loads(line) if error["kind"].endswith("error")}
            except (ValueError, LookupError, TypeError):
                continue
    return places - {-1}


def _offset(text: str, error: Mapping[str, Any]) -> int:
    """Characters before the caret of an error; -1 outside the program."""
    for location in error["locations"]:
        caret = location["caret"]
        if caret["file"] == FILE:
            line = text.split("\n")[caret["line"] - 1]
            before = line.encode("utf-8", "surrogatepass")[: caret["byte-column"] - 1].decode("utf-8", "ignore")
            return sum(len(one) + 1 for one in text.split("\n")[: caret["line"] - 1]) + len(before)
    return -1
