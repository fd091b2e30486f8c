"""Localises superfluous tokens before the first mistake of a text.

A parser sees many mistakes only later: without any one of these tokens the whole text is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.grammar.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END, Grammar, Lexed, Stack
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading, Token
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel, OutOfFuelError
from rlsf_lightning.symbolic.verifiers.grammar.task import TextTask
from rlsf_lightning.symbolic.verifiers.grammar.viable.text import accepts, rest_of_text

#: Tokens that are marked because the text is accepted without one of them, and the work to find them.
_MAX_NEEDLESS, _NEEDLESS_STEPS = 8, 200_000
#: What it costs to take one token of what follows a token that is left out.
_TAKEN = 10


def locate_text(checked: Checked, reading: TextReading, alive: str, task: TextTask, fuel: Fuel) -> Checked:
    """The finding, also at the tokens that could be left out; the witness names these, and how what is ``alive`` of the
    completion can go on."""
    witness, rest = dict(checked.witness), rest_of_text(alive, task, fuel)
    if rest is not None:
        witness["continuation"] = rest
    needless = _needless_tokens(reading, task)
    if needless:
        witness["without"] = [[reading.offset + token.start, reading.offset + token.end] for token in needless]
    return Checked([marked(finding, reading, needless) for finding in checked.findings], witness)


def marked(finding: Finding, reading: TextReading, needless: Sequence[Token]) -> Finding:
    """The finding, also at the tokens that could be left out, if there are any."""
    if not needless:
        return finding
    spans = (Span(reading.offset + token.start, reading.offset + token.end) for token in needless)
    more = tuple(span for span in spans if span not in finding.spans)
    words = dict.fromkeys(ascii(reading.text[token.start : token.end])[:40] for token in needless)
    message = f"{finding.message}; without the marked {' or '.join(words)} the rest is accepted"
    return Finding(finding.kind, message, finding.spans + more)


def without(text: str, token: Token) -> list[str]:
    """The text with that token left out: with nothing, a blank or a new line in its place."""
    return [text[: token.start] + space + text[token.end :] for space in ("", " ", "\n")]


def _needless_tokens(reading: TextReading, task: TextTask) -> list[Token]:
    """The tokens, some of those next to the mistake, without any one of which the text is accepted."""
    found = _candidates(reading, task.grammar, Fuel(_NEEDLESS_STEPS))
    fuel = Fuel(_NEEDLESS_STEPS)
    return [token for token in found if any(_accepted(other, task, fuel) for other in without(reading.text, token))]


def _candidates(reading: TextReading, grammar: Grammar, fuel: Fuel) -> list[Token]:
    """The tokens with any one of which left out the parser accepts the tokens that follow. Where the fuel is used up, those
    that were found with it."""
    stack, before = grammar.bottom, []
    for token in reading.parsed_tokens:
        before.append((token, stack))
        after = grammar.advance(stack, token.type)
        assert after is not None
        stack = after
    lexed: dict[tuple[int, int], Lexed] = {}
    found: list[Token] = []
    try:
        for token, stack in reversed(before):
            if len(found) == _MAX_NEEDLESS:
                break
            if _goes_on(stack, reading.text, token.end, grammar, lexed, fuel):
                found.append(token)
    except OutOfFuelError:
        pass
    return found[::-1]


def _goes_on(
    stack: Stack, text: str, at: int, grammar: Grammar, lexed: dict[tuple[int, int], Lexed], fuel: Fuel
) -> bool:
    """Whether the parser accepts all that follows a place. ``lexed``: what was found there by lexers before."""
    while at < len(text):
        fuel.burn(_TAKEN)
        lexer = grammar.lexer_of(stack)
        known = lexed.get((id(lexer), at))
        if known is None:
            known = lexed[id(lexer), at] = grammar.lex(lexer, text, at, fuel, partial=False)
        if known.type is None:
            return False
        if known.type not in lexer.ignored:
            after = grammar.advance(stack, known.type)
            if after is None:
                return False
            stack = after
        at = known.end
    return grammar.advance(stack, END) is not None


def _accepted(text: str, task: TextTask, fuel: Fuel) -> bool:
    try:
        return accepts(text, task, fuel)
    except OutOfFuelError:
        return False
