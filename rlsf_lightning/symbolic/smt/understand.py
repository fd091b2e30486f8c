"""From a text to its commands and everything that is wrong with their form, names and sorts; and when it is dead for it.

A parenthesis that is missing, or one too many, has its place wherever a change would make the command well formed and
well sorted: those places are tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.smt.check import Checker
from rlsf_lightning.symbolic.smt.named import Wrong
from rlsf_lightning.symbolic.smt.reader import MAX_FINDINGS, Token, read, tokens_of
from rlsf_lightning.symbolic.smt.task import Task
from rlsf_lightning.symbolic.smt.terms import Command, Scope

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
    text = prefix.lstrip()
    if text.rstrip() != text.rstrip(_SPACE):  # white space that only the end of a text may hold
        text = text.rstrip() + " "
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


def is_dead(task: Task, prefix: str, max_depth: int) -> bool:
    """Whether no text that begins so is well formed and well sorted: certain."""
    return bool(beginning(task, prefix, max_depth).findings)


def first_dead(task: Task, text: str, max_depth: int) -> int | None:
    """The first character after which no text is well formed and well sorted, by bisection; None if it is alive."""
    if not is_dead(task, text, max_depth):
        return None
    alive, dead = 0, len(text)
    while dead - alive > 1:
        middle = (alive + dead) // 2
        alive, dead = (alive, middle) if is_dead(task, text[:middle], max_depth) else (middle, dead)
    return dead - 1


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
    piece = text[start:end]
    tokens = tokens_of(piece)
    if not kinds or kinds - {"unclosed", "unexpected"} or len(tokens) > MAX_TOKENS:
        return None
    scope, places = checker.scope, list[Span]()
    known: Scope | None = None
    for changed, place in _changes(piece, tokens):
        checker.scope = scope.copy()
        reading = read(changed, max_depth)
        if reading.findings or len(reading.commands) != 1:
            continue
        try:
            checker.command(reading.commands[0])
        except Wrong:
            continue
        known = known or checker.scope
        places.append(Span(place.start + start, place.end + start))
    checker.scope = known or scope
    if not places:
        return None
    first = findings[0]
    message = "a parenthesis is missing, or there is one too many"
    return replace(first, message=message, spans=joined(places))


def _changes(piece: str, tokens: list[Token]) -> Iterator[tuple[str, Span]]:
    """The piece with one parenthesis more or less, so that their numbers agree, and where."""
    depth = sum((token.kind == "open") - (token.kind == "close") for token in tokens)
    if abs(depth) != 1:
        return
    extra, missing = ("open", ")") if depth == 1 else ("close", "(")
    for token in tokens:
        if token.kind == extra:
            yield piece[: token.start] + " " + piece[token.end :], Span(token.start, token.end)
        at = token.end if depth == 1 else token.start
        yield f"{piece[:at]} {missing} {piece[at:]}", Span(max(0, at - 1), min(len(piece), at + 1))


def joined(spans: list[Span]) -> tuple[Span, ...]:
    """Sorted, and one where they touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
