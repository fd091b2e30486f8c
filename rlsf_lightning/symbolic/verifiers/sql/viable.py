"""Whether a prefix can still become a query that SQLite takes, and the first dead character.

SQLite's own parser is asked, of the prefix and everything that its last token can still become: an LALR parser says
"incomplete input" as long as a query is possible. A name after FROM or JOIN that is no table's dies, too, where nothing
in the query can have defined it. Dead is certain; nothing is said of columns, which may be defined later.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rlsf_lightning.symbolic import certificates
from rlsf_lightning.symbolic.verifiers.sql.parse import first_illegible
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database
from rlsf_lightning.symbolic.verifiers.sql.sqlite.messages import is_syntax_error
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, could_become, tokens_of

#: Words by which a statement that writes is known, for what is said of it.
WRITING = frozenset("insert update delete replace drop create alter attach detach pragma vacuum reindex begin".split())
_VERBS = ("SELECT", "WITH", "VALUES")
#: What may stand after FROM without being a table of the schema.
_OTHER_SOURCES = frozenset(
    "json_each json_tree main temp sqlite_master sqlite_schema sqlite_temp_master sqlite_temp_schema".split()
)
#: White space to SQLite. What else is white space to Python counts at the end of a whole query, where it is stripped.
_SPACE = " \t\n\f\r"
_WRITES = frozenset(("delete", "insert", "update"))


@lru_cache(maxsize=64)
def is_dead(database: Database, text: str) -> bool:
    """Whether no query that SQLite takes begins with this text, or is it but for white space at the end: certain."""
    text = text[: len(text.rstrip(_SPACE)) + 1]  # more of it changes nothing
    return _has_no_future(database, text) and not (text.rstrip() != text.rstrip(_SPACE) and _is_whole(database, text))


def _is_whole(database: Database, text: str) -> bool:
    query = text.rstrip()
    return database.error_of(query) is None and not _has_no_future(database, query + " ")


def _has_no_future(database: Database, text: str) -> bool:
    tokens = tokens_of(text)
    if not tokens:
        return False
    last = tokens[-1]
    growing = last.end == len(text)
    if _breaks_rules(database, tokens, growing):
        return True
    before, ends = (text[: last.start], could_become(last)) if growing else (text, [""])
    if _names_window(tokens, growing):
        ends = [*ends, *(f"{end}\nAS" for end in ends)]
    return all(is_syntax_error(database.error_of(before + end)) for end in ends)


def first_dead(database: Database, text: str) -> int | None:
    """The first character with which the text dies; None if it is alive."""
    if not is_dead(database, text):
        return None
    return certificates.first_dead(text, lambda prefix: not is_dead(database, prefix))


def first_dead_of(database: Database, completion: str, text: str, offset: int, max_chars: int) -> int | None:
    """The first dead character of a completion that holds ``text`` at ``offset``; None where that is not certain."""
    if not text:
        return len(completion)
    bad = first_illegible(text, max_chars)
    dead = first_dead(database, completion[offset:] if bad is None else text[:bad])
    found = bad if dead is None else dead
    if found is not None:
        return offset + found
    # a last word that may become another one, but not end here
    return len(completion) if is_dead(database, text + " ") or is_unfinished(database, text) else None


def is_unfinished(database: Database, text: str) -> bool:
    """Whether a living text must go on: at its end a query is no query yet, or something is open."""
    tokens = tokens_of(text)
    return not tokens or tokens[-1].kind.startswith("open") or database.error_of(text) == "incomplete input"


def _names_window(tokens: Sequence[Token], growing: bool) -> bool:
    """Whether the text ends where only an AS to come makes a keyword of WINDOW."""
    tokens = _without_comment(tokens, growing)
    if len(tokens) < 2 or tokens[-2].kind != "word" or tokens[-2].name != "window":
        return False
    return tokens[-1].name is not None or tokens[-1].kind == "open"


def _without_comment(tokens: Sequence[Token], growing: bool) -> Sequence[Token]:
    """Without a last token that is, or may become, a comment."""
    last = tokens[-1]
    return tokens[:-1] if growing and (last.text in ("-", "/") or last.kind == "open_comment") else tokens


def _breaks_rules(database: Database, tokens: Sequence[Token], growing: bool) -> bool:
    """What the parser would take, but a verifier does not: writing, several statements, parameters, unknown tables."""
    if len(_without_comment(tokens, growing)) < len(tokens):
        tokens, growing = tokens[:-1], False
    if not tokens:
        return False
    first = tokens[0]
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
    defining = next((i for i, token in enumerate(tokens) if token.name == "with"), len(tokens) - 1)
    return any(_is_unknown_source(database, tokens, i, growing) for i in range(2, defining + 1))


def _is_unknown_source(database: Database, tokens: Sequence[Token], i: int, growing: bool) -> bool:
    before = tokens[i - 1]
    if before.kind != "word" or before.name not in ("from", "join"):
        return False
    name = tokens[i].name
    if name is None or tokens[i - 2].name == "distinct":
        return False
    known = database.tables | _OTHER_SOURCES
    if growing and i + 1 == len(tokens):  # a doubled quote would go on with the name
        return tokens[i].kind == "word" and not any(source.startswith(name) for source in known)
    return name not in known
