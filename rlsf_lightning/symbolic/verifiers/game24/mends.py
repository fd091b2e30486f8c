"""The smallest changes that would make a wrong expression right: where they are is where it is wrong.

One operator, one bracket, one number more, or two numbers exchanged. Each change is made and the whole is read and valued
again, so that no place is a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.game24.expression import DivisionByZero, Reading, Token, Yard, evaluate
from rlsf_lightning.symbolic.verifiers.game24.values import Hand

#: Gaps that are blamed for a missing bracket, at most.
MAX_GAPS = 3


def bracket_mends(reading: Reading, hand: Hand, target: Fraction) -> tuple[str, list[Span]]:
    """(kind, places), where there is one bracket too many: those that could be left out, and the first gaps in which the
    other one could stand."""
    tokens = reading.tokens
    written = Counter(token.text for token in tokens)
    surplus = written["("] - written[")"]
    numbers = Counter(token.text for token in tokens if token.is_number)
    if abs(surplus) != 1 or numbers != Counter(map(str, hand)):
        return "", []
    bracket, other, kind = ("(", ")", "unclosed_bracket") if surplus > 0 else (")", "(", "extra_bracket")
    found = [
        token.span
        for at, token in enumerate(tokens)
        if token.text == bracket and _is_right([*tokens[:at], *tokens[at + 1 :]], target)
    ]
    gaps: list[Span] = []
    for at in range(len(tokens) + 1):
        beside_its_like = at > 0 and tokens[at - 1].text == other
        if len(gaps) == MAX_GAPS or beside_its_like:
            continue
        if _is_right([*tokens[:at], Token(other, _gap(tokens, at)), *tokens[at:]], target):
            gaps.append(_gap(tokens, at))
    return kind, sorted({*found, *gaps})


def number_gaps(reading: Reading, unused: Sequence[str], hand: Hand, target: Fraction) -> list[Span]:
    """The gaps before a minus in which the only number that is not used could stand and all would be right."""
    if len(unused) != 1 or len(reading.numbers) != len(hand) - 1:
        return []
    tokens = reading.tokens
    found = []
    for at, token in enumerate(tokens):
        if Token("minus", token.span) in reading.postfix:
            gap = _gap(tokens, at)
            if _is_right([*tokens[:at], Token(unused[0], gap), *tokens[at:]], target):
                found.append(gap)
    return found


def exchangeable_numbers(reading: Reading, target: Fraction) -> list[Token]:
    """The numbers next to each other, of which two could change places and the value would be the target."""
    tokens = reading.tokens
    found: list[Token] = []
    for a, b in pairwise(at for at, token in enumerate(tokens) if token.is_number):
        other = list(tokens)
        other[a], other[b] = tokens[a]._replace(text=tokens[b].text), tokens[b]._replace(text=tokens[a].text)
        if b - a == 2 and tokens[a].text != tokens[b].text and _is_right(other, target):
            found += [tokens[a], tokens[b]]
    return list(dict.fromkeys(found))


def suspects(reading: Reading, target: Fraction) -> list[Token]:
    """The operators, each of which alone could be another one, or have its operands the other way round, or be left out
    if it is a minus before an operand, and the value would be the target."""
    tokens = reading.tokens
    found = []
    for at, token in enumerate(tokens):
        if token.text in ("+", "-", "*", "/"):
            others = [[token._replace(text=operator)] for operator in "+-*/"]
            if Token("minus", token.span) in reading.postfix:
                others = [[]]
            turned = [node._replace(text=f"~{node.text}") if node == token else node for node in reading.postfix]
            if _value_of(turned) == target or any(
                _is_right([*tokens[:at], *other, *tokens[at + 1 :]], target) for other in others
            ):
                found.append(token)
    return found


def _is_right(tokens: list[Token], target: Fraction) -> bool:
    """Whether the tokens are an expression with the target's value."""
    reading = Reading()
    Yard(reading).run(tokens)
    return not reading.errors and _value_of(reading.postfix) == target


def _value_of(postfix: list[Token]) -> Fraction | None:
    """None: division by zero."""
    try:
        return evaluate(postfix)
    except DivisionByZero:
        return None


def _gap(tokens: list[Token], at: int) -> Span:
    """From the last character before the token to its first one; at an end of the expression, the one that there is."""
    before = tokens[at - 1].span.end - 1 if at else tokens[0].span.start
    after = tokens[at].span.start + 1 if at < len(tokens) else tokens[-1].span.end
    return Span(before, after)
