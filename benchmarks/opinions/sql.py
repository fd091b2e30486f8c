"""SQL: DuckDB runs the reference and the query on the same databases.

The data of the mutants are the verifier's, as they are part of the task; which rows are the same, and which may
change places, is decided here. DuckDB is stricter than SQLite in several ways, so what it alone refuses is explained,
by the sort of its error. Its own texts are pairs of queries that ask the same in two ways, or nearly.
"""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

import duckdb
import sqlglot
from corpora import Case
from corpora.sql import _script as script_of
from sqlglot import exp

from opinions import Opinion
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.verifiers.sql.sqlite.mutants import mutate

TOOLS = ("duckdb", "sqlglot")
HOW = "DuckDB on the same databases"
EXPLAINED = {
    "stricter types": "DuckDB compares or adds no text and number where SQLite converts one of them",
    "bare column": "SQLite takes a column that is neither grouped nor aggregated from any row of the group",
    "another dialect": "names in quotes that are texts to SQLite, aggregates and functions "
    "that DuckDB lacks, words that it reserves",
    "wider dialect": "words and forms that DuckDB has and SQLite lacks",
    "order by chance": "rows that no ORDER BY puts in order come in any; the verifier has to take SQLite's",
    "integer division": "`/` and `%` of integers: SQLite's quotient is an integer, DuckDB's is not",
}
MUTANTS, MAX_CHARS = 4, 5000
_READING = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE | re.DOTALL)
_TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE", "TEXT": "VARCHAR"}
_STRICT = (
    "Cannot compare",
    "Could not convert",
    "Cannot mix",
    "No function matches",
    "Conversion Error",
    "cannot be cast",
    "type mismatch",
    "explicit type cast",
    "explicit cast",
    "Could not choose a best candidate",
)


def opinion(case: Case) -> Opinion:
    """On every database the rows of the reference, in its order where it has one."""
    query = re.sub(r"[\s;]*\Z", "", _uncommented(case.completion))
    if len(case.completion.strip()) > MAX_CHARS or not _READING.match(query):
        return Opinion(False, "no query")
    if any(c in query for c in "\x00\ud800"):
        return Opinion(None, "characters that DuckDB does not take")
    script, reference = case.prompt.facts["schema"], case.prompt.reference or ""
    for seed in (None, *range(1, MUTANTS + 1)):
        try:
            groups = _groups(script, seed, reference)
        except (duckdb.Error, sqlglot.ParseError) as error:
            return Opinion(None, f"the reference: {type(error).__name__}: {str(error)[:80]}")
        try:
            rows = _run(script, seed, query)
        except (duckdb.Error, UnicodeError) as error:
            return Opinion(False, f"DuckDB: {' '.join(str(error).split())[:200]}")
        if not _fits(rows, *groups):
            is_order = Counter(rows) == Counter(row for group in groups[0] for row in group)
            return Opinion(False, f"{'order' if is_order else 'rows'} on database {seed or 0}")
    return Opinion(True, "the same rows")


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """By DuckDB's error, or by what the query leaves open."""
    if re.search(r"[/%]", case.completion):
        return "integer division"
    if said.passes:
        refused = {
            "syntax",
            "unknown_function",
            "bad_character",
            "invalid_query",
            "wrong_arguments",
            "misuse",
            "ambiguous_column",
        }
        kinds = {finding.kind for finding in certificate.findings}
        if "wrong_order" in kinds or (kinds == {"wrong_rows"} and "LIMIT" in case.completion.upper()):
            return "order by chance"
        return "wider dialect" if kinds and kinds <= refused else None
    if not said.reason.startswith("DuckDB"):
        return "order by chance" if said.reason.startswith("order") or "LIMIT" in case.completion.upper() else None
    if "must appear in the GROUP BY" in said.reason:
        return "bare column"
    is_strict = any(words in said.reason for words in _STRICT)
    return "stricter types" if is_strict else "another dialect"


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: a reference, and queries that ask the same or nearly."""
    for number in itertools.count():
        script = script_of(["student", "orders"], rng)
        for _ in range(4):
            values = {
                "N": str(rng.randint(5, 30)),
                "G": rng.choice(["Oslo", "Rome", "Bern"]),
                "K": str(rng.randint(1, 4)),
            }
            family = [_valued(text, values) for text in rng.choice(_FAMILIES)]
            reference = rng.choice(family[:2])
            prompt = Prompt(f"own {reference} {number}", "", reference, facts={"schema": script})
            for text in family:
                yield Case(prompt, text)


def _valued(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w)\}", lambda match: values[match[1]], text)


#: In each, the first two may be the reference; some of the others ask the same.
_FAMILIES = [
    [
        "SELECT name FROM student WHERE age > {N}",
        "SELECT s.name FROM student s WHERE NOT s.age <= {N}",
        "SELECT name FROM student WHERE age >= {N} + 1",
        "SELECT name FROM student WHERE age > {N} AND age IS NOT NULL",
        "SELECT DISTINCT name FROM student WHERE age > {N}",
        "SELECT name FROM student EXCEPT SELECT name FROM student WHERE age <= {N}",
        "SELECT name FROM student WHERE id IN (SELECT id FROM student WHERE age > {N})",
    ],
    [
        "SELECT city, COUNT(*) FROM student GROUP BY city",
        "SELECT city, SUM(1) FROM student GROUP BY 1",
        "SELECT city, COUNT(city) FROM student GROUP BY city",
        "SELECT city, COUNT(id) FROM student GROUP BY city ORDER BY 2",
        "SELECT DISTINCT city, COUNT(*) OVER (PARTITION BY city) FROM student",
        "SELECT city, COUNT(*) FROM student WHERE city IS NOT NULL GROUP BY city",
    ],
    [
        "SELECT name FROM student WHERE city = '{G}' OR city IS NULL",
        "SELECT name FROM student WHERE COALESCE(city, '{G}') = '{G}'",
        "SELECT name FROM student WHERE IFNULL(city, '{G}') = '{G}'",
        "SELECT name FROM student WHERE city IN ('{G}', NULL)",
        "SELECT name FROM student WHERE city <> '{G}'",
        "SELECT name FROM student WHERE city LIKE '{G}' OR city IS NULL",
    ],
    [
        "SELECT s.name, o.item FROM student s JOIN orders o ON o.student_id = s.id",
        "SELECT s.name, o.item FROM orders o, student s WHERE s.id = o.student_id",
        "SELECT s.name, o.item FROM student s LEFT JOIN orders o ON o.student_id = s.id",
        "SELECT s.name, o.item FROM student s LEFT JOIN orders o ON o.student_id = s.id WHERE o.id IS NOT NULL",
        "SELECT (SELECT name FROM student WHERE id = o.student_id), item FROM orders o",
        "SELECT o.item, s.name FROM student s JOIN orders o ON o.student_id = s.id",
    ],
    [
        "SELECT name FROM student s WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.student_id = s.id)",
        "SELECT s.name FROM student s LEFT JOIN orders o ON o.student_id = s.id WHERE o.id IS NULL",
        "SELECT name FROM student WHERE id NOT IN (SELECT student_id FROM orders)",
        "SELECT name FROM student WHERE id NOT IN (SELECT student_id FROM orders WHERE student_id IS NOT NULL)",
        "SELECT name FROM student EXCEPT SELECT s.name FROM student s JOIN orders o ON o.student_id = s.id",
    ],
    [
        "SELECT name, age FROM student ORDER BY age DESC, id",
        "SELECT name, age FROM student s ORDER BY -age, s.id",
        "SELECT name, age FROM student ORDER BY age DESC",
        "SELECT name, age FROM student ORDER BY 2 DESC, id ASC",
        "SELECT name, age FROM student",
        "SELECT name, age FROM (SELECT * FROM student ORDER BY id) ORDER BY age DESC, id",
    ],
    [
        "SELECT name FROM student ORDER BY age LIMIT {K}",
        "SELECT name FROM student ORDER BY age ASC LIMIT {K} OFFSET 0",
        "SELECT name FROM student ORDER BY age, id LIMIT {K}",
        "SELECT name FROM student ORDER BY age LIMIT {K} OFFSET 1",
        "SELECT name FROM student ORDER BY age DESC LIMIT {K}",
        "SELECT name FROM (SELECT * FROM student ORDER BY age LIMIT {K})",
    ],
    [
        "SELECT MAX(age) FROM student",
        "SELECT age FROM student WHERE age IS NOT NULL ORDER BY age DESC LIMIT 1",
        "SELECT age FROM student s WHERE NOT EXISTS (SELECT 1 FROM student t WHERE t.age > s.age)",
        "SELECT MAX(age) FROM student WHERE age > {N}",
        "SELECT MAX(age) AS m FROM student HAVING COUNT(*) > 0",
    ],
    [
        "SELECT city, AVG(credits) FROM student GROUP BY city HAVING AVG(credits) > {N}",
        "SELECT * FROM (SELECT city, AVG(credits) AS a FROM student GROUP BY city) WHERE a > {N}",
        "SELECT city, SUM(credits) * 1.0 / COUNT(credits) FROM student GROUP BY city HAVING AVG(credits) > {N}",
        "SELECT city, AVG(credits) FROM student WHERE credits > {N} GROUP BY city",
        "WITH x AS (SELECT city, AVG(credits) AS a FROM student GROUP BY city) SELECT city, a FROM x WHERE NOT a <= {N}",
    ],
    [
        "SELECT name, CASE WHEN age > {N} THEN 'old' ELSE 'young' END FROM student",
        "SELECT name, CASE WHEN age <= {N} THEN 'young' ELSE 'old' END FROM student",
        "SELECT name, CASE age > {N} WHEN 1 THEN 'old' ELSE 'young' END FROM student",
        "SELECT name, 'old' FROM student WHERE age > {N} UNION ALL SELECT "
        "name, 'young' FROM student WHERE age <= {N} OR age IS NULL",
        "SELECT name, 'old' FROM student WHERE age > {N} UNION SELECT name, "
        "'young' FROM student WHERE age <= {N} OR age IS NULL",
        "SELECT name, IIF(age > {N}, 'old', 'young') FROM student",
    ],
    [
        "SELECT COUNT(DISTINCT city) FROM student",
        "SELECT COUNT(*) FROM (SELECT DISTINCT city FROM student WHERE city IS NOT NULL)",
        "SELECT COUNT(*) FROM (SELECT DISTINCT city FROM student)",
        "SELECT COUNT(city) FROM student",
        "SELECT COUNT(*) FROM (SELECT city FROM student GROUP BY city HAVING city IS NOT NULL)",
    ],
    [
        "SELECT name FROM student WHERE age BETWEEN {K} AND {N}",
        "SELECT name FROM student WHERE age >= {K} AND age <= {N}",
        "SELECT name FROM student WHERE age BETWEEN {N} AND {K}",
        "SELECT name FROM student WHERE age > {K} AND age < {N}",
        "SELECT name FROM student WHERE age >= {K} INTERSECT SELECT name FROM student WHERE age <= {N}",
    ],
    [
        "SELECT name, ROW_NUMBER() OVER (ORDER BY id) FROM student",
        "SELECT s.name, (SELECT COUNT(*) FROM student t WHERE t.id <= s.id) FROM student s",
        "SELECT name, RANK() OVER (ORDER BY id) FROM student",
        "SELECT name, id FROM student",
        "SELECT name, ROW_NUMBER() OVER (ORDER BY id DESC) FROM student",
    ],
    [
        "SELECT name || ' of ' || city FROM student",
        "SELECT name || (' of ' || city) FROM student",
        "SELECT name || ' of ' || COALESCE(city, '') FROM student",
        "SELECT name || ' of ' || city FROM student WHERE city IS NOT NULL",
        "SELECT UPPER(name) || ' of ' || city FROM student",
        "SELECT SUBSTR(name, 1, 9) || ' of ' || city FROM student",
    ],
]


def _uncommented(text: str) -> str:
    return re.sub(r"('[^']*')|--[^\n]*|/\*.*?\*/", lambda match: match[1] or " ", text.strip(), flags=re.DOTALL)


@lru_cache(maxsize=64)
def _database(script: str, seed: int | None) -> Any:
    """DuckDB with the rows that SQLite has."""
    source = sqlite3.connect(":memory:", isolation_level=None)
    source.executescript(script)
    if seed is not None:
        mutate(source, seed)
    made = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MB", "enable_external_access": "false"})
    made.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'")
    for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = source.execute(f"PRAGMA table_info({table})").fetchall()
        made.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {_TYPES[sort]}' for _, name, sort, *_ in columns)})")
        rows = source.execute(f"SELECT * FROM {table}").fetchall()
        if rows:
            made.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
    return made


def _run(script: str, seed: int | None, query: str) -> list[tuple[Any, ...]]:
    query = re.sub(r"('[^']*')|\bLIKE\b", lambda m: m[1] or "ILIKE", query, flags=re.IGNORECASE)
    cursor = _database(script, seed).cursor()
    statements = cursor.extract_statements(query)
    if len(statements) != 1:
        raise duckdb.ParserException(f"{len(statements)} statements")
    return [tuple(map(_plain, row)) for row in cursor.execute(query).fetchmany(10_001)]


def _plain(value: Any) -> Any:
    """Numbers that differ in how they are stored alone are equal, but a number and a text are not. What SQLite has not, such as
    structs, lists and dates, is equal to nothing of it."""
    if isinstance(value, str | bytes) or value is None:
        return value
    if not isinstance(value, int | float | Decimal):
        return type(value).__name__, repr(value)
    return float(f"{float(value):.11g}")


@lru_cache(maxsize=512)
def _groups(script: str, seed: int | None, reference: str) -> tuple[list[list[tuple[Any, ...]]], int | None]:
    """The reference's rows, in groups of those that its ORDER BY holds for equal, and the number that a LIMIT leaves."""
    tree = sqlglot.parse_one(reference, read="sqlite")
    order = tree.args.get("order")
    if order is None or not isinstance(tree, exp.Select):
        return [_run(script, seed, reference)], None
    kept = len(_run(script, seed, reference))
    skipped = tree.args.get("offset")
    if skipped is not None and skipped.expression.name != "0":
        raise duckdb.Error("an offset")
    columns = {s.alias_or_name: s.unalias() for s in tree.selects}
    ranked = tree.copy()
    for part in ("order", "limit", "offset"):
        ranked.set(part, None)
    keys = order.copy().transform(_meant, columns, tree.selects)
    text = ranked.select(f"RANK() OVER ({keys.sql('duckdb')}) AS rank_of_row").sql("duckdb")
    rows = sorted(_run(script, seed, text), key=lambda row: row[-1])
    groups: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[-1], []).append(row[:-1])
    return list(groups.values()), kept


def _meant(node: Any, columns: dict[str, Any], selects: list[Any]) -> Any:
    """What a name, or a number, in an ORDER BY stands for."""
    if isinstance(node, exp.Column) and not node.table and node.name in columns:
        return columns[node.name].copy()
    if isinstance(node, exp.Literal) and node.is_int and isinstance(node.parent, exp.Ordered):
        return selects[int(node.name) - 1].unalias().copy()
    return node


def _fits(rows: list[tuple[Any, ...]], groups: list[list[tuple[Any, ...]]], kept: int | None) -> bool:
    if kept is None:
        return Counter(rows) == Counter(groups[0])
    if len(rows) != kept:
        return False
    at = 0
    for group in groups:
        part = rows[at : at + len(group)]
        if not Counter(part) <= Counter(group):
            return False
        at += len(group)
    return True
