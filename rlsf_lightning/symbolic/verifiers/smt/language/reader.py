"""A reader of SMT-LIB's S-expressions with their spans, within bounds, of texts that are whole or cut off anywhere.

A text is cut into commands first: the names of commands are reserved words, so ``(assert`` begins a command wherever it
stands, and a parenthesis that is missing in one command does not spoil the next. Never here: what a command means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span

#: Commands that a text may hold; the last ones change nothing and never reach the solver.
DECLARATIONS = ("declare-const", "declare-fun", "declare-sort", "define-const", "define-fun", "define-sort")
IDLE = ("set-logic", "check-sat", "get-model")
ALLOWED = frozenset((*DECLARATIONS, "assert", *IDLE))
#: Every other command of SMT-LIB 2.7: known, but refused.
REFUSED = frozenset(
    "check-sat-assuming declare-datatype declare-datatypes declare-sort-parameter define-fun-rec define-funs-rec echo "
    "exit get-assertions get-assignment get-info get-option get-proof get-unsat-assumptions get-unsat-core get-value "
    "pop push reset reset-assertions set-info set-option include".split()
)
COMMANDS = ALLOWED | REFUSED
RESERVED = COMMANDS | frozenset("_ ! as let exists forall match par BINARY DECIMAL HEXADECIMAL NUMERAL".split())
MAX_FINDINGS = 20
#: Kinds of tokens that the next character may still change.
_GROWING = frozenset(("symbol", "number", "bits", "hex", "keyword"))

_SPACE = r"[ \t\r\n]+|;[^\n]*"
_SIMPLE = r"[A-Za-z~!@$%^&*_+=<>.?/-][A-Za-z0-9~!@$%^&*_+=<>.?/-]*"
#: What may stand between bars.
_QUOTED = r"[^|\\\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
_BLANKS = re.compile(rf"(?:{_SPACE})*", re.A)
_TOKEN = re.compile(
    rf"""(?>(?:{_SPACE})*) (?: (?P<open>\() | (?P<close>\))
    | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?![A-Za-z0-9~!@$%^&*_+=<>.?/-])) | (?P<bits>\#b[01]+(?![0-9A-Za-z]))
    | (?P<hex>\#x[0-9A-Fa-f]+(?![0-9A-Za-z])) | (?P<symbol>{_SIMPLE}|\|{_QUOTED}*\|) | (?P<keyword>:{_SIMPLE}))""",
    re.X | re.A,
)
_PARTLY = re.compile(rf"(?:0|[1-9][0-9]*)\.|\#(?:b|x)?|:|\|{_QUOTED}*", re.A)
#: A word that is no token (``01``, ``12ab``, ``#b12``), taken whole; of anything else, one character.
_BAD_WORD = re.compile(r"[#0-9][A-Za-z0-9~!@$%^&*_+=<>.?/-]*|[^ ]|\s", re.A)
#: What a token will be that the end of the text cuts off, by its first character; else a number.
_CUT = {"|": "symbol", "#": "bits", ":": "keyword"}


class Token(NamedTuple):
    """A token at ``start`` to ``end``; of the kinds ``bad`` and ``cut`` too (one that the end of the text cuts off)."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class Node:
    """An atom, or a list (``kind`` "list"); ``is_open``: the text ends before it is closed, or where it may go on."""

    kind: str
    text: str
    start: int
    end: int
    items: list[Node] = field(default_factory=list)
    is_open: bool = False

    @property
    def head(self) -> str:
        """The symbol that a list begins with, or nothing."""
        return self.items[0].text if self.items and self.items[0].kind == "symbol" else ""

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass
class Reading:
    """The commands of a text, each read for itself, and what is wrong with its parentheses and tokens."""

    commands: list[Node] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    #: (start, end) of commands that are not well formed.
    broken: list[tuple[int, int]] = field(default_factory=list)


def tokens_of(text: str) -> list[Token]:
    """All tokens, without white space and comments. Never raises; linear."""
    tokens, at = [], 0
    while match := _TOKEN.match(text, at) or _unknown(text, at):
        kind, end = match.lastgroup, match.end()
        if kind is not None:
            start = match.start(kind)
        else:
            start, kind = match.start(), "cut" if match.re is _PARTLY else "bad"
        tokens.append(Token(kind, text[start:end], start, end))
        at = end
    return tokens


def _unknown(text: str, at: int) -> re.Match[str] | None:
    """What is no token: the beginning of one, which the end of the text cuts off, or else; None at the end."""
    blanks = _BLANKS.match(text, at)
    assert blanks is not None, "it matches nothing too"
    part = _PARTLY.match(text, blanks.end())
    return part if part is not None and part.end() == len(text) else _BAD_WORD.match(text, blanks.end())


def name_of(node: Node) -> str:
    """The symbol without its bars, as far as it goes: ``|x|`` and ``x`` are one symbol."""
    return node.text.strip("|")


def read(text: str, max_depth: int, *, is_whole: bool = True) -> Reading:
    """The commands of a text. Where it is not whole, its end may lie anywhere, and is no mistake."""
    return read_tokens(tokens_of(text), max_depth, is_whole, len(text))


def read_tokens(tokens: Sequence[Token], max_depth: int, is_whole: bool = True, length: int | None = None) -> Reading:
    """The commands of a text of that length, which need only be told where it is not whole."""
    reading = Reading()
    grows = not is_whole and bool(tokens) and tokens[-1].end == length and tokens[-1].kind in _GROWING
    settled = len(tokens) - grows
    starts = [i for i in range(settled - 1) if _begins_command(tokens[i], tokens[i + 1])]
    if not starts or starts[0] > 0:
        starts.insert(0, 0)
    if not is_whole and (begun := _last_begun(tokens[starts[-1] :], grows)) is not None:
        starts.append(starts[-1] + begun)
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        if start == end:
            continue
        is_last = end == len(tokens)
        _read_command(reading, tokens[start:end], max_depth, is_whole or not is_last, grows and is_last)
    del reading.findings[MAX_FINDINGS:]
    return reading


def _begins_command(token: Token, after: Token) -> bool:
    return token.kind == "open" and after.kind == "symbol" and after.text in COMMANDS


def _last_begun(tokens: Sequence[Token], grows: bool) -> int | None:
    """Where, after a whole command, the end of the text begins another one whose name is not there yet."""
    last = len(tokens) - 1 - (grows and tokens[-1].kind == "symbol")
    if last < 1 or tokens[last].kind != "open":
        return None
    depth = 0
    for token in tokens[:last]:
        depth = max(0, depth + (token.kind == "open") - (token.kind == "close"))
    return last if depth == 0 else None


def _read_command(reading: Reading, tokens: Sequence[Token], max_depth: int, is_whole: bool, grows: bool) -> None:
    """Read one command, up to the next; ``grows``: its last token may become another one."""
    stack: list[Node] = []
    found: list[Finding] = []
    command: Node | None = None
    for token in tokens:
        if token.kind == "bad" or (token.kind == "cut" and is_whole):
            found.append(_bad_token(token))
        elif command is not None or (token.kind == "close" and not stack):
            _add_stray(found, "nothing is open here", token)
        elif token.kind == "open":
            if len(stack) == max_depth:
                found.append(Finding("too_deep", f"more than {max_depth} levels", (Span(token.start, token.end),)))
                break
            node = Node("list", "(", token.start, token.end)
            if stack:
                stack[-1].items.append(node)
            stack.append(node)
        elif token.kind == "close":
            node = stack.pop()
            node.end = token.end
            command = node if not stack else None
        elif not stack:
            _add_stray(found, "a command begins with (", token)
        else:
            stack[-1].items.append(_atom(token, grows and token is tokens[-1]))
    start, end = tokens[0].start, tokens[-1].end
    if stack and is_whole and not any(finding.kind in ("too_deep", "unclosed") for finding in found):
        found.append(_unclosed(len(stack), end))
    if stack and not found:
        for node in stack:
            node.is_open, node.end = True, end
        command = stack[0]
    reading.findings += found[:MAX_FINDINGS]
    if found:
        reading.broken.append((start, end))
    elif command is not None:
        reading.commands.append(command)


def _atom(token: Token, may_grow: bool) -> Node:
    is_cut = token.kind == "cut"
    kind = _CUT.get(token.text[0], "number") if is_cut else token.kind
    return Node(kind, token.text, token.start, token.end, is_open=is_cut or may_grow)


def _unclosed(count: int, end: int) -> Finding:
    message = f"{count} closing parenthes{'i' if count == 1 else 'e'}s missing at the end of this command"
    return Finding("unclosed", message, (Span(end - 1, end),))


def _add_stray(found: list[Finding], message: str, token: Token) -> None:
    """One finding for all that follows each other."""
    start = token.start
    if found and found[-1].kind == "unexpected":
        start, message = found.pop().spans[0].start, "this belongs to no command"
    found.append(Finding("unexpected", message, (Span(start, token.end),)))


def _bad_token(token: Token) -> Finding:
    spans = (Span(token.start, token.end),)
    if token.text.startswith("|"):
        return Finding("unclosed", "| is opened here and never closed", (Span(token.start, token.start + 1),))
    if token.text[0] in "#0123456789":
        return Finding("bad_literal", "no literal of SMT-LIB", spans)
    return Finding("bad_character", "no token of SMT-LIB begins with this", spans)


def forms(text: str) -> list[Node]:
    """The expressions that the solver prints, one after the other, with their text. Its nesting is not limited here."""
    top = Node("list", "(", 0, len(text))
    stack = [top]
    for token in tokens_of(text):
        if token.kind == "close" and len(stack) > 1:
            done = stack.pop()
            done.end, done.text = token.end, text[done.start : token.end]
            continue
        node = Node("list" if token.kind == "open" else token.kind, token.text, token.start, token.end)
        stack[-1].items.append(node)
        if token.kind == "open":
            stack.append(node)
    return top.items
