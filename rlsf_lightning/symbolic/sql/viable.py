"""Can this beginning still become a query that SQLite takes? And at which character did a dead one die?

SQLite's own parser is asked, of the beginning and everything that its last token can still become: an LALR parser says
"incomplete input" as long as a query is possible. A name after FROM or JOIN that is no table's dies, too, where nothing
in the query can have defined it. Dead is certain; nothing is said of columns, which may be defined later.
"""

from __future__ import annotations

from rlsf_lightning.symbolic.sql.database import Database
from rlsf_lightning.symbolic.sql.tokens import Token, could_become, tokens_of

_VERBS = ("SELECT", "WITH", "VALUES")
#: What may stand after FROM without being a table of the schema.
_OTHER_SOURCES = frozenset(
    "json_each json_tree main temp sqlite_master sqlite_schema sqlite_temp_master sqlite_temp_schema".split()
)
_WRITES = frozenset(("delete", "insert", "update"))


def is_syntax_error(message: str | None) -> bool:
    """Whether SQLite's parser refused a token."""
    return message is not None and (message.endswith(": syntax error") or message.startswith("unrecognized token"))


def is_dead(database: Database, text: str) -> bool:
    """Whether no query that SQLite takes begins with this text: certain."""
    tokens = tokens_of(text)
    if not tokens:
        return False
    last = tokens[-1]
    growing = last.end == len(text)
    if _breaks_rules(database, tokens, growing):
        return True
    before, ends = (text[: last.start], could_become(last)) if growing else (text, [""])
    return all(is_syntax_error(database.error_of(before + end)) for end in ends)


def first_dead(database: Database, text: str) -> int | None:
    """The first character with which the text dies, by bisection; None if it is alive."""
    if not is_dead(database, text):
        return None
    alive, dead = 0, len(text)
    while dead - alive > 1:
        middle = (alive + dead) // 2
        alive, dead = (alive, middle) if is_dead(database, text[:middle]) else (middle, dead)
    return dead - 1


def _breaks_rules(database: Database, tokens: list[Token], growing: bool) -> bool:
    """What the parser would take, but a verifier does not: writing, several statements, parameters, unknown tables."""
    if growing and (tokens[-1].text in ("-", "/") or tokens[-1].kind == "open_comment"):
        tokens, growing = tokens[:-1], False  # a comment, perhaps
    if not tokens:
        return False
    first, last = tokens[0], tokens[-1]
    verb_is_growing = growing and len(tokens) == 1
    if not any(v.startswith(first.text.upper()) if verb_is_growing else v == first.text.upper() for v in _VERBS):
        return True
    over = tokens if not growing else tokens[:-1]
    if any(token.kind == "variable" for token in tokens) or any(token.kind == "bad" for token in over):
        return True
    stops = [i for i, token in enumerate(tokens) if token.text == ";"]
    if stops and any(token.text != ";" for token in tokens[stops[0] :]):
        return True
    if any(token.name in _WRITES for token in over if token.kind == "word"):
        return True
    if any(token.name == "with" for token in tokens) or last.kind.startswith("open"):
        return False
    return any(_is_unknown_source(database, tokens, i, growing) for i in range(2, len(tokens)))


def _is_unknown_source(database: Database, tokens: list[Token], i: int, growing: bool) -> bool:
    name, before = tokens[i].name, tokens[i - 1].name
    if (
        name is None
        or tokens[i - 1].kind != "word"
        or before not in ("from", "join")
        or tokens[i - 2].name == "distinct"
    ):
        return False
    known = database.tables | _OTHER_SOURCES
    if i + 1 < len(tokens):
        return tokens[i + 1].text not in (".", "(") and name not in known
    if growing and tokens[i].kind == "word":
        return not any(source.startswith(name) for source in known)
    return name not in known and tokens[i].kind == "word"
