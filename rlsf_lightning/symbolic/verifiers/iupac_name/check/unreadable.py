"""Names that OPSIN cannot read: from its message to the characters that it stumbles over."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import REPLACED, Token, american, tokens_of

#: More brackets without a partner are not reported.
MAX_BRACKETS = 20
#: Characters up to the one that the grammar cannot follow, it included, that are blamed: a slip is often seen late.
STOP_CHARS = 3
#: Characters of a message that are kept.
MAX_MESSAGE = 400
#: What NameServer.java adds to the elements that OPSIN's messages quote.
TOKEN_INDEX = re.compile(r' tokenIndex="\d+"')

_SECTION = re.compile(
    r".* was uninterpretable due to the following section of the name: (?P<section>.*?)"
    r"(?:  The following was not understandable in the context it was used: (?P<context>.*))?",
    re.DOTALL,
)
_GRAMMAR = re.compile(r".* has no tokens unknown to OPSIN but does not conform to its grammar\. .*", re.DOTALL)
_REST = re.compile(
    r".* is unparsable due to the following being uninterpretable: (?P<section>.*)"
    r" The following was not parseable: (?P<context>.*)",
    re.DOTALL,
)
_LOCANT = re.compile(r"\blocants?:? ([\w'^*+-]*[\w'])")
_TOKEN = re.compile(r'tokenIndex="(\d+)"')
_LISTED = re.compile(r"(?:counts \(\d+ and \d+\):|assigned: )(.*)")
_WORD = re.compile(r"[A-Za-z]+|.", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"


def unmatched_brackets(text: str) -> list[int]:
    """The offsets of brackets without a partner."""
    opened, unmatched = list[int](), list[int]()
    for at, character in enumerate(text):
        if character in _OPENING:
            opened.append(at)
        elif character in _CLOSING:
            if opened:
                opened.pop()
            else:
                unmatched.append(at)
    return sorted(unmatched + opened)


def unreadable(text: str, answer: dict[str, Any], reach: Callable[[str], int]) -> list[Finding]:
    """The findings of a name that OPSIN gives no structure for; ``answer`` is that of ``read`` or ``judge``.

    ``contradiction``: every word can be read, but not what they mean together. ``reach`` says how far a word can be followed.
    """
    message = str(answer["message"])
    prepared, offsets = american(text)
    said = message.removeprefix(prepared)
    brackets = unmatched_brackets(text)
    if brackets:
        return [Finding("unmatched_bracket", "no partner", (Span(at, at + 1),)) for at in brackets[:MAX_BRACKETS]]
    section = _SECTION.fullmatch(said)
    if not section and not _GRAMMAR.fullmatch(said):
        return [Finding("contradiction", TOKEN_INDEX.sub("", said).strip()[:MAX_MESSAGE], _quoted(said, text, answer))]
    spans = _stops(text, reach)
    quoted = _quoted_section(section, str(answer["rest"]).removeprefix(prepared), prepared)
    if quoted is not None and not (
        spans and ", " in text
    ):  # of an inverted name OPSIN says where it would end otherwise
        spans.append(Span(offsets[quoted.start], offsets[quoted.end]))
    what = " and ".join(repr(text[span.start : span.end]) for span in spans[:3]) or "the name"
    return [Finding("uninterpretable", f"cannot be read: {what}"[:MAX_MESSAGE], tuple(sorted(set(spans))))]


def _stops(text: str, reach: Callable[[str], int]) -> list[Span]:
    """Where the grammar cannot follow a word: the last characters that it has seen by then."""
    spans = []
    for match in re.finditer(r"[^ ]+", text):
        unread = REPLACED.search(match[0])
        word, offsets = american(match[0][: unread.start()] if unread else match[0].rstrip(",;-"))
        reached = reach(word) if word else 0
        if reached < len(word):
            end = match.start() + offsets[reached + 1]
            spans.append(Span(max(match.start(), end - STOP_CHARS), end))
    return spans


def _quoted_section(section: re.Match[str] | None, rest: str, prepared: str) -> Span | None:
    """The narrowest part of the name that the message quotes. ``rest`` quotes two ends of the name: so begins what it does."""
    tail = _REST.fullmatch(rest)
    if tail is None or not prepared.endswith(tail["section"]):
        return None
    first, inner = (len(prepared) - len(tail[group]) for group in ("section", "context"))
    if section is None:
        word = _WORD.match(prepared, inner)
        return Span(inner, word.end() if word else inner)
    for quoted, start in ((section["context"], inner), (section["section"], first)):
        if quoted and quoted.strip():
            if prepared[start : start + len(quoted)] == quoted:
                return Span(start, start + len(quoted))
            if prepared.count(quoted) == 1:
                return Span(prepared.index(quoted), prepared.index(quoted) + len(quoted))
    return None


def _quoted(message: str, text: str, answer: dict[str, Any]) -> tuple[Span, ...]:
    """The spans of the tokens and locants that a message names, with the fragment that such a locant would be of."""
    tokens = tokens_of(answer.get("tokens", []), text)
    found = {int(index) for index in _TOKEN.findall(message)}
    locants = set(_LOCANT.findall(message))
    lists = {one for match in _LISTED.findall(message) for one in match.split()}
    spans = set()
    for i, token in enumerate(tokens):
        if token.tag == "locant":
            of_token = locants_in(text, token)
            named = [span for span, locant in of_token if locant in locants]
            spans |= set(named)
            if named:
                found |= set(_next_groups(tokens, i))
            if ",".join(locant for _, locant in of_token) in lists:
                found |= {i, i + 1, i + 2}
        if "bridge" in message and token.tag == "vonBaeyer":
            found |= {i, i + 1}
    spans |= {Span(tokens[i].start, tokens[i].end) for i in found if i < len(tokens)}
    return tuple(sorted(span for span in spans if span.end > span.start))


def _next_groups(tokens: tuple[Token, ...], at: int) -> list[int]:
    """The first group of the part that follows that of a token: what its substituent is on, most often."""
    part = tokens[at].part
    return [i for i in range(at, len(tokens)) if tokens[i].part > part and tokens[i].tag == "group"][:1]


def locants_in(text: str, token: Token) -> list[tuple[Span, str]]:
    """The single locants of a token like ``2,4'-``."""
    matches = re.finditer(r"[^,;:()\[\]{}\s-]+", text[token.start : token.end])
    return [(Span(token.start + match.start(), token.start + match.end()), match[0]) for match in matches]
