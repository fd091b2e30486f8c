"""JSON parser (RFC 8259) into a tree with positions, of unfinished texts too.

Reading stops at the first character after which no JSON text is possible, and says what could have stood there. Beyond
the RFC's grammar three things are refused that readers disagree on: a key that an object already has, a number with a
fraction or an exponent that no double can hold, and nesting beyond a limit. Integers are as large as they are written.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

from rlsf_lightning.errors import ToolFailed

_SPACE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"[A-Za-z0-9_.+-]+|.", re.DOTALL | re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BEGUN_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:(?:\.[0-9]+)?[eE](?:[+-]?[0-9]*)|\.[0-9]*)?)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_BEGUN_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_LITERALS: dict[str, tuple[str, Any]] = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_SHOWN = 30
_TOO_LARGE = "a number that no double can hold"
#: Characters of an integer that is read: Python itself refuses a few more.
MAX_DIGITS = 4_000


@dataclass(eq=False, slots=True)
class Node:
    """One value. ``end`` is None where the text ends before it is over."""

    kind: str  # object, array, string, number, literal
    start: int
    end: int | None = None
    #: What ``json.loads`` gives; of an unfinished string, what there is of it.
    value: Any = None
    #: Of an object: key and value, which is None where the text ends before it. Of an array: (None, item).
    children: list[tuple[Node | None, Node | None]] = field(default_factory=list)


class Problem(NamedTuple):
    """``dead``: the offset of the first character that cannot be, the text's length where more is needed. ``comma``: that
    of the comma right before the place, which may be the mistake as well."""

    kind: str
    message: str
    start: int
    end: int
    dead: int
    comma: int | None = None


class DocumentReading(NamedTuple):
    """``root``: what could be read. ``closing``: with it behind the text, what is unfinished becomes complete."""

    text: str
    root: Node | None
    problems: tuple[Problem, ...]
    closing: str | None


class _StopReading(Exception):
    """The rest of the text is not read."""


def parse_document(text: str, max_depth: int) -> DocumentReading:
    """The tree of ``text``, with every duplicate key and bad number, and the first mistake of syntax.

    Raises ToolFailed for an integer of too many digits.
    """
    reader = _Reader(text, max_depth)
    try:
        reader.whole()
    except _StopReading:
        pass
    ended = all(problem.kind == "unexpected_end" for problem in reader.problems)
    closing = "".join(reversed(reader.closers)) if ended else None
    return DocumentReading(text, reader.root, tuple(reader.problems), closing)


class _Reader:
    def __init__(self, text: str, max_depth: int) -> None:
        self.text, self.max_depth = text, max_depth
        self.at = 0
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.open: list[Node] = []
        self.comma = 0  # the last one between members
        self.closers: list[str] = []  # what is missing at the end of the text, the last first

    def whole(self) -> None:
        self.space()
        self.root = self.value_here("a JSON value")
        self.value(self.root)
        self.space()
        if self.at < len(self.text):
            self.fail("the end of the text")

    def value_here(self, expected: str) -> Node:
        """An empty node for the value that begins here, so that it can be hung into the tree before it is read."""
        if self.at == len(self.text):
            self.closers.append("null")
            self.fail(expected)
        kinds = {"{": "object", "[": "array", '"': "string", "t": "literal", "f": "literal", "n": "literal"}
        character = self.text[self.at]
        kind = kinds.get(character) or ("number" if character in "-0123456789" else None)
        if kind is None:
            self.fail(expected)
        return Node(kind, self.at)

    def value(self, node: Node) -> None:
        if node.kind in ("object", "array"):
            if len(self.open) == self.max_depth:
                self.refuse("too_deep", f"nested deeper than {self.max_depth}", self.at, self.at + 1, self.at)
                raise _StopReading
            self.open.append(node)
            self.at += 1
            self.closers.append("}" if node.kind == "object" else "]")
            node.value = {} if node.kind == "object" else []
            (self.object if node.kind == "object" else self.array)(node)
            self.open.pop()
            self.closers.pop()
        else:
            {"string": self.string, "number": self.number, "literal": self.literal}[node.kind](node)
        node.end = self.at

    def object(self, node: Node) -> None:
        self.space()
        if self.take("}"):
            return
        expected = "a key in double quotes or }"
        while True:
            if self.peek() != '"':
                if len(node.children) and self.at == len(self.text):
                    self.closers.append(f'"{_free("", node.value)}":null')
                self.fail(expected)
            key = Node("string", self.at)
            node.children.append((key, None))
            self.closers.append(":null")
            self.string(key, node.value)
            key.end = self.at
            if key.value in node.value:
                message = f"the object already has the key {json.dumps(key.value)[:_SHOWN]}"
                self.refuse("duplicate_key", message, key.start, key.end, key.end - 1)
            self.space()
            if self.peek() != ":":
                self.fail(":")
            self.closers.pop()
            self.at += 1
            self.space()
            child = self.value_here("a JSON value")
            node.children[-1] = (key, child)
            self.value(child)
            node.value[key.value] = child.value
            self.space()
            if self.take("}"):
                return
            if not self.take(","):
                self.fail(", or }")
            self.space()
            expected = "a key in double quotes"

    def array(self, node: Node) -> None:
        self.space()
        if self.take("]"):
            return
        expected = "a JSON value or ]"
        while True:
            if self.at == len(self.text) and not node.children:
                self.fail(expected)
            child = self.value_here(expected)
            node.children.append((None, child))
            self.value(child)
            node.value.append(child.value)
            self.space()
            if self.take("]"):
                return
            if not self.take(","):
                self.fail(", or ]")
            self.space()
            expected = "a JSON value"

    def string(self, node: Node, taken: Mapping[str, Any] = MappingProxyType({})) -> None:
        """A string and its value; of an unfinished one what is whole. It can be closed to one that is not taken."""
        self.at += 1
        while True:
            self.at = _PLAIN.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.take('"'):
                node.value = json.loads(self.text[node.start : self.at])
                return
            if escape := _ESCAPE.match(self.text, self.at):
                self.at = escape.end()
                continue
            whole = self.at
            if self.peek() == "\\":
                self.at = _BEGUN_ESCAPE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at == len(self.text):
                node.value = _begun_string(self.text[node.start : whole])
                begun = self.text[whole:]
                escape_rest = "" if not begun else "0" * (6 - len(begun)) if "u" in begun else "\\"
                closed = json.loads(self.text[node.start :] + escape_rest + '"')
                self.closers.append(f'{escape_rest}{_free(closed, taken)}"')
                self.fail("the rest of the string", (node.start, node.start + 1))
            self.fail("another character, or an escape sequence, in a string")

    def number(self, node: Node) -> None:
        begun = _BEGUN_NUMBER.match(self.text, self.at)
        assert begun is not None
        self.at, written = begun.end(), begun.group()
        if not _NUMBER.fullmatch(written):
            if written.endswith("+") and _number(f"{written}0") is None:
                self.refuse("number_range", _TOO_LARGE, node.start, self.at, self.at - 1)
            self.closers.append(_rest_of_number(written))
            self.fail("a digit")
        node.value = _number(written)
        if node.value is None:
            self.refuse("number_range", _TOO_LARGE, node.start, self.at, node.start + _grown_too_large(written))

    def literal(self, node: Node) -> None:
        word, node.value = _LITERALS[self.text[self.at]]
        while word and self.peek() == word[0]:
            self.at, word = self.at + 1, word[1:]
        if word:
            self.closers.append(word)
            self.fail(f"{word[:1]} of {_LITERALS[self.text[node.start]][0]}")

    def space(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> bool:
        """Step over this character if it is the next one."""
        found = self.peek() == character
        if found and character == ",":
            self.comma = self.at
        self.at += found
        return found

    def refuse(self, kind: str, message: str, start: int, end: int, dead: int, comma: int | None = None) -> None:
        self.problems.append(Problem(kind, message, start, end, dead, comma))

    def fail(self, expected: str, opened: tuple[int, int] | None = None) -> NoReturn:
        """A mistake of syntax here, or more text is needed: reading ends."""
        at = self.at
        if at == len(self.text):
            start, end = opened or ((self.open[-1].start, self.open[-1].start + 1) if self.open else (at, at))
            self.refuse("unexpected_end", f"the text ends where {expected} is needed", start, end, at)
        else:
            found = _WORD.match(self.text, at)
            assert found is not None
            shown, end = json.dumps(found.group()[:_SHOWN]), found.end()
            comma = self.comma if self.text[self.comma : at].strip() == "," else None
            self.refuse("unexpected_token", f"{shown} stands where {expected} is needed", at, end, at, comma)
        raise _StopReading


def _number(written: str) -> int | float | None:
    """The value; None if it is no integer by its form and no double can hold it. Raises ToolFailed."""
    if not set(written) & set(".eE"):
        if len(written) > MAX_DIGITS:
            raise ToolFailed(f"an integer of {len(written)} characters, more than {MAX_DIGITS}")
        return int(written)
    return None if math.isinf(float(written)) else float(written)


def _grown_too_large(written: str) -> int:
    """How much of a number that is too large can still become a good one: a negative exponent makes any number small,
    and further digits of a positive one only make it larger."""
    mantissa, e, exponent = re.split("([eE])", written) if set(written) & set("eE") else (written, "", "")
    if not e or exponent.startswith("-"):
        return len(written)
    sign = len(exponent) - len(exponent.lstrip("+"))
    if sign and _number(f"{mantissa}e0") is None:
        return len(mantissa) + 1
    digits = next(n for n in range(sign + 1, len(exponent) + 1) if _number(mantissa + e + exponent[:n]) is None)
    return len(mantissa) + 1 + digits - 1


def _rest_of_number(written: str) -> str:
    """With what a begun number becomes one that a double holds."""
    if _number(f"{written}0") is not None:
        return "0"
    small = str(len(written))
    return {".": f"0e-{small}", "-": small}.get(written[-1], f"-{small}")


def _free(key: str, taken: Mapping[str, Any]) -> str:
    """What makes this key another one than those."""
    return "_" * next(n for n in itertools.count() if key + "_" * n not in taken)


def _begun_string(written: str) -> str:
    """The value of a string without its end. Half of a pair of surrogates at its end may become another character."""
    value: str = json.loads(written + '"')
    return value[:-1] if value and "\ud800" <= value[-1] <= "\udbff" else value
