"""The SQL verifier: verdicts, places, repairs, first dead characters, SQLite's traps, and hostile queries."""

import random
import re
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from certificates import checked, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.sql.verifier import SqlVerifier

VERIFIER = SqlVerifier()
SCRIPT = """
CREATE TABLE student (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, city TEXT);
CREATE TABLE enrolled (sid INTEGER, course TEXT, grade REAL);
INSERT INTO student VALUES (1, 'Ann', 20, 'Oslo'), (2, 'Bob', 22, 'Rome'), (3, 'Cid', 20, 'Oslo'), (4, 'Dee', 25, NULL);
INSERT INTO enrolled VALUES (1, 'Logic', 3.5), (1, 'Sets', 2.0), (2, 'Logic', 4.0), (3, 'Graphs', 1.5), (4, 'Sets', 3.0);
"""
OSLO = "SELECT name FROM student WHERE city = 'Oslo'"
#: The witness of the same query for Rome.
WRONG_CITY = {
    "rows": [1, 2],
    "missing": [["Ann"], ["Cid"]],
    "extra": [["Bob"]],
    "databases": 5,
    "database": 0,
    "repair": [[40, 46, "'Oslo'"]],
}


def prompt(reference: str | None = OSLO, script: object = SCRIPT) -> Prompt:
    return Prompt("p", "who lives in Oslo?", reference, facts={"schema": script})


def verify(completion: str, reference: str = OSLO, verifier: SqlVerifier = VERIFIER) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, prompt(reference), completion)


def found(completion: str, reference: str = OSLO) -> list[tuple[str, list[str]]]:
    """(kind, the text of its spans) of every finding, without the verified change."""
    return shown(verify(completion, reference, SqlVerifier(explain=False)), completion)


@pytest.mark.parametrize(
    "completion",
    [
        OSLO,
        f"  {OSLO} ;\n",
        "select NAME from Student where CITY='Oslo'",
        "SELECT s.name FROM student AS s WHERE s.city IN ('Oslo') ORDER BY s.id DESC",
        "-- who?\nSELECT /* names */ name FROM student WHERE city LIKE 'oslo'",
        "WITH o AS (SELECT * FROM student WHERE city = 'Oslo') SELECT name FROM o",
        'SELECT "name" FROM [student] WHERE `city` = "Oslo"',
    ],
)
def test_any_query_with_the_right_rows_passes(completion: str) -> None:
    certificate = verify(completion)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert all(VERIFIER.viable(prompt(), completion[:end]) is not False for end in range(len(completion) + 1))


@pytest.mark.parametrize(
    ("reference", "completion", "verdict"),
    [
        ("SELECT name FROM student ORDER BY age", "SELECT name FROM student ORDER BY age, name DESC", "pass"),  # ties
        ("SELECT name FROM student ORDER BY age", "SELECT name FROM student ORDER BY age DESC", "fail"),
        (
            "SELECT name, age AS a FROM student ORDER BY 2",
            "SELECT name, age FROM student ORDER BY age, id DESC",
            "pass",
        ),
        (
            "SELECT city, COUNT(*) AS n FROM student GROUP BY city ORDER BY n",
            "SELECT city, COUNT(*) FROM student GROUP BY 1",
            "fail",
        ),
        ("SELECT 2", "SELECT 2.0", "pass"),
        ("SELECT 0.3", "SELECT 0.1 + 0.2", "pass"),
        ("SELECT 1", "SELECT '1'", "fail"),
        ("SELECT NULL", "SELECT 0", "fail"),
        ("SELECT x'61'", "SELECT 'a'", "fail"),
        ("SELECT age FROM student", "SELECT DISTINCT age FROM student", "fail"),  # rows are counted
        ("SELECT 1 WHERE 0", "SELECT 2 WHERE 0", "pass"),
        ("SELECT 1 WHERE 0", "SELECT 2, 3 WHERE 0", "fail"),
    ],
)
def test_when_rows_are_the_same(reference: str, completion: str, verdict: str) -> None:
    assert verify(completion, reference).verdict.value == verdict


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("", [("empty", [])]),
        ("-- nothing", [("empty", [])]),
        ("SELECT name FROM", [("unexpected_end", [""])]),
        ("SELCT name FROM student", [("syntax", ["SELCT"])]),
        ("hello world", [("syntax", ["hello"])]),
        ("SELECT name FROM student GROUP BY ORDER", [("syntax", ["ORDER"])]),
        ("SELECT name FROM student WHERE city == = 1", [("syntax", ["="])]),
        ("SELECT 'Oslo", [("unclosed", ["'"])]),
        ("SELECT /* x", [("unclosed", ["/"])]),
        ("SELECT 1; SELECT 2", [("syntax", ["SELECT"])]),
        ("SELECT ?", [("bad_character", ["?"])]),
        ("SELECT \0 1", [("bad_character", ["\0"])]),
        ("SELECT '\ud800'", [("bad_character", ["\ud800"])]),
        ("SELECT nam FROM student", [("unknown_column", ["nam"])]),
        ("SELECT s.nam, s.ag FROM student s", [("unknown_column", ["s.nam"]), ("unknown_column", ["s.ag"])]),
        # grade is a column of one of the two queries only
        ("SELECT grade FROM student WHERE 1 < (SELECT MAX(grade) FROM enrolled)", [("unknown_column", ["grade"])]),
        ("SELECT name FROM studen WHERE city = 'Oslo'", [("unknown_table", ["studen"])]),
        ("SELECT 1 FROM a JOIN b", [("unknown_table", ["a"]), ("unknown_table", ["b"])]),
        ("SELECT 1 FROM 'a'a", [("unknown_table", ["'a'"])]),  # the second one is another name for it
        ("SELECT id FROM student a JOIN student b", [("ambiguous_column", ["id"])]),
        ("SELECT nosuch(name) FROM student", [("unknown_function", ["nosuch"])]),
        ("SELECT abs(1, 2)", [("wrong_arguments", ["abs"])]),
        ("SELECT name FROM student WHERE MAX(age) > 1", [("misuse", ["MAX"])]),
        ("SELECT 1 UNION SELECT 1, 2", [("invalid_query", [])]),
        ("SELECT random()", [("forbidden", ["random"])]),
        ("SELECT CURRENT_TIMESTAMP", [("forbidden", ["CURRENT_TIMESTAMP"])]),
        ("DROP TABLE student", [("forbidden", ["DROP"])]),
        ("WITH x AS (SELECT 1) DELETE FROM student", [("forbidden", ["DELETE"])]),
        ("PRAGMA table_info(student)", [("forbidden", ["PRAGMA"])]),
        ("SELECT * FROM pragma_table_info('student')", [("forbidden", ["pragma_table_info"])]),
        ("SELECT abs(-9223372036854775808)", [("runtime_error", [])]),
        ("SELECT name, age FROM student", [("wrong_columns", [])]),
        ("SELECT name FROM student", [("wrong_rows", [])]),
        ("SELECT " + "(" * 300 + "1" + ")" * 300, [("too_complex", ["("])]),
    ],
)
def test_every_mistake_at_its_place(completion: str, expected: list[tuple[str, list[str]]]) -> None:
    assert found(completion) == expected


@pytest.mark.parametrize(
    ("completion", "dead_from"),
    [
        ("SELCT name", 3),  # SELE... is still possible
        ("SELECT name FROM studen WHERE 1", 23),
        ("SELECT name FROM pupil", 17),
        ("SELECT name FRON student", 17),  # FRON is a name of the column
        ("SELECT name FROM student WHERE", 30),
        ("SELECT 'Oslo", 12),
        ("SELECT 1 | | 2", 11),
        ("SELECT 12ab", 9),
        ("SELECT 1; S", 10),
        ("", 0),
        ("SELECT nam FROM student", None),
    ],
)
def test_the_first_dead_character(completion: str, dead_from: int | None) -> None:
    assert verify(completion).dead_from == dead_from


def test_wrong_rows_are_shown_with_the_smallest_change_that_makes_them_right() -> None:
    completion = "SELECT name FROM student s WHERE city = 'Rome'"
    certificate = verify(completion)
    assert certificate.witness == WRONG_CITY
    assert certificate.findings[0].spans == (Span(40, 46),) and certificate.score == 0.0
    partly = verify("SELECT name FROM student WHERE age = 20 OR age = 22")
    assert partly.score == pytest.approx(2 / 3)


def test_where_something_is_missing_the_gap_is_blamed() -> None:
    certificate = verify("SELECT name FROM student WHERE city  'Oslo'")
    assert certificate.findings[0].kind == "syntax"
    assert certificate.witness["repair"] == [[35, 35, "="]]
    assert Span(34, 38) in certificate.findings[0].spans


def test_of_very_many_unknown_tables_the_last_are_only_counted() -> None:
    completion = "SELECT 1 WHERE " + " AND ".join(f"(SELECT 1 FROM t{number})" for number in range(60))
    findings = verify(completion).findings
    assert len(findings) == 50 and {finding.kind for finding in findings} == {"unknown_table"}
    assert [completion[f.spans[0].start : f.spans[0].end] for f in findings[:-1]] == [f"t{n}" for n in range(49)]
    assert findings[-1].message == "and 11 more findings" and not findings[-1].spans


def test_a_name_in_double_quotes_that_is_no_column_is_a_text_and_gives_wrong_rows() -> None:
    assert verify('SELECT "nam" FROM student').findings[0].kind == "wrong_rows"


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": Verdict.PASS, "score": 1.0, "findings": (), "dead_from": None},
        {"score": 0.5},
        {"dead_from": 5},
        {"shift": 1},
        {"witness": {**WRONG_CITY, "missing": [["Bob"]], "extra": []}},
        {"witness": {**WRONG_CITY, "repair": [[40, 46, "'Bern'"]]}},
        {"witness": {**WRONG_CITY, "databases": 4}},
        {"witness": {**WRONG_CITY, "database": 1}},
    ],
)
def test_a_tampered_certificate_is_rejected(change: dict) -> None:
    completion = "SELECT name FROM student s WHERE city = 'Rome'"
    certificate = verify(completion)
    finding = certificate.findings[0]
    if "shift" in change:
        spans = tuple(Span(span.start + 1, span.end) for span in finding.spans)
        change = {"findings": (replace(finding, spans=spans),)}
    assert not VERIFIER.recheck(replace(certificate, **change), prompt(), completion)


@pytest.mark.parametrize("completion", ["SELECT nam FROM student", "SELCT 1", "SELECT 1 FROM nosuch", OSLO])
def test_a_tampered_place_or_verdict_is_rejected(completion: str) -> None:
    certificate = verify(completion)
    if certificate.verdict is Verdict.PASS:
        tampered = [replace(certificate, verdict=Verdict.FAIL, score=0.0)]
    else:
        first = certificate.findings[0]
        moved = replace(first, spans=(Span(0, 1),))
        tampered = [
            replace(certificate, findings=(moved,)),
            replace(certificate, findings=(replace(first, kind="wrong_rows"),)),
            replace(certificate, score=0.3),
            replace(certificate, dead_from=len(completion)),
        ]
    assert not any(VERIFIER.recheck(wrong, prompt(), completion) for wrong in tampered)


@pytest.mark.parametrize(
    "completion",
    [
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        "SELECT a.id FROM student a, student b, student c, student d, student e, student f, student g, student h, "
        "student i, student j, student k ORDER BY 1",
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT printf('%1000000000d', 1)",
        "SELECT replace(hex(zeroblob(4900)), '0', hex(zeroblob(4900)))",
        "SELECT hex(zeroblob(4000)) LIKE '" + "%0" * 95 + "1'",
        "SELECT " + "-" * 4000 + "1",
        "SELECT 1" + " + 1" * 1200,
        "(" * 5000,
        "SELECT '" + "'" * 4000,
    ],
)
def test_hostile_queries_end_soon(completion: str) -> None:
    start = time.process_time()
    first, second = (VERIFIER.verify(prompt(), completion) for _ in range(2))
    assert time.process_time() - start < 8
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)
    assert first.verdict is Verdict.FAIL


def test_nothing_is_written(tmp_path: Path) -> None:
    target = tmp_path / "x.db"
    for query in (f"ATTACH '{target}' AS x", f"VACUUM INTO '{target}'", "SELECT load_extension('x')"):
        assert verify(query).findings[0].kind == "forbidden"
        with pytest.raises(UserError, match="schema"):
            VERIFIER.verify(prompt(script=SCRIPT + query), OSLO)
    assert not target.exists()
    assert verify("SELECT count(*) FROM student", "SELECT 4", SqlVerifier(mutants=0)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (prompt(None), "needs a reference"),
        (prompt("SELECT x FROM student"), "no such column: x"),
        (prompt("DELETE FROM student"), "not authorized"),
        (prompt(script=None), 'write "schema"'),
        (prompt(script=7), 'write "schema"'),
        (prompt(script="CREATE TABLE"), "incomplete input"),
    ],
)
def test_wrong_facts_are_the_users_mistake(bad: Prompt, message: str) -> None:
    with pytest.raises(UserError, match=message):
        VERIFIER.verify(bad, OSLO)


def test_facts_may_be_a_list_of_statements_and_options_are_checked() -> None:
    task = Prompt("p", "", "SELECT 1", facts={"schema": ["CREATE TABLE t (a)", "INSERT INTO t VALUES (1);"]})
    assert SqlVerifier(mutants=0).verify(task, "SELECT a FROM t").verdict is Verdict.PASS
    for options in (
        {"mutants": -1},
        {"mutants": 21},
        {"max_chars": 0},
        {"steps": 0},
        {"seconds": -1.0},
        {"max_rows": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(options))):
            SqlVerifier(**options)
    with pytest.raises(ValueError, match=r"verifier\.options\.explain=false"):
        SqlVerifier(locate=False)
    assert SqlVerifier(max_rows=3).verify(prompt("SELECT 1"), "SELECT id FROM student").findings[0].kind == "too_large"
    long = SqlVerifier(max_chars=10).verify(prompt("SELECT 1"), "SELECT 1  + 11")
    assert long.findings[0].kind == "too_long" and long.findings[0].spans == (Span(10, 14),) and long.dead_from == 10


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=40) | st.text(alphabet="SELECT FROMstudent*(),;'\"-/[.0x", max_size=30))
def test_any_text_gets_a_certificate_and_dying_is_for_good(text: str) -> None:
    certificate = verify(text)
    alive = [VERIFIER.viable(prompt(), text[:end]) is not False for end in range(len(text) + 1)]
    assert alive == sorted(alive, reverse=True)
    if certificate.dead_from is not None and certificate.dead_from < len(text):
        assert alive.index(False) == certificate.dead_from + 1


def corruption(query: str, rng: random.Random) -> tuple[str, Span]:
    """A query with one token left out, replaced or misspelt, and where."""
    token = rng.choice(list(re.finditer(r"'[^']*'|\w+|[^\s\w]", query)))
    start, end = token.span()
    new = rng.choice(["", token.group() + "x", "name", "WHERE", "(", "99"])
    return query[:start] + new + query[end:], Span(max(0, start - 1), start + max(1, len(new)) + 1)


def test_injected_mistakes_are_found_at_their_place() -> None:
    rng = random.Random(4)
    queries = [
        OSLO,
        "SELECT city, COUNT(*) AS n FROM student GROUP BY city HAVING COUNT(*) > 1 ORDER BY n DESC",
        "SELECT s.name, e.course FROM student AS s JOIN enrolled AS e ON s.id = e.sid WHERE e.grade >= 2.0",
        "SELECT name FROM student WHERE id IN (SELECT sid FROM enrolled WHERE course = 'Logic')",
    ]
    count: Counter[str] = Counter()
    for _ in range(120):
        reference = rng.choice(queries)
        completion, place = corruption(reference, rng)
        certificate = verify(completion, reference)
        if certificate.verdict is Verdict.PASS:
            continue
        count["wrong"] += 1
        count["hit"] += any(span.overlaps(place) for f in certificate.findings for span in f.spans)
        count["early"] += certificate.dead_from is not None and certificate.dead_from < place.start
    assert count["wrong"] > 80 and count["hit"] >= 0.95 * count["wrong"] and count["early"] == 0, count
