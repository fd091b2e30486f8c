"""SQL: generated tables and queries, as there are no real ones here whose rows could be compared.

What is wrong is decided by Python's own sqlite3: an error, other rows, or rows in another order where the reference sorts.
"""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from edits import replaced

from corpora import Case, Injected
from rlsf_lightning.records import Prompt

OPTIONS: dict[str, Any] = {}
WHY = {
    "hit": "A query that SQLite takes has no place of its own where it is wrong: where the smallest change towards the "
    "reference is another one than the mistake, or too large, that place is not hit.",
    "exhaustive": "`viable` is one-sided: only that a prefix called dead has no continuation can be compared.",
}

_TABLES = {
    "student": ("name TEXT", "age INTEGER", "city TEXT", "credits REAL"),
    "course": ("title TEXT", "room INTEGER", "level TEXT", "price REAL"),
    "orders": ("item TEXT", "amount INTEGER", "region TEXT", "total REAL"),
    "film": ("title TEXT", "year INTEGER", "genre TEXT", "rating REAL"),
    "employee": ("name TEXT", "salary INTEGER", "office TEXT", "bonus REAL"),
    "animal": ("species TEXT", "legs INTEGER", "habitat TEXT", "weight REAL"),
}
_NAMES = "Ann Bob Cid Dee Eve Fay Gus Hal Ida Jon Kim Lea".split()
_GROUPS = "Oslo Rome Lima Bern Kiev".split()
_TOKEN = re.compile(r"'[^']*'|\w+(?:\.\w+)?|<>|<=|>=|!=|[^\s\w]")
_KEYWORD = re.compile(r"\b(?:SELECT|FROM|WHERE|AND|OR|NOT|IN|AS|JOIN|ON|GROUP|BY|HAVING|ORDER|LIMIT|DESC|ASC|"
                      r"DISTINCT|BETWEEN|LIKE|COUNT|SUM|AVG|MIN|MAX|CASE|WHEN|THEN|ELSE|END|IS|NULL)\b")  # fmt: skip
_AGGREGATES = ("COUNT", "SUM", "AVG", "MIN", "MAX")
#: Mistakes: which tokens they are made of, and what becomes of such a one.
_EDITS: dict[str, tuple[str, Callable[[str, random.Random], str]]] = {
    "misspelt name": (r"[a-z_]\w*(?:\.\w+)?", lambda old, rng: rng.choice([old[:-1], f"{old}x"])),
    "misspelt keyword": (
        "SELECT|FROM|WHERE|GROUP|ORDER|JOIN|HAVING|LIMIT",
        lambda old, rng: old[:2] + old[3:] if rng.random() < 0.5 else old[1] + old[0] + old[2:],
    ),
    "dropped token": (r".+", lambda old, rng: ""),
    "token twice": (r".+", lambda old, rng: f"{old} {old}"),
    "foreign character": (r".+", lambda old, rng: old + rng.choice("?!@#{}\\")),
    "other column": (
        r"[a-z_]\w*(?:\.\w+)?",
        lambda old, rng: rng.choice([column.split()[0] for columns in _TABLES.values() for column in columns]),
    ),
    "other number": (r"[0-9]+", lambda old, rng: str(max(0, int(old) + rng.choice([-9, -3, 3, 10])))),
    "other text": (r"'.*'", lambda old, rng: f"'{rng.choice([*_GROUPS, 'Oslo ', 'x'])}'"),
    "other comparison": ("=|<|>|<=|>=|<>", lambda old, rng: rng.choice(["=", "<", ">", "<=", ">=", "<>"])),
    "other aggregate": ("COUNT|SUM|AVG|MIN|MAX", lambda old, rng: rng.choice(_AGGREGATES)),
    "other direction": ("DESC", lambda old, rng: "ASC"),
}


def correct(count: int, rng: random.Random) -> list[Case]:
    """Several queries on each of many databases."""
    cases: list[Case] = []
    while len(cases) < count:
        tables = rng.sample(sorted(_TABLES), 2)
        script = _script(tables, rng)
        for _ in range(min(8, count - len(cases))):
            query = _query(tables, rng)
            prompt = Prompt(f"{len(cases)}", f"what does {query} say?", query, facts={"schema": script})
            if _rows(script, query):
                cases.append(Case(prompt, query))
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Other white space, letters, comments and quotes; the same query within another."""
    query = case.prompt.reference or ""
    while True:
        text = query
        if "ORDER BY" not in text and rng.random() < 0.4:
            text = rng.choice([f"SELECT * FROM ({text})", f"WITH answer AS ({text}) SELECT * FROM answer"])
        if rng.random() < 0.3:
            text = text.replace("<>", "!=").replace(" = ", " == ")
        if rng.random() < 0.5:
            change = rng.choice([str.lower, str.title])
            text = _KEYWORD.sub(partial(_cased, change), text)
        gaps = rng.choice([[" "], [" ", "\n", "  ", "\t"], [" ", " /* so */ ", " -- so\n"]])
        pieces = re.split(r"('[^']*'| )", text)
        text = "".join(rng.choice(gaps) if piece == " " else piece for piece in pieces)
        yield rng.choice(["", " ", "\n"]) + text + rng.choice(["", ";", " ;\n", " "])


def _cased(change: Callable[[str], str], match: re.Match[str]) -> str:
    return change(match.group())


def inject(case: Case, rng: random.Random) -> Injected | None:
    text = case.completion
    edit = rng.choice([*_EDITS, "dropped condition"])
    if edit == "dropped condition":
        conditions = list(re.finditer(r" (?:AND|OR) [^()]*?(?= (?:AND|OR|GROUP|ORDER|LIMIT)|$)", text))
        made = replaced(text, rng.choice(conditions).span(), "", edit) if conditions else None
    else:
        fits, change = _EDITS[edit]
        tokens = [token for token in _TOKEN.finditer(text) if re.fullmatch(fits, token.group())]
        token = rng.choice(tokens) if tokens else None
        made = None if token is None else replaced(text, token.span(), change(token.group(), rng), edit)
    script, reference = case.prompt.facts["schema"], case.prompt.reference or ""
    return made if made is not None and _differs(script, made.completion, reference) else None


def hostile() -> list[Case]:
    prompt = Prompt(
        "hostile", "", "SELECT a FROM t",
        facts={"schema": "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, NULL);"},
    )  # fmt: skip
    joined = ", ".join(f"t x{n}" for n in range(20))
    texts = [
        "ATTACH '/tmp/rlsf_attached.db' AS x", "VACUUM INTO '/tmp/rlsf_vacuumed.db'", "SELECT load_extension('rlsf_x')",
        "ATTACH 'rlsf_relative.db' AS x", "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/rlsf_written', 'x')",
        "SELECT edit('x')", "PRAGMA temp_store_directory = '/tmp'", "PRAGMA table_info(t)",
        "SELECT * FROM pragma_table_info('t')",
        "SELECT * FROM sqlite_master", "DELETE FROM t", "DROP TABLE t", "INSERT INTO t VALUES (9, 'z')", "BEGIN", "COMMIT",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c", f"SELECT count(*) FROM {joined}",
        f"SELECT x1.a FROM {joined} ORDER BY 1", "SELECT zeroblob(1000000000)", "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT hex(zeroblob(500000))", "SELECT replace(hex(zeroblob(4900)), '0', hex(zeroblob(4900)))",
        "SELECT hex(zeroblob(4000)) LIKE '" + "%0" * 95 + "1'", "SELECT abs(-9223372036854775808)", "SELECT random()",
        "SELECT CURRENT_TIMESTAMP", "hello world", "SELECT a FROM t GROUP BY", "WITH x AS (SELECT 1) SELECT", "", ";",
        "--", "/*",
        "SELECT '", 'SELECT "', "SELECT [", "SELECT `", "SELECT 1; SELECT 2", "SELECT ?", "SELECT :x", "SELECT \x00 1",
        "SELECT '\ud800'", "SELECT 1" + " + 1" * 1200, "(" * 5000, "SELECT " + "-" * 4000 + "1", "SELECT '" + "'" * 4000,
        "SELECT " + "(" * 900 + "1" + ")" * 900, "SELECT a FROM t" + " UNION SELECT a FROM t" * 200,
        "\n" * 1_000_000 + "SELECT 1",
        "SELECT " + "CASE WHEN 1 THEN " * 200 + "1" + " END" * 200, "SELECT a FROM t WHERE a IN (" + "1," * 2000 + "1)",
        "SELECT json_extract('" + "[" * 2000 + "', '$')", "SELECT a FROM t ORDER BY " + "a, " * 1000 + "a",
        "SELECT 1e999, -1e999",
        "SELECT 9223372036854775807 + 1", "SELECT x'zz'", "SELECT\u00a0a\u00a0FROM\u00a0t", "SELECT\uff10",
        "EXPLAIN SELECT 1",
        "REINDEX", "SAVEPOINT s", "CREATE TEMP TABLE rlsf_t AS SELECT 1", "SELECT fts3_tokenizer('simple')",
        "VALUES (1),(2),(3)",
    ]  # fmt: skip
    return [Case(prompt, text, "hostile") for text in texts]


def bare(case: Case) -> None:
    """The query on a database that is there, and all its rows."""
    try:
        _database(case.prompt.facts["schema"]).execute(case.completion).fetchall()
    except (sqlite3.Error, sqlite3.Warning):
        return


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Texts of a few words: what is called dead must begin nothing that SQLite takes, among all texts of up to six words."""
    script = "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"
    prompt = Prompt("small", "", "SELECT a FROM t", facts={"schema": script})
    words = ["SELECT", "a", "FROM", "t", "*", ",", "1", "("]
    database = _database(script)
    lives: set[str] = set()
    for length in range(1, 7):
        for chosen in itertools.product(words, repeat=length):
            text = " ".join(chosen)
            if chosen[0] == "SELECT" and _is_taken(database, text):
                lives |= {text[:end] for end in range(len(text) + 1)}
    tried = [" ".join(chosen) for length in range(1, 5) for chosen in itertools.product(words, repeat=length)]
    prefixes = sorted({text[:end] for text in rng.sample(tried, 1000) for end in range(len(text) + 1)} | lives)
    prefixes = rng.sample(prefixes, min(len(prefixes), 5000))
    return len(prefixes), sum(verifier.viable(prompt, prefix) is False and prefix in lives for prefix in prefixes)


def _script(tables: list[str], rng: random.Random) -> str:
    lines = []
    for number, table in enumerate(tables):
        link = f", {tables[0]}_id INTEGER" if number else ""
        lines.append(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {', '.join(_TABLES[table])}{link});")
        rows = []
        for key in range(1, rng.randint(8, 16)):
            group = f"'{rng.choice(_GROUPS)}'" if rng.random() < 0.9 else "NULL"
            values = [str(key), f"'{rng.choice(_NAMES)}'", str(rng.randint(1, 40)), group, str(rng.randint(2, 80) / 2)]
            rows.append(f"({', '.join([*values, *([str(rng.randint(1, 8))] if number else [])])})")
        lines.append(f"INSERT INTO {table} VALUES {', '.join(rows)};")
    return "\n".join(lines)


def _query(tables: list[str], rng: random.Random) -> str:
    one, two = tables
    name, number, group, real = (column.split()[0] for column in _TABLES[one])
    name2, number2, _, real2 = (column.split()[0] for column in _TABLES[two])
    value, city = rng.randint(5, 30), rng.choice(_GROUPS)
    condition = rng.choice([
        f"{number} {rng.choice(['>', '<', '>=', '<=', '<>'])} {value}", f"{group} = '{city}'",
        f"{number} BETWEEN {value - 5} AND {value + 9}", f"{group} IN ('{city}', '{rng.choice(_GROUPS)}')",
        f"{number} > {value} AND {group} = '{city}'", f"{number} < {value} OR {real} > {value}", f"{group} IS NULL",
        f"{name} LIKE '{rng.choice('ABCDEFG')}%'",
    ])  # fmt: skip
    function = rng.choice(_AGGREGATES)
    return rng.choice([
        f"SELECT {name} FROM {one} WHERE {condition}",
        f"SELECT {name}, {number} FROM {one} WHERE {condition} ORDER BY {number} DESC",
        f"SELECT DISTINCT {group} FROM {one} WHERE {condition}",
        f"SELECT {function}({number}) FROM {one} WHERE {condition}",
        f"SELECT {group}, {function}({real}) AS value FROM {one} GROUP BY {group} HAVING COUNT(*) > 1",
        f"SELECT {group}, COUNT(*) AS n FROM {one} WHERE {condition} GROUP BY {group} ORDER BY n DESC, {group}",
        f"SELECT x.{name}, y.{name2} FROM {one} AS x JOIN {two} AS y ON x.id = y.{one}_id WHERE y.{number2} > {value}",
        f"SELECT x.{group}, SUM(y.{real2}) FROM {one} AS x JOIN {two} AS y ON x.id = y.{one}_id GROUP BY x.{group}",
        f"SELECT {name} FROM {one} WHERE id IN (SELECT {one}_id FROM {two} WHERE {number2} > {value})",
        f"SELECT {name} FROM {one} WHERE {number} = (SELECT MAX({number}) FROM {one})",
        f"SELECT {name}, CASE WHEN {number} > {value} THEN 'high' ELSE 'low' END FROM {one}",
        f"SELECT {name} FROM {one} ORDER BY {real} DESC, id LIMIT {rng.randint(2, 5)}",
    ])  # fmt: skip


@lru_cache(maxsize=64)
def _database(script: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(script)
    return connection


def _rows(script: str, query: str) -> list[tuple[Any, ...]] | None:
    """None: SQLite does not take it, or not as one query that reads."""
    if not re.match(r"\s*(?:SELECT|WITH|VALUES)\b", query, re.IGNORECASE):
        return None
    try:
        found = _database(script).execute(query).fetchall()
    except (sqlite3.Error, sqlite3.Warning):
        return None
    return [tuple(round(value, 6) if isinstance(value, float) else value for value in row) for row in found]


def _differs(script: str, query: str, reference: str) -> bool:
    """Certainly not the reference's rows. Rows in another order do not count: they may be as good."""
    ours, theirs = _rows(script, query), _rows(script, reference)
    return ours is None or theirs is None or Counter(ours) != Counter(theirs)


def _is_taken(database: sqlite3.Connection, query: str) -> bool:
    try:
        database.execute(f"EXPLAIN {query}")
    except sqlite3.Error:
        return False
    return True
