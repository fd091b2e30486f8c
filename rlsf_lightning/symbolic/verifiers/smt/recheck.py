"""A second opinion on a certificate about SMT-LIB.

Models are confirmed by exact evaluation of the assertions and properties, without z3; cores and what holds are asked again,
in other questions (the core alone, all properties in one); values are also tried out at random. Texts that are not well
formed are confirmed at the level of tokens where that can be (names, parentheses, literals), and places are derived anew.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.smt.language.command_checker import CommandChecker
from rlsf_lightning.symbolic.verifiers.smt.language.evaluate import Evaluator, Unknown
from rlsf_lightning.symbolic.verifiers.smt.language.reader import read, tokens_of
from rlsf_lightning.symbolic.verifiers.smt.language.sort_checker import IllFormed
from rlsf_lightning.symbolic.verifiers.smt.language.sorts import Sort, sort_name
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Command, Symbol, Term, assertions, text_of
from rlsf_lightning.symbolic.verifiers.smt.task import MAX_DEPTH, Task
from rlsf_lightning.symbolic.verifiers.smt.tool.script import asserted, meanings, required, within, words_of
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import SAT, UNSAT, Solver

#: How many values are tried out.
TRIES = 60
_KEYS = frozenset(("properties", "held", "model", "models", "excess", "core", "with_specification", "error"))


def stands(
    certificate: Certificate,
    task: Task,
    completion: str,
    *,
    fresh: Certificate,
    commands: Sequence[Command] | None,
    solver: Solver,
) -> bool:
    """Whether nothing speaks against the certificate.

    Args:
        certificate: what is claimed.
        task: the task.
        completion: as it was given.
        fresh: a certificate made anew, for the places.
        commands: the completion's; None if they are not well formed.
        solver: answers questions that z3 was not asked so before.
    """
    if fresh.verdict is Verdict.ABSTAIN:
        return certificate.verdict is Verdict.ABSTAIN
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings and certificate.score == 0 and certificate.dead_from is None
    if not set(certificate.witness) <= _KEYS or certificate.verdict is not fresh.verdict:
        return False
    if not _same_spans(certificate, fresh):
        return False
    if certificate.version == fresh.version and certificate.witness != fresh.witness:
        return False  # z3 answers the same when it is asked again
    if commands is None:
        return certificate.score == 0 and not certificate.witness and _is_wrong(certificate, task, completion)
    try:
        return _holds(certificate, task, commands, completion, solver)
    except ToolFailed:
        return True  # nothing was found against it


def _same_spans(certificate: Certificate, fresh: Certificate) -> bool:
    def shown(findings: Sequence[Finding]) -> list[tuple]:
        return [(finding.kind, finding.spans, finding.weight) for finding in findings]

    return shown(certificate.findings) == shown(fresh.findings) and certificate.dead_from == fresh.dead_from


def _is_wrong(certificate: Certificate, task: Task, completion: str) -> bool:
    """What tokens alone tell of findings about names, parentheses and literals."""
    tokens = tokens_of(completion)
    words = [token.text.strip("|") for token in tokens]
    balance = sum((word == "(") - (word == ")") for word in words)
    for finding in certificate.findings:
        texts = [completion[span.start : span.end] for span in finding.spans]
        kind, word = finding.kind, texts[0].strip("|") if texts else ""
        bad = kind in ("bad_character", "bad_literal") and any(
            t.text == texts[0] and t.kind == "symbol" for t in tokens
        )
        known = set(task.scope.symbols if kind == "unknown_symbol" else task.scope.sorts)
        bad = bad or (kind in ("unknown_symbol", "unknown_sort") and word in known and not word.startswith("("))
        # White space of Unicode may stand around a text: it is taken off, and no token of the language.
        bad = bad or (kind == "empty" and bool(tokens) and bool(completion.strip()))
        if bad:
            return False
    odd = balance != 0 or any(token.kind in ("bad", "cut") for token in tokens)
    unclosed = [finding for finding in certificate.findings if finding.kind == "unclosed"]
    return odd or not unclosed or len(certificate.findings) > 1


def _holds(certificate: Certificate, task: Task, commands: Sequence[Command], completion: str, solver: Solver) -> bool:
    """A verdict on commands that are well formed."""
    witness = certificate.witness
    own = [command.term for command in assertions(commands) if command.term is not None]
    if certificate.verdict is Verdict.PASS:
        held = list(range(len(task.properties)))
        if witness.get("held") != held or witness.get("properties") != len(held):
            return False
        model = _model(witness.get("model", {}), task, commands)
        if model is None or any(_value(model, term) is False for term in own):
            return False
        return _all_follow(task, commands, held, solver) and _no_luck(task, commands)
    held = witness.get("held", [])
    if not isinstance(held, list) or not set(held) <= set(range(len(task.properties))):
        return False
    if witness.get("properties") != len(task.properties) or not _right_score(certificate, task, commands, held, solver):
        return False
    if held and not _all_follow(task, commands, held, solver):
        return False
    return (
        _models_stand(certificate, task, commands, own)
        and _excess_stands(certificate, task, commands, own)
        and _core_stands(certificate, task, commands, completion, solver)
    )


def _right_score(
    certificate: Certificate, task: Task, commands: Sequence[Command], held: list[int], solver: Solver
) -> bool:
    kinds, own = [finding.kind for finding in certificate.findings], assertions(commands)
    if "unsatisfiable" in kinds or (not own and not task.to_define):
        return certificate.score == 0
    good, total = len(held), len(task.properties)
    if task.exact:
        excess = kinds.count("excess") if len(kinds) <= MAX_FINDINGS else _excess_count(task, commands, solver)
        good, total = good + len(own) - excess, total + len(own)
    return math.isclose(certificate.score, min(MOST_WITHOUT_PASS, good / total))


def _excess_count(task: Task, commands: Sequence[Command], solver: Solver) -> int:
    """How many assertions do not follow from the specification: not all of very many have a finding of their own."""
    denials = [f"(assert (not {text_of(c.term)}))" for c in assertions(commands) if c.term is not None]
    solver.begin(task.before)
    text = "(push)" + meanings(task, commands) + required(task) + "".join(map(within, denials)) + "(pop)"
    return words_of(solver.ask(text)).count(SAT)


def _all_follow(task: Task, commands: Sequence[Command], held: Sequence[int], solver: Solver) -> bool:
    """Whether all of these properties hold, in one question."""
    denial = " ".join(f"(not {text_of(task.properties[i].term)})" for i in held)
    text = within(meanings(task, commands) + asserted(commands) + f"(assert (or {denial}))")
    solver.begin(task.before)
    return words_of(solver.ask(text)) in ([UNSAT], ["unknown"])


def _no_luck(task: Task, commands: Sequence[Command]) -> bool:
    """Whether no values of what is given, tried at random, make a property false."""
    rng = random.Random(0)
    functions = {c.symbol.ident: c.symbol for c in commands if c.symbol is not None and c.symbol.body is not None}
    if not task.given:
        return all(_value(Evaluator({}, functions), p.term) is not False for p in task.properties)
    facts = [c.term for c in task.commands if c.symbol is None and c.term is not None]
    for _ in range(TRIES):
        values = {symbol.ident: _drawn(symbol.result, rng) for symbol in task.given}
        if any(_value(Evaluator(values, functions), fact) is not True for fact in facts):
            continue
        if any(_value(Evaluator(values, functions), p.term) is False for p in task.properties):
            return False
    return True


def _drawn(sort: Sort, rng: random.Random) -> Any:
    if sort == "Bool":
        return rng.random() < 0.5
    if sort == "Int":
        return rng.choice((0, 1, -1, rng.randint(-10, 10), rng.randint(-1000, 1000)))
    if sort == "Real":
        return Fraction(rng.randint(-20, 20), rng.choice((1, 1, 2, 3)))
    if sort[0] == "BitVec":
        return rng.choice((0, (1 << int(sort[1])) - 1, rng.getrandbits(int(sort[1]))))
    return None


def _model(values_of: object, task: Task, commands: Sequence[Command]) -> Evaluator | None:
    """The values of a witness; None if it is no model at all. What cannot be read is left open."""
    if not isinstance(values_of, Mapping) or not all(isinstance(text, str) for text in values_of.values()):
        return None
    own = [command.symbol for command in commands if command.symbol is not None]
    symbols = {symbol.name: symbol for symbol in (*task.symbols, *own)}
    if not set(values_of) <= set(symbols):
        return None
    values: dict[str, Any] = {}
    functions = {symbol.ident: symbol for symbol in own if symbol.body is not None}
    for name, text in values_of.items():
        symbol = symbols[name]
        try:
            read_back = _read_back(symbol, text, task)
            if symbol.parameters:
                functions[symbol.ident] = read_back
            elif read_back.body is not None:
                values[symbol.ident] = Evaluator({}, {}).value(read_back.body)
        except (IllFormed, Unknown):
            continue
    return Evaluator(values, functions)


def _read_back(symbol: Symbol, text: str, task: Task) -> Symbol:
    """A definition from a witness. Raises IllFormed."""
    checker = CommandChecker(task.checker().scope, is_own=False)
    checker.scope.symbols = {}
    command = text if symbol.parameters else f"(define-fun {symbol.text} () {sort_name(symbol.result)} {text})"
    reading = read(command, MAX_DEPTH)
    found = None
    if not reading.findings and len(reading.commands) == 1:
        found = checker.command(reading.commands[0])
    same = found is not None and found.symbol is not None and found.symbol.name == symbol.name
    if not same or found.symbol.parameters != symbol.parameters or found.symbol.result != symbol.result:  # type: ignore[union-attr]
        raise IllFormed("malformed", "no value")
    return found.symbol  # type: ignore[union-attr, return-value]


def _value(model: Evaluator, term: Term) -> bool | None:
    """True or False; None: cannot be told."""
    model.steps = 20_000
    try:
        return bool(model.value(term))
    except Unknown:
        return None


def _models_stand(certificate: Certificate, task: Task, commands: Sequence[Command], own: list[Term]) -> bool:
    """Whether each model agrees with the assertions and breaks its property."""
    for entry in certificate.witness.get("models", ()):
        i, model = entry.get("property"), _model(entry.get("model"), task, commands)
        if not isinstance(i, int) or not 0 <= i < len(task.properties) or model is None:
            return False
        if i in certificate.witness["held"] or _value(model, task.properties[i].term) is True:
            return False
        if any(_value(model, term) is False for term in own):
            return False
    return True


def _excess_stands(certificate: Certificate, task: Task, commands: Sequence[Command], own: list[Term]) -> bool:
    """Whether each model agrees with the specification and breaks its assertion."""
    for entry in certificate.witness.get("excess", ()):
        i, model = entry.get("assertion"), _model(entry.get("model"), task, commands)
        if not isinstance(i, int) or not 0 <= i < len(own) or model is None or _value(model, own[i]) is True:
            return False
        if any(_value(model, property.term) is False for property in task.properties):
            return False
    return True


def _core_stands(
    certificate: Certificate, task: Task, commands: Sequence[Command], completion: str, solver: Solver
) -> bool:
    """Whether the assertions of the core cannot hold together, and all but one of them can."""
    witness = certificate.witness
    kinds = {finding.kind for finding in certificate.findings} & {"unsatisfiable", "contradiction"}
    if "core" not in witness:
        return not kinds
    if kinds != {"contradiction" if witness.get("with_specification") else "unsatisfiable"}:
        return False
    _, offset = stripped(completion)
    by_span = {(c.start + offset, c.end + offset): c for c in assertions(commands)}
    spans = [tuple(span) for span in witness["core"]]
    if not spans or len(set(spans)) < len(spans) or not set(spans) <= set(by_span):
        return False
    core = [by_span[span] for span in spans]
    background = required(task) if witness["with_specification"] else ""
    solver.begin(task.before)
    background = meanings(task, commands) + background
    questions = [core, *([c for c in core if c is not left] for left in core)]
    words = words_of(solver.ask("".join(within(background + asserted(q)) for q in questions)))
    return words[0] == UNSAT and UNSAT not in words[1:]
