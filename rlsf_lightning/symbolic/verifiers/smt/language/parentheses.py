"""Locates a missing or superfluous parenthesis: wherever one more or less makes the command well formed and well sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.smt.language.command_checker import CommandChecker
from rlsf_lightning.symbolic.verifiers.smt.language.reader import Token, read_tokens, tokens_of
from rlsf_lightning.symbolic.verifiers.smt.language.spans import joined

#: Tokens of the longest command whose parentheses are mended.
MAX_TOKENS = 120


def mended(
    checker: CommandChecker, text: str, command: Span, findings: Sequence[Finding], max_depth: int
) -> Finding | None:
    """The finding at every place where a change makes the command of these findings right; None if there is none.

    What the first such change declares is known from there on.
    """
    start, end = command.start, command.end
    kinds = {finding.kind for finding in findings}
    tokens = [Token(t.kind, t.text, t.start + start, t.end + start) for t in tokens_of(text[start:end])]
    if not kinds or kinds - {"unclosed", "unexpected"} or len(tokens) > MAX_TOKENS:
        return None
    before, known, spans = checker.snapshot(), None, list[Span]()
    for changed, span in _changes(tokens, command):
        reading = read_tokens(changed, max_depth)
        if reading.findings or len(reading.commands) != 1:
            continue
        checker.restore(before)
        if checker.takes(reading.commands[0]):
            known = known or checker.snapshot()
            spans.append(span)
    checker.restore(known or before)
    if not spans:
        return None
    message = "a parenthesis is missing, or there is one too many"
    return replace(findings[0], message=message, spans=joined(spans))


def _changes(tokens: list[Token], command: Span) -> Iterator[tuple[list[Token], Span]]:
    """The tokens of a command with one parenthesis more or less, so that their numbers agree, and where."""
    depth = sum((token.kind == "open") - (token.kind == "close") for token in tokens)
    if abs(depth) != 1:
        return
    extra, kind, missing = ("open", "close", ")") if depth == 1 else ("close", "open", "(")
    for i, token in enumerate(tokens):
        if token.kind == extra:
            yield tokens[:i] + tokens[i + 1 :], Span(token.start, token.end)
        at, index = (token.end, i + 1) if depth == 1 else (token.start, i)
        added = Token(kind, missing, at, at + 1)
        yield [*tokens[:index], added, *tokens[index:]], Span(max(command.start, at - 1), min(command.end, at + 1))
