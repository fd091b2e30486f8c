"""Checks a text of a grammar: the first token or character that cannot be parsed."""

from __future__ import annotations

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.grammar.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading

_MAX_EXPECTED = 30


def check_text(reading: TextReading) -> Checked:
    """At most one finding."""
    if reading.error is None:
        return Checked([], {"tokens": len(reading.tokens)})
    names = [name if name != END else "the end" for name in reading.expected]
    wanted = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "nothing"
    found = ascii(reading.text[reading.start : reading.end])[:40] if reading.start < len(reading.text) else "the end"
    message = f"{found} stands where the grammar has {wanted}"[:300]
    places = [(reading.start, reading.end)]
    if reading.error == "unexpected_token":  # the token before it may be the wrong one as well
        places = [(token.start, token.end) for token in reading.parsed_tokens[-1:]] + places
    spans = tuple(Span(reading.offset + start, reading.offset + end) for start, end in places)
    return Checked([Finding(reading.error, message, spans)], {"expected": list(reading.expected[:_MAX_EXPECTED])})
