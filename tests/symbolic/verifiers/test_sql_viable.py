"""Which beginnings of SQL queries can still become one: never dead too early, and dead for good."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, could_become, tokens_of
from rlsf_lightning.symbolic.verifiers.sql.verifier import SqlVerifier
from rlsf_lightning.symbolic.verifiers.sql.viable import is_dead

VERIFIER = SqlVerifier()
#: Words that SQLite reserves, within names and at their beginnings.
SCRIPT = """
CREATE TABLE film (total INTEGER, address TEXT, settings TEXT, "fi""lm" TEXT, intox TEXT, indexes TEXT, checked TEXT);
CREATE TABLE "Ère" (a INTEGER);
CREATE TABLE "ΑΣΑ" (a INTEGER);
CREATE TEMP TABLE kept (a INTEGER);
CREATE TABLE "to""day" (a INTEGER);
INSERT INTO film VALUES (1, 'a', 'b', 'c', 'd', 'e', 'f');
"""
PROMPT = Prompt("p", "", "SELECT total FROM film", facts={"schema": SCRIPT})
DATABASE = Database(SCRIPT)


def alive(text: str) -> list[bool]:
    return [VERIFIER.viable(PROMPT, text[:end]) is not False for end in range(len(text) + 1)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT address, MIN(total) FROM film",
        "SELECT settings, intox, indexes, checked AS setting FROM film AS uniqueness",
        "SELECT film.address, film.total AS to_, 1 AS returningx, 2 AS nothings, 3 AS tables, 4 AS dropped FROM film",
        "SELECT 1 AS createdx, 2 AS defaults, 3 AS updated, 4 AS deletedx, 5 AS inserted, 6 AS transactions",
        'SELECT "fi""lm" FROM film',
        'SELECT a FROM "to""day"',
        "SELECT a FROM \"to\"\"day\" WHERE a = 'it''s'",
        "SELECT a FROM Ère",
        "SELECT a FROM ΑΣΑ",
        "SELECT a FROM kept",
        "SELECT a FROM temp.kept",
        "SELECT total FROM film WHERE total IS DISTINCT FROM address",
        "WITH fil AS (SELECT 1) SELECT * FROM fil",
        "SELECT * FROM (WITH fil AS (SELECT 1) SELECT * FROM fil)",
        "SELECT sum(total) OVER wxyz FROM film WINDOW wxyz AS (ORDER BY total ROWS 1 PRECEDING)",
        'SELECT sum(total) OVER "w x" FROM film WINDOW /* so */ "w x"--\n AS ( ), b AS (ORDER BY total)',
        "SELECT total window FROM film window WHERE window.total = 1",
        "SELECT \v total \ufeff FROM film",
        "SELECT 1\N{NO-BREAK SPACE}",
        "SELECT 1 \x1c\n",
        "SELECT [x: syntax error] FROM (SELECT 1 AS [x: syntax error])",
    ],
)
def test_no_beginning_of_a_query_that_sqlite_takes_is_dead(query: str) -> None:
    assert DATABASE.error_of(query.strip()) is None
    assert all(alive(query))
    assert VERIFIER.verify(PROMPT, query).dead_from is None


def test_every_reserved_word_may_begin_a_name() -> None:
    reserved = (
        "to add alter check commit create default delete drop index insert into set table update where select from"
    )
    for word in reserved.split():
        for end in range(1, len(word) + 1):
            assert not is_dead(DATABASE, f"SELECT 1 AS {word[:end]}")
            assert any(ending.lower() not in reserved for ending in could_become(Token("word", word[:end], 0)))


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("SELECT total FROM fil WHERE total LIKE 'a", 21),
        ("SELECT total FROM amount(1", 18),
        ("SELECT total FROM amount.x", 18),
        ("SELECT total FROM fil WHERE 1 IN (WITH x AS (SELECT 1) SELECT 1)", 21),
        ("SELECT total AS{ x FROM film WHERE 'a' = \"b\" [x", 15),
        ('SELECT total FROM "fil" WHERE 1', 23),
        ("SELECT 1\N{NO-BREAK SPACE} x", 10),
        ("SELECT 1 FROM film WHERE select\N{NO-BREAK SPACE}", 32),
    ],
)
def test_dead_is_dead_for_good(text: str, dead: int) -> None:
    assert alive(text) == [end <= dead for end in range(len(text) + 1)]
    assert VERIFIER.verify(PROMPT, text).dead_from == dead


def test_the_first_dead_character_of_a_long_text_is_none_that_may_be_stripped() -> None:
    verifier = SqlVerifier(max_chars=10)
    text = "SELECT 10      x"
    assert verifier.verify(PROMPT, text).dead_from == 15
    assert [verifier.viable(PROMPT, text[:end]) is not False for end in (15, 16)] == [True, False]
    assert verifier.recheck(verifier.verify(PROMPT, text), PROMPT, text)


def test_a_quote_that_is_doubled_does_not_end_a_text() -> None:
    assert [(t.kind, t.text) for t in tokens_of("'it''s' \"a\"\"\" 'b''")] == [
        ("string", "'it''s'"),
        ("name", '"a"""'),
        ("open", "'b''"),
    ]


_PIECES = st.sampled_from(
    "SELECT|FROM|fil|film|total|to|AS|{|?|x|'a|''|\"|`|[|]|(|)|,|.|;|-|/|*|/*|*/|--|\n| | |\v|\u00a0|\ufeff|1|1e|0x|x'|WITH|"
    "WHERE|=|!|<|JOIN|DISTINCT|delete|main|temp|IN|VALUES|\0".split("|")
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_PIECES, max_size=12), st.sampled_from(["", "SELECT ", "SELECT total FROM ", "SELECT total AS"]))
def test_nothing_lives_again(pieces: list[str], start: str) -> None:
    text = start + "".join(pieces)
    lives = alive(text)
    assert lives == sorted(lives, reverse=True), text
    certificate = VERIFIER.verify(PROMPT, text)
    assert VERIFIER.recheck(certificate, PROMPT, text)
    if certificate.verdict is Verdict.PASS:
        assert all(lives)
    elif certificate.dead_from is not None and certificate.dead_from < len(text):
        assert lives.index(False) == certificate.dead_from + 1
