"""SMT-LIB: cvc5 reads the whole text with its own parser, and decides by refutation what the verifier asks z3."""

from __future__ import annotations

import re
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import cvc5
from corpora import Case
from smt_tasks import forms, write

from opinions import Opinion
from rlsf_lightning.records import Certificate, Verdict

TOOLS = ("cvc5",)
HOW = "cvc5, from the text on"
EXPLAINED = {
    "another closed language": "cvc5 has theories, commands and spellings that the verifier's "
    "language leaves out, and the reverse "
    "(bit-vector predicates with other names, integers where reals are wanted)",
}
MAX_CHARS = 10_000
_ALLOWED = {"assert", "declare-const", "declare-fun", "declare-sort", "define-fun", "define-const", "define-sort"}
#: These say nothing of the answer.
_IGNORED = frozenset("set-logic set-option set-info check-sat get-model get-value exit".split())
_MILLISECONDS = "3000"
#: What the verifier found wrong with the text itself.
FORM = frozenset("bad_character bad_literal forbidden malformed redefined too_deep too_large unclosed unexpected unknown_sort "
                 "unknown_symbol wrong_arity wrong_sort".split())  # fmt: skip


class _Refused(Exception):
    pass


def opinion(case: Case) -> Opinion:
    """Whether the specification follows, or holds of what is defined."""
    facts = case.prompt.facts
    text = case.completion
    if not text.strip() or len(text) > MAX_CHARS:
        return Opinion(False, f"{len(text)} characters")
    declared, specified = _joined(facts.get("declarations", "")), _asserted(facts["specification"])
    defined = list(facts.get("define", ()))
    try:
        commands = [command for command in _split(text) if _name(command) not in _IGNORED]
        told = [_name(command) for command in commands]
        if unknown := sorted({*told} - _ALLOWED):
            return Opinion(False, f"the commands {unknown}")
        if (defined or facts.get("exact")) and any(name.startswith("declare") for name in told):
            return Opinion(False, "declares something")
        if defined:
            return _of_definitions(declared, specified, defined, commands)
        return _of_constraints(declared, specified, commands, bool(facts.get("exact")))
    except _Refused as error:
        return Opinion(False, f"cvc5: {error}")


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """Where one of the two refuses the form."""
    kinds = {finding.kind for finding in certificate.findings}
    is_form = certificate.verdict is Verdict.FAIL and kinds <= FORM
    return "another closed language" if is_form or said.reason.startswith("cvc5:") else None


def _of_definitions(declared: str, specified: list[str], names: list[str], commands: list[str]) -> Opinion:
    made = [_name_of(command) for command in commands if command.startswith(("(define-fun", "(define-const"))]
    if any(_name(command) == "assert" for command in commands):
        return Opinion(False, "asserts something")
    if missing := [name for name in names if name not in made]:
        return Opinion(False, f"does not define {missing}")
    given = "".join(part for part in _split(declared) if _name_of(part) not in names)
    wanted = [part for part in _split(declared) if _name_of(part) in names]
    _solved("".join(wanted) + given + "(check-sat)")
    _same_signatures(wanted, commands)
    for formula in specified:
        answer = _solved(f"{given}{''.join(commands)}(assert (not {formula}))(check-sat)")
        if answer != "unsat":
            return _undecided_or(answer, f"{formula} does not hold")
    return Opinion(True, "every property holds")


def _of_constraints(declared: str, specified: list[str], commands: list[str], exact: bool) -> Opinion:
    text = "".join(commands)
    answer = _solved(f"{declared}{text}(check-sat)")
    if answer != "sat":
        return _undecided_or(answer, "the constraints cannot hold")
    for formula in specified:
        answer = _solved(f"{declared}{text}(assert (not {formula}))(check-sat)")
        if answer != "unsat":
            return _undecided_or(answer, f"{formula} does not follow")
    asserted = [command for command in commands if _name(command) == "assert"]
    others = "".join(command for command in commands if _name(command) != "assert")
    given = "".join(f"(assert {formula})" for formula in specified)
    for command in asserted if exact else ():
        answer = _solved(f"{declared}{others}{given}(assert (not {command[len('(assert') : -1]}))(check-sat)")
        if answer != "unsat":
            return _undecided_or(answer, f"{command} is in excess")
    return Opinion(True, "the specification follows")


def _undecided_or(answer: str, reason: str) -> Opinion:
    return Opinion(None, "cvc5 comes to no end") if answer == "unknown" else Opinion(False, reason)


def _same_signatures(wanted: list[str], commands: list[str]) -> None:
    """Declare what is asked for, and say that the definition is equal: sorts that differ are refused."""
    for declaration in wanted:
        name = _name_of(declaration)
        inner = re.sub(r"\s+", " ", declaration)
        const = re.fullmatch(r"\(declare-const \S+ (.+)\)", inner)
        sorts = ("()", const[1]) if const else re.fullmatch(r"\(declare-fun \S+ (\(.*?\)) (\S.*)\)", inner).groups()  # type: ignore[union-attr]
        definition = next(c for c in commands if c.startswith(("(define-fun", "(define-const")) and _name_of(c) == name)
        made = _signature(definition)
        if made != (re.sub(r"[() ]+", " ", sorts[0]).split(), sorts[1]):
            raise _Refused(f"{name} has the signature {made}")


def _signature(definition: str) -> tuple[list[str], str]:
    form = forms(definition)[0]
    if form[0] == "define-const":
        return [], write(form[2])
    if len(form) != 5 or not isinstance(form[2], list) or any(len(pair) != 2 for pair in form[2]):
        raise _Refused("a malformed definition")
    return [part for pair in form[2] for part in re.sub(r"[()]", "", write(pair[1])).split()], write(form[3])


def _joined(given: Any) -> str:
    return given if isinstance(given, str) else "\n".join(given)


def _asserted(given: Any) -> list[str]:
    if isinstance(given, str):
        return [part[len("(assert") : -1].strip() for part in _split(given)]
    return [line.strip() if not line.strip().startswith("(assert") else line.strip()[7:-1] for line in given]


def _split(text: str) -> list[str]:
    """The commands. Raises _Refused where brackets have no partner."""
    text = re.sub(r"(\|[^|]*\|)|;[^\n]*", lambda match: match[1] or " ", text)
    commands, depth, start = [], 0, 0
    for match in re.finditer(r"\|[^|]*\||[()]|[^\s()|]+", text):
        piece = match.group()
        if not depth and piece != "(":
            raise _Refused("something outside a command")
        if piece == "(":
            start = match.start() if not depth else start
            depth += 1
        elif piece == ")":
            depth -= 1
            if not depth:
                commands.append(re.sub(r"^\(\s+", "(", text[start : match.end()]))
    if depth or not commands:
        raise _Refused("a bracket is not closed, or there is nothing")
    return commands


def _name(command: str) -> str:
    return (re.match(r"\(\s*([^\s()]+)", command) or ["", ""])[1]


def _name_of(command: str) -> str:
    return (re.match(r"\(\s*[^\s()]+\s+(\|[^|]*\||[^\s()]+)", command) or ["", ""])[1].strip("|")


_CHILD: list[ProcessPoolExecutor] = []


def _solved(text: str) -> str:
    """sat, unsat or unknown. Raises _Refused for what cvc5 does not read.

    In a process of its own: cvc5 crashes on some texts that it refuses, and then its answer is unknown.
    """
    if re.search("[\ud800-\udfff]", text):
        raise _Refused("half of a pair of surrogates")
    if not _CHILD:
        _CHILD.append(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
    try:
        answer, error = _CHILD[0].submit(solve, text).result(timeout=30)
    except (BrokenExecutor, TimeoutError):
        _CHILD.pop().shutdown(wait=False, cancel_futures=True)
        return "unknown"
    if error:
        raise _Refused(error)
    return answer


def solve(text: str) -> tuple[str, str]:
    """(the last answer, an error)."""
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("tlimit-per", _MILLISECONDS)
    solver.setOption("strict-parsing", "true")
    solver.setLogic("ALL")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "text")
    symbols = parser.getSymbolManager()
    answer = ""
    try:
        while not (command := parser.nextCommand()).isNull():
            answer = str(command.invoke(solver, symbols)) or answer
    except Exception as error:  # cvc5 has no common class of them
        return "", " ".join(str(error).split())[:200] or type(error).__name__
    return ("", answer[:200]) if "error" in answer else (answer.strip(), "")
