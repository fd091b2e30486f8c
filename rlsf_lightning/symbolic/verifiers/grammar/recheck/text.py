"""Second opinion on a certificate about a text of a grammar."""

from __future__ import annotations

from typing import Any

from rlsf_lightning.records import Certificate, Span, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.check import check_text
from rlsf_lightning.symbolic.verifiers.grammar.check.score import score_of
from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END
from rlsf_lightning.symbolic.verifiers.grammar.locate.text import marked, without
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading, Token, parse_text
from rlsf_lightning.symbolic.verifiers.grammar.recheck.earley import expected_after
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import TextTask
from rlsf_lightning.symbolic.verifiers.grammar.viable.text import is_dead_text


def text_stands(certificate: Certificate, task: TextTask, completion: str, fuel: Fuel) -> bool:
    text, offset = task.object_in(completion)
    if len(text) > task.max_chars:
        return _length_stands(certificate, task, completion, fuel)
    reading = parse_text(text, task.grammar, fuel, offset)
    types = [token.type for token in reading.parsed_tokens]
    expected = expected_after(task.grammar.rules, task.grammar.start, types, fuel)
    if certificate.verdict is Verdict.PASS:
        is_sentence = reading.error is None and expected is not None and END in expected
        counted = certificate.witness == {"tokens": len(reading.tokens)}
        return is_sentence and counted and _tokens_cover(reading, task, fuel)
    if reading.error is None or expected is None or not set(reading.expected) <= expected:
        return False
    if reading.found in expected and reading.found in task.grammar.accepted_after(types):
        return False
    checked = check_text(reading)
    needless = _confirmed_needless(reading, task, certificate.witness.get("without", []), fuel)
    if needless is None or certificate.findings != (marked(checked.findings[0], reading, needless),):
        return False
    if certificate.witness.get("expected") != checked.witness["expected"]:
        return False
    place, rest = certificate.dead_from, certificate.witness.get("continuation")
    if place is None or not _dies_at(place, task, completion, fuel):
        return False
    if rest is not None and not _derives(completion[:place] + rest, task, fuel):
        return False
    return certificate.score == score_of(reading, certificate.findings, place, rest)


def _length_stands(certificate: Certificate, task: TextTask, completion: str, fuel: Fuel) -> bool:
    text, offset = task.object_in(completion)
    spans, place = (Span(offset + task.max_chars, offset + len(text)),), certificate.dead_from
    return (
        certificate.verdict is Verdict.FAIL
        and [(f.kind, f.spans) for f in certificate.findings] == [("too_long", spans)]
        and certificate.score == 0.0
        and place is not None
        and place < len(completion)
        and _dies_at(place, task, completion, fuel)
    )


def _dies_at(place: int, task: TextTask, completion: str, fuel: Fuel) -> bool:
    """Whether what stands before the place is alive, and dead with the character there, if there is one."""
    if not 0 <= place <= len(completion) or is_dead_text(completion[:place], task, fuel):
        return False
    return place == len(completion) or is_dead_text(completion[: place + 1], task, fuel)


def _confirmed_needless(reading: TextReading, task: TextTask, places: Any, fuel: Fuel) -> list[Token] | None:
    """The tokens at these places, if the rules derive the text without any one of them; None if not."""
    tokens = {(reading.offset + token.start, reading.offset + token.end): token for token in reading.parsed_tokens}
    if not isinstance(places, list) or [list(place) for place in tokens if list(place) in places] != places:
        return None
    found = [tokens[start, end] for start, end in places]
    right = (any(_derives(other, task, fuel) for other in without(reading.text, token)) for token in found)
    return found if all(right) else None


def _tokens_cover(reading: TextReading, task: TextTask, fuel: Fuel) -> bool:
    """Whether the tokens lie end to end over the text, each of them one that its terminal matches."""
    at = 0
    for token in reading.tokens:
        covers = task.grammar.regex(token.type).covers(reading.text[at : token.end], fuel)
        if token.start != at or not covers:
            return False
        at = token.end
    return at == len(reading.text)


def _derives(text: str, task: TextTask, fuel: Fuel) -> bool:
    """Whether the rules derive the text's tokens."""
    reading = parse_text(task.object_in(text)[0], task.grammar, fuel)
    types = [token.type for token in reading.parsed_tokens]
    expected = expected_after(task.grammar.rules, task.grammar.start, types, fuel)
    return reading.error is None and expected is not None and END in expected
