"""Several databases a prompt: given ones, and mutants of the one that there is."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from certificates import checked

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql.sqlite import building
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, database_of
from rlsf_lightning.symbolic.verifiers.sql.sqlite.mutants import MAX_ROWS
from rlsf_lightning.symbolic.verifiers.sql.verifier import SqlVerifier

VERIFIER = SqlVerifier()
SCRIPT = """
CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT NOT NULL, people REAL, land TEXT);
INSERT INTO city VALUES (1, 'Graz', 2.9, 'AT'), (2, 'Linz', 2.1, 'AT'), (3, 'Bonn', 3.3, 'DE');
INSERT INTO city VALUES (4, 'Ulm', 1.3, 'DE'), (5, 'Vaduz', .1, 'LI');
CREATE TABLE tram (line INTEGER, city INTEGER NOT NULL REFERENCES city(id), UNIQUE (line, city));
INSERT INTO tram VALUES (1, 1), (2, 1), (1, 2), (66, 3), (61, 3), (2, 4);
"""
LIMITS = Limits(500_000, 5.0, 10_000)


def verify(completion: str, reference: str, script: str = SCRIPT, **facts: object) -> Certificate:
    return checked(VERIFIER, Prompt("p", "", reference, facts={"schema": script, **facts}), completion)


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("SELECT id FROM city", "VALUES (5),(4),(3),(2),(1)"),
        ("SELECT count(*) FROM city", "SELECT 5"),
        ("SELECT name FROM city WHERE land = 'LI'", "SELECT 'Vaduz'"),
        ("SELECT name FROM city WHERE land = 'LI'", "SELECT name FROM city WHERE id = 5"),
        ("SELECT name FROM city WHERE land = 'AT'", "SELECT name FROM city WHERE id < 3"),
        ("SELECT max(people) FROM city", "SELECT 3.3"),
        ("SELECT name FROM city ORDER BY people DESC LIMIT 1", "SELECT name FROM city WHERE id = 3"),
        ("SELECT land, count(*) FROM city GROUP BY land", "VALUES ('AT', 2), ('DE', 2), ('LI', 1)"),
        ("SELECT DISTINCT land FROM city", "SELECT land FROM city WHERE id IN (1, 3, 5)"),
        ("SELECT name FROM city JOIN tram ON city.id = city WHERE line = 66", "SELECT name FROM city WHERE people > 3"),
        ("SELECT count(DISTINCT city) FROM tram", "SELECT count(*) - 1 FROM city"),
        ("SELECT sum(line) FROM tram", "SELECT 133"),
    ],
)
def test_a_query_that_only_fits_the_given_data_fails_on_a_mutant(reference: str, completion: str) -> None:
    certificate = verify(completion, reference)
    assert certificate.verdict is Verdict.FAIL and certificate.witness["databases"] == 5
    assert 1 <= certificate.witness["database"] <= 4 and "on database" in certificate.findings[0].message
    alone = SqlVerifier(mutants=0)
    passed = checked(alone, Prompt("p", "", reference, facts={"schema": SCRIPT}), completion)
    assert passed.verdict is Verdict.PASS and passed.witness["databases"] == 1
    assert not VERIFIER.recheck(passed, Prompt("p", "", reference, facts={"schema": SCRIPT}), completion)


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("SELECT name FROM city WHERE land = 'AT'", "SELECT c.name FROM city c WHERE c.land IN ('AT')"),
        ("SELECT count(*) FROM city", "SELECT sum(1) FROM city"),
        ("SELECT name FROM city ORDER BY people", "SELECT name FROM city ORDER BY people, name DESC"),
        ("SELECT name FROM city ORDER BY people DESC LIMIT 2", "SELECT name FROM city ORDER BY people DESC, id DESC LIMIT 2"),
        ("SELECT count(*) FROM tram", "SELECT count(*) FROM tram JOIN city ON id = city"),  # the key is declared
        ("SELECT count(*) FROM city", "SELECT count(name) FROM city"),  # NOT NULL
        ("SELECT count(*) FROM city", "SELECT count(DISTINCT id) FROM city"),  # PRIMARY KEY
        ("SELECT avg(people) FROM city", "SELECT sum(people) / count(people) FROM city"),
        ("SELECT name FROM city WHERE id IN (SELECT city FROM tram)",
         "SELECT name FROM city c WHERE EXISTS (SELECT * FROM tram WHERE city = id)"),
        ("SELECT land FROM city UNION SELECT name FROM city", "SELECT name FROM city UNION SELECT land FROM city"),
    ],
)  # fmt: skip
def test_queries_that_mean_the_same_pass_on_every_mutant(reference: str, completion: str) -> None:
    certificate = verify(completion, reference)
    assert certificate.verdict is Verdict.PASS and certificate.witness["databases"] == 5


def test_mutants_are_the_same_for_the_same_seed_and_keep_what_the_schema_states() -> None:
    queries = ["SELECT * FROM city", "SELECT * FROM tram"]
    given = [Database(SCRIPT).run(query, LIMITS).rows for query in queries]
    changed: Counter[str] = Counter()
    for seed in range(1, 21):
        mutant = Database(SCRIPT, seed)
        cities, trams = (mutant.run(query, LIMITS).rows for query in queries)
        assert [cities, trams] == [Database(SCRIPT, seed).run(query, LIMITS).rows for query in queries]
        assert all(name is not None for _, name, _, _ in cities) and len(set(trams)) == len(trams)
        assert {city for _, city in trams} <= {number for number, *_ in cities}
        assert {name for _, name, _, _ in cities} <= {name for _, name, _, _ in given[0]}
        changed["rows"] += len(cities) != len(given[0])
        changed["null"] += any(None in row for row in cities)
        changed["twice"] += len({name for _, name, _, _ in cities}) < len(cities)
        changed["data"] += list(cities) != list(given[0])
    assert min(changed.values()) >= 5 and changed["data"] == 20, changed


def test_given_databases_take_the_place_of_mutants() -> None:
    other = SCRIPT + "INSERT INTO city VALUES (6, 'Basel', 1.7, 'CH');"
    certificate = verify("SELECT 5", "SELECT count(*) FROM city", databases=[SCRIPT, other])
    assert certificate.verdict is Verdict.FAIL
    assert (certificate.witness["databases"], certificate.witness["database"]) == (3, 2)
    assert (certificate.witness["missing"], certificate.witness["extra"]) == ([[6]], [[5]])
    assert verify("SELECT 5", "SELECT count(*) FROM city", databases=[[SCRIPT]]).verdict is Verdict.PASS
    for databases in ("x", [7], [["SELECT"], 3], ["CREATE TABLE city (id)"]):
        with pytest.raises(UserError):
            verify("SELECT 5", "SELECT name FROM city", databases=databases)


def test_a_mutant_counts_only_if_the_reference_runs_on_it() -> None:
    script = "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER); INSERT INTO t VALUES (1, 1), (-9223372036854775808, 2), (3, 3);"
    certificate = verify("SELECT abs(a) FROM t WHERE b <> 2", "SELECT abs(a) FROM t WHERE b != 2", script)
    assert certificate.verdict is Verdict.PASS and 1 < certificate.witness["databases"] < 5


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE t (a, b AS (a + 1)); INSERT INTO t (a) VALUES (1), (2), (3)",
        "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES ('x'), ('y')",
        "CREATE TABLE t (a CHECK (a > 1)); INSERT INTO t VALUES (2), (3); CREATE VIEW v AS SELECT a FROM t",
        "CREATE TABLE t (a); CREATE TRIGGER g AFTER DELETE ON t BEGIN INSERT INTO t VALUES (9); END; INSERT INTO t VALUES (1)",
        'CREATE TABLE "a b"" c" (a, "x y"); INSERT INTO "a b"" c" VALUES (1, 2); CREATE TABLE t (a)',
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a REFERENCES t(a), b UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2)",
        "CREATE TABLE t (a); CREATE INDEX i ON t(a); INSERT INTO t VALUES (x'00ff'), (NULL), (1.5)",
        "CREATE TEMP TABLE t (a); INSERT INTO t VALUES (1), (2)",
    ],
)  # fmt: skip
def test_any_schema_has_mutants(script: str) -> None:
    certificate = verify("SELECT a FROM t", "SELECT t.a FROM t", script)
    assert certificate.verdict is Verdict.PASS and certificate.witness["databases"] == 5


def test_too_large_databases_and_virtual_tables_have_no_mutants() -> None:
    rows = f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT {MAX_ROWS + 1}) SELECT x FROM c"
    large = f"CREATE TABLE t (a); INSERT INTO t {rows}"
    assert verify("SELECT max(a) FROM t", f"SELECT {MAX_ROWS + 1}", large).witness["databases"] == 1
    options = {option for (option,) in sqlite3.connect(":memory:").execute("PRAGMA compile_options")}
    if "ENABLE_FTS3" in options:
        script = "CREATE VIRTUAL TABLE f USING fts3(a); INSERT INTO f VALUES ('x')"
        assert verify("SELECT 'x'", "SELECT a FROM f", script).witness["databases"] == 1


def test_a_query_that_stops_on_a_mutant_says_where() -> None:
    script = "CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (1, 1), (-9223372036854775808, 2), (3, 3);"
    certificate = verify("SELECT abs(a) FROM t WHERE b <> 2", "SELECT a FROM t WHERE a > 0 AND b <> 2", script)
    assert certificate.findings[0].kind == "runtime_error" and certificate.witness["database"] > 0
    assert certificate.witness["error"] == "integer overflow"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of SQLite's with the data of ``SCRIPT``."""
    path = tmp_path / "town's 50%?#.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


def of_files(completion: str, reference: str, *paths: Path, verifier: SqlVerifier = VERIFIER) -> Certificate:
    found = [str(path) for path in paths]
    return checked(
        verifier, Prompt("p", "", reference, facts={"database": found[0] if len(found) == 1 else found}), completion
    )


def test_a_file_says_what_its_script_says(file: Path) -> None:
    reference = "SELECT name FROM city WHERE land = 'AT'"
    for completion in (
        reference,
        "SELECT name FROM city WHERE id < 3",
        "SELECT nam FROM city",
        "SELECT name FROM ORDER",
    ):
        ours, theirs = of_files(completion, reference, file), verify(completion, reference)
        assert (ours.verdict, ours.findings, ours.witness) == (theirs.verdict, theirs.findings, theirs.witness)
    assert of_files(reference, reference, file).witness["databases"] == 5


def test_a_file_is_not_written_and_nothing_lies_beside_it(file: Path) -> None:
    before = file.read_bytes()
    for completion in (
        "DELETE FROM city",
        "VACUUM",
        "PRAGMA journal_mode = wal",
        "ATTACH 'x' AS x",
        "SELECT name FROM city",
    ):
        of_files(completion, "SELECT name FROM city", file)
    assert file.read_bytes() == before and list(file.parent.iterdir()) == [file]


def test_a_large_file_is_read_where_it_is_and_has_no_mutants(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database_of.cache_clear()
    monkeypatch.setattr(building, "MOST_IN_MEMORY", 0)
    other = file.with_name("other.sqlite")
    other.write_bytes(file.read_bytes())
    assert of_files("SELECT 5", "SELECT count(*) FROM city", other).witness["databases"] == 1
    for completion in ("DELETE FROM city", "SELECT zeroblob(1000000)", "SELECT name FROM city WHERE people > 2"):
        assert of_files(completion, "SELECT name FROM city", other).verdict is Verdict.FAIL
    assert other.read_bytes() == file.read_bytes()


def test_further_files_take_the_place_of_mutants(file: Path) -> None:
    other = file.with_name("other.sqlite")
    with closing(sqlite3.connect(other)) as connection:
        connection.executescript(SCRIPT + "INSERT INTO city VALUES (6, 'Basel', 1.7, 'CH');")
    certificate = of_files("SELECT 5", "SELECT count(*) FROM city", file, other)
    assert certificate.verdict is Verdict.FAIL and certificate.witness["databases"] == 2
    assert certificate.witness["database"] == 1 and certificate.witness["missing"] == [[6]]


def test_files_that_are_none_are_told(file: Path, tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no database, " * 100)
    for path, said in [(tmp_path / "none.sqlite", "no such file"), (tmp_path / "text.sqlite", "not a database")]:
        with pytest.raises(UserError, match=said):
            of_files("SELECT 1", "SELECT 1", path)
    for database in ([], 7, ["a", 7], ""):
        with pytest.raises(UserError, match="or a list of paths"):
            VERIFIER.verify(Prompt("p", "", "SELECT 1", facts={"database": database}), "SELECT 1")
    with pytest.raises(UserError, match="`database` and `schema`"):
        VERIFIER.verify(Prompt("p", "", "SELECT 1", facts={"database": str(file), "schema": SCRIPT}), "SELECT 1")
