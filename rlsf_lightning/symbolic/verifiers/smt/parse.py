"""Parses a text, or a prefix of one, into commands, with all that is wrong with their form, names and sorts."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import too_long
from rlsf_lightning.symbolic.verifiers.smt.language.parentheses import mended
from rlsf_lightning.symbolic.verifiers.smt.language.reader import MAX_FINDINGS, Reading, read, tokens_of
from rlsf_lightning.symbolic.verifiers.smt.language.sort_checker import IllFormed
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Command
from rlsf_lightning.symbolic.verifiers.smt.task import Task

_SPACE = " \t\r\n"


@dataclass
class Parsed:
    """The commands that are well formed, and what is wrong with the others. ``is_incomplete``: the text ends in one."""

    commands: list[Command] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_incomplete: bool = False


def parse(text: str, task: Task, max_chars: int, max_depth: int) -> Parsed:
    """The commands of a whole text without white space around it."""
    if not text:
        return Parsed(findings=[Finding("empty", "there is nothing")])
    if len(text) > max_chars:
        return Parsed(findings=[too_long(text, max_chars)])
    reading, checker = read(text, max_depth), task.checker()
    parsed = Parsed()
    # What commands that are wrong may have meant to declare: that it is unknown later is no other mistake.
    tainted: set[str] = set()
    pieces = [(node.span, node) for node in reading.commands] + [(Span(*broken), None) for broken in reading.broken]
    for span, node in sorted(pieces, key=lambda piece: piece[0].start):
        if node is None:
            mine = _findings_in(reading, span)
            mending = mended(checker, text, span, mine, max_depth)
            parsed.findings += mine if mending is None else [mending]
            if mending is None:
                tainted |= _declared(text, span)
            continue
        try:
            command = checker.command(node)
            parsed.commands += [] if command is None else [command]
        except IllFormed as error:
            if not _follows(error.finding, text, tainted):
                parsed.findings.append(error.finding)
            tainted |= _declared(text, span)
    del parsed.findings[MAX_FINDINGS:]
    return parsed


def parse_prefix(prefix: str, task: Task, max_depth: int) -> Parsed:
    """The commands of a prefix, as far as they go, and at most one finding, which is certain whatever follows."""
    text = ended(prefix.lstrip())
    reading = read(text, max_depth, is_whole=False)
    if reading.findings:
        return Parsed([], reading.findings[:1])
    checker, parsed = task.checker(), Parsed()
    for node in reading.commands:
        try:
            command = checker.command(node)
        except IllFormed as error:
            return Parsed(parsed.commands, [error.finding])
        parsed.commands += [] if command is None else [command]
        parsed.is_incomplete = node.is_open
    parsed.is_incomplete = parsed.is_incomplete or (not reading.commands and bool(tokens_of(text)))
    return parsed


def ended(prefix: str) -> str:
    """A prefix without white space that only the end of a whole text may hold."""
    return prefix if prefix.rstrip() == prefix.rstrip(_SPACE) else prefix.rstrip() + " "


def _findings_in(reading: Reading, span: Span) -> list[Finding]:
    """The findings that begin in a command, the last one of each place."""
    by_start = {finding.spans[0].start: finding for finding in reading.findings}
    return [finding for start, finding in by_start.items() if span.start <= start < span.end]


def _declared(text: str, span: Span) -> set[str]:
    """What a command that is wrong may have meant to declare."""
    tokens = [token for token in tokens_of(text[span.start : span.end]) if token.kind == "symbol"]
    return {tokens[1].text.strip("|")} if len(tokens) > 1 and tokens[0].text != "assert" else set()


def _follows(finding: Finding, text: str, tainted: set[str]) -> bool:
    """Whether a finding only says that something tainted is unknown."""
    span = finding.spans[0]
    return finding.kind in ("unknown_symbol", "unknown_sort") and text[span.start : span.end].strip("|") in tainted
