"""SQLite's tokens, with their places. Every character belongs to exactly one token; nothing is an error here."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\f\r][ \t\n\v\f\r]*|\ufeff|--[^\n]*|/\*.*?\*/)
    |(?P<open_comment>/\*.*)
    |(?P<blob>[xX]'(?:[0-9a-fA-F]{2})*')
    |(?P<open_blob>[xX]'[0-9a-fA-F]*\Z)
    |(?P<string>'(?:[^']|'')*'(?!'))
    |(?P<name>"(?:[^"]|"")*"(?!")|`(?:[^`]|``)*`(?!`)|\[[^\]]*\])
    |(?P<open>['"`\[].*)
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_$\x80-\U0010ffff]))
    |(?P<open_number>(?:0[xX]|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][+-]?)\Z)
    |(?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    |(?P<variable>\?[0-9]*|[:@$\#][A-Za-z0-9_$:]*)
    |(?P<sign>\|\||->>?|<<|>>|<=|>=|<>|!=|==|[-+*/%&|~<=>(),.;])
    |(?P<bad>[0-9.][A-Za-z0-9_.$]*|.)""",
    re.DOTALL | re.VERBOSE | re.ASCII,
)
SIGNS = "|| -> ->> << >> <= >= <> != == - + * / % & | ~ < = > ( ) , . ;".split()
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
#: Every keyword of SQLite 3.40 (https://www.sqlite.org/lang_keywords.html) that a query may hold.
KEYWORDS = (
    "ALL AND AS ASC BETWEEN BY CASE CAST COLLATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DESC DISTINCT "
    "ELSE END ESCAPE EXCEPT EXCLUDE EXISTS FILTER FIRST FOLLOWING FROM FULL GLOB GROUP GROUPS HAVING IN INDEXED INNER "
    "INTERSECT IS ISNULL JOIN LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTNULL NULL NULLS OFFSET ON OR "
    "ORDER OTHERS OUTER OVER PARTITION PRECEDING RAISE RANGE RECURSIVE REGEXP RIGHT ROW ROWS SELECT THEN TIES UNBOUNDED "
    "UNION USING VALUES WHEN WHERE WINDOW WITH"
).split()


class Token(NamedTuple):
    """``kind`` is a group of the expression above; ``space`` is also a comment; ``open...`` ends with the text."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def name(self) -> str | None:
        """What it names, in lower case: of a word or a quoted name. SQLite takes a text for a name, too, where one must be."""
        if self.kind == "word":
            return folded(self.text)
        if self.kind not in ("name", "string"):
            return None
        quote = self.text[-1]
        return folded(self.text[1:-1].replace(quote * 2, quote))


def folded(name: str) -> str:
    """A name in SQLite's lower case, which is of A to Z alone: it stays as long, and what begins it still does."""
    return name.translate(_LOWER)


@lru_cache(maxsize=4)
def tokens_of(text: str) -> tuple[Token, ...]:
    """All tokens but white space and comments. Remembered, as the same text is asked about several times in a row."""
    return tuple(
        Token(match.lastgroup or "", match.group(), match.start())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "space"
    )


def could_become(token: Token) -> list[str]:
    """What the last token of an unfinished text can be in the end, as far as grammar tells the difference."""
    text = token.text
    if token.kind == "word":
        blob = ["x''"] if text in "xX" else []
        return [f"{text}_0", *(keyword for keyword in KEYWORDS if keyword.startswith(text.upper())), *blob]
    if token.kind == "sign":
        comment = [""] if text in "-/" else []
        return [*(sign for sign in SIGNS if sign.startswith(text)), *comment, *([".5"] if text == "." else [])]
    if token.kind == "open":
        close = {"[": "]"}.get(text[0], text[0])
        return [text + close]
    if token.kind == "open_blob":
        return ["x''"]
    if token.kind == "open_number":
        return [text + "1"]
    if token.kind == "open_comment":
        return [""]
    if token.kind == "bad":
        return ["<>"] if text == "!" else []
    return [] if token.kind == "variable" else [text]


def meaning(token: Token) -> str:
    """Equal for tokens that mean the same."""
    if token.kind == "word":
        return folded(token.text)
    return {"<>": "!=", "==": "="}.get(token.text, token.text)
