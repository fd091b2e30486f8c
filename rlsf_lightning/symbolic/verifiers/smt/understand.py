"""From a text to its commands and everything that is wrong with their form, names and sorts; and when it is dead for it.

A parenthesis that is missing, or one too many, has its place wherever a change would make the command well formed and
well sorted: those places are tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.smt.check import Checker
from rlsf_lightning.symbolic.verifiers.smt.named import Wrong
from rlsf_lightning.symbolic.verifiers.smt.reader import MAX_FINDINGS, Node, Token, read, read_tokens, tokens_of
from rlsf_lightning.symbolic.verifiers.smt.task import Task
from rlsf_lightning.symbolic.verifiers.smt.terms import Command

#: Tokens of the longest command whose parentheses are mended.
MAX_TOKENS = 120
_SPACE = " \t\r\n"


@dataclass
class Understood:
    """The commands that are well formed, and what is wrong with the others. ``is_cut``: the text ends in a command."""

    commands: list[Command] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_cut: bool = False


def understand(task: Task, text: str, max_depth: int) -> Understood:
    """A whole text."""
    reading = read(text, max_depth)
    checker = task.checker()
    done = Understood()
    tainted: set[str] = set()
    by_start = {finding.spans[0].start: finding for finding in reading.findings}
    for start, end, node in sorted(
        [(node.start, node.end, node) for node in reading.commands] + [(*place, None) for place in reading.broken],
        key=lambda item: item[0],
    ):
        if node is None:
            mine = [finding for at, finding in by_start.items() if start <= at < end]
            mended = _mended(checker, text, start, end, max_depth, mine)
            done.findings += mine if mended is None else [mended]
            if mended is None:
                tainted |= _names(text, start, end)
            continue
        try:
            command = checker.command(node)
            done.commands += [] if command is None else [command]
        except Wrong as wrong:
            finding = wrong.finding
            unknown = finding.kind in ("unknown_symbol", "unknown_sort")
            if not (unknown and _text_at(text, finding) in tainted):
                done.findings.append(finding)
            tainted |= _names(text, start, end)
    del done.findings[MAX_FINDINGS:]
    return done


def beginning(task: Task, prefix: str, max_depth: int) -> Understood:
    """The beginning of a text: what it holds so far, and at most one finding, which is certain then."""
    text = _ended(prefix.lstrip())
    reading = read(text, max_depth, is_whole=False)
    if reading.findings:
        return Understood([], reading.findings[:1])
    checker, done = task.checker(), Understood()
    for node in reading.commands:
        try:
            command = checker.command(node)
        except Wrong as wrong:
            return Understood(done.commands, [wrong.finding])
        done.commands += [] if command is None else [command]
        done.is_cut = node.is_open
    done.is_cut = done.is_cut or (not reading.commands and bool(tokens_of(text)))
    return done


def _ended(text: str) -> str:
    """A beginning without white space that only the end of a whole text may hold."""
    return text if text.rstrip() == text.rstrip(_SPACE) else text.rstrip() + " "


def first_dead(task: Task, text: str, max_depth: int) -> int | None:
    """The first character after which no text is well formed and well sorted; None if it is alive.

    By bisection from the first command on that is wrong: those before it are read once. ``text`` begins without blanks.
    """
    checker = task.checker()
    wrong = _first_wrong(checker, text, max_depth)
    if wrong is None:
        return None
    known, alive, middle, dead = (checker.scope, checker.places), wrong.start, wrong.end, len(text)
    while dead - alive > 1:
        checker.scope, checker.places = known[0].copy(), dict(known[1])
        begun = read(_ended(text[wrong.start : middle]), max_depth, is_whole=False)
        is_dead = bool(begun.findings) or not all(_is_right(checker, node) for node in begun.commands)
        alive, dead = (alive, middle) if is_dead else (middle, dead)
        middle = (alive + dead) // 2
    return dead - 1


def _first_wrong(checker: Checker, text: str, max_depth: int) -> Span | None:
    """The place of the first command of a beginning that is wrong, before which the checker is left."""
    reading = read(_ended(text), max_depth, is_whole=False)
    nodes = {node.start: node for node in reading.commands}
    for start, end in sorted([*((node.start, node.end) for node in reading.commands), *reading.broken]):
        known = checker.scope.copy(), dict(checker.places)
        if start not in nodes or not _is_right(checker, nodes[start]):
            checker.scope, checker.places = known
            return Span(start, end)
    return None


def _is_right(checker: Checker, node: Node) -> bool:
    """Whether a command is, which is entered then."""
    try:
        checker.command(node)
    except Wrong:
        return False
    return True


def _names(text: str, start: int, end: int) -> set[str]:
    """What a command that is wrong may have meant to declare."""
    tokens = [token for token in tokens_of(text[start:end]) if token.kind == "symbol"]
    return {tokens[1].text.strip("|")} if len(tokens) > 1 and tokens[0].text != "assert" else set()


def _text_at(text: str, finding: Finding) -> str:
    return text[finding.spans[0].start : finding.spans[0].end].strip("|")


def _mended(
    checker: Checker, text: str, start: int, end: int, max_depth: int, findings: list[Finding]
) -> Finding | None:
    """The finding at every place where one parenthesis more or less makes the command right; None if there is none.

    What the first such change declares is known from there on.
    """
    kinds = {finding.kind for finding in findings}
    tokens = [Token(t.kind, t.text, t.start + start, t.end + start) for t in tokens_of(text[start:end])]
    if not kinds or kinds - {"unclosed", "unexpected"} or len(tokens) > MAX_TOKENS:
        return None
    before = checker.scope, checker.places
    places, known = list[Span](), None
    for changed, place in _changes(tokens, Span(start, end)):
        reading = read_tokens(changed, max_depth)
        if reading.findings or len(reading.commands) != 1:
            continue
        checker.scope, checker.places = before[0].copy(), dict(before[1])
        if _is_right(checker, reading.commands[0]):
            known = known or (checker.scope, checker.places)
            places.append(place)
    checker.scope, checker.places = known or before
    if not places:
        return None
    first = findings[0]
    message = "a parenthesis is missing, or there is one too many"
    return replace(first, message=message, spans=joined(places))


def _changes(tokens: list[Token], whole: Span) -> Iterator[tuple[list[Token], Span]]:
    """The tokens of a command with one parenthesis more or less, so that their numbers agree, and where."""
    depth = sum((token.kind == "open") - (token.kind == "close") for token in tokens)
    if abs(depth) != 1:
        return
    extra, kind, missing = ("open", "close", ")") if depth == 1 else ("close", "open", "(")
    for i, token in enumerate(tokens):
        if token.kind == extra:
            yield tokens[:i] + tokens[i + 1 :], Span(token.start, token.end)
        at, place = (token.end, i + 1) if depth == 1 else (token.start, i)
        added = Token(kind, missing, at, at + 1)
        yield [*tokens[:place], added, *tokens[place:]], Span(max(whole.start, at - 1), min(whole.end, at + 1))


def joined(spans: list[Span]) -> tuple[Span, ...]:
    """Sorted, and one where they touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
