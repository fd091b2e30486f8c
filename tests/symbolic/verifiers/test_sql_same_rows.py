"""Queries that give the rows of the reference in other words, and ones that only seem to; right is what SQL's meaning says."""

import pytest

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql import SqlVerifier

SHOP = (
    "CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, city TEXT COLLATE NOCASE, pay REAL, since TEXT);"
    "INSERT INTO staff VALUES (1, 'ann', 'Rome', 10.5, '2001-01-01'), (2, 'Ann', 'ROME', 12, '2002-02-02'),"
    "(3, 'bob', 'Oslo', 12, '2003-03-03'), (4, 'BOB', 'oslo', NULL, '2004-04-04'), (5, 'Cid', 'Bern', 9, '2005-05-05'),"
    "(6, 'dee', NULL, 12, NULL);"
    "CREATE TABLE sale (id INTEGER PRIMARY KEY, staff_id INTEGER, item TEXT, qty INTEGER);"
    "INSERT INTO sale VALUES (1, 1, 'pen', 3), (2, 1, 'ink', 5), (3, 2, 'pen', 5), (4, 3, 'cap', 1), (5, 9, 'pen', 2);"
)
PASS, FAIL, ABSTAIN = Verdict.PASS, Verdict.FAIL, Verdict.ABSTAIN


def check(reference: str, completion: str, verdict: Verdict) -> None:
    prompt, verifier = Prompt("p", "q", reference, facts={"schema": SHOP}), SqlVerifier()
    certificate = verifier.verify(prompt, completion)
    assert certificate.verdict is verdict, certificate
    assert verifier.recheck(certificate, prompt, completion)


@pytest.mark.parametrize(
    ("reference", "completion", "verdict"),
    [
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE",
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE, id",
            PASS,
        ),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE",
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE, id DESC",
            PASS,
        ),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE",
            "SELECT name FROM staff ORDER BY lower(name), name",
            PASS,
        ),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE",
            "SELECT name FROM staff ORDER BY upper(name), id DESC",
            PASS,
        ),
        ("SELECT name FROM staff ORDER BY name COLLATE NOCASE", "SELECT name FROM staff ORDER BY name", FAIL),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE",
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE DESC",
            FAIL,
        ),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE DESC",
            "SELECT name FROM staff ORDER BY lower(name) DESC, id",
            PASS,
        ),
        ("SELECT name FROM staff ORDER BY lower(name)", "SELECT name FROM staff ORDER BY name COLLATE NOCASE", PASS),
        ("SELECT id, city FROM staff ORDER BY city", "SELECT id, city FROM staff ORDER BY city, id DESC", PASS),
        ("SELECT id, city FROM staff ORDER BY city", "SELECT id, city FROM staff ORDER BY lower(city), id", PASS),
        ("SELECT id, city FROM staff ORDER BY city", "SELECT id, city FROM staff ORDER BY city COLLATE BINARY", FAIL),
        ("SELECT id, city FROM staff ORDER BY city COLLATE BINARY", "SELECT id, city FROM staff ORDER BY city", FAIL),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE, pay",
            "SELECT name FROM staff ORDER BY lower(name), pay, id",
            PASS,
        ),
        (
            "SELECT name FROM staff ORDER BY name COLLATE NOCASE, pay",
            "SELECT name FROM staff ORDER BY lower(name), pay DESC",
            FAIL,
        ),
        ("SELECT name FROM staff ORDER BY 1 COLLATE NOCASE", "SELECT name FROM staff ORDER BY lower(name)", PASS),
        (
            "SELECT name AS n FROM staff ORDER BY n COLLATE NOCASE",
            "SELECT name FROM staff ORDER BY lower(name), id DESC",
            PASS,
        ),
        ("SELECT DISTINCT city FROM staff ORDER BY city", "SELECT city FROM staff GROUP BY city ORDER BY city", PASS),
        ("SELECT id FROM staff ORDER BY city", "SELECT id FROM staff ORDER BY city, id DESC", PASS),
        ("SELECT id FROM staff ORDER BY city", "SELECT id FROM staff ORDER BY id", FAIL),
        ("SELECT name FROM staff ORDER BY pay DESC", "SELECT name FROM staff ORDER BY pay DESC, name", PASS),
        ("SELECT name FROM staff ORDER BY pay DESC", "SELECT name FROM staff ORDER BY pay", FAIL),
    ],
)
def test_rows_that_a_collation_holds_for_equal_come_in_any_order(
    reference: str, completion: str, verdict: Verdict
) -> None:
    check(reference, completion, verdict)


@pytest.mark.parametrize(
    ("reference", "completion", "verdict"),
    [
        ("SELECT name FROM staff", "SELECT name FROM staff;", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff;;", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff ; ;\n", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff;;;;", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff; -- done", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff; /* x */ ;", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff\n;\n", PASS),
        ("SELECT name FROM staff", "SELECT name FROM staff; SELECT 1", FAIL),
        ("SELECT name FROM staff", "SELECT name FROM staff; DROP TABLE staff", FAIL),
        ("SELECT name FROM staff", "SELECT name FROM staff;; SELECT 1;", FAIL),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale;", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale;;", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale ; ;\n", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale;;;;", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale; -- done", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale; /* x */ ;", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale\n;\n", PASS),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale; SELECT 1", FAIL),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale; DROP TABLE staff", FAIL),
        ("SELECT count(*) FROM sale", "SELECT count(*) FROM sale;; SELECT 1;", FAIL),
        ("SELECT item, qty FROM sale ORDER BY qty DESC", "SELECT item, qty FROM sale ORDER BY qty DESC;", PASS),
        ("SELECT item, qty FROM sale ORDER BY qty DESC", "SELECT item, qty FROM sale ORDER BY qty DESC;;", PASS),
        ("SELECT item, qty FROM sale ORDER BY qty DESC", "SELECT item, qty FROM sale ORDER BY qty DESC ; ;\n", PASS),
        ("SELECT item, qty FROM sale ORDER BY qty DESC", "SELECT item, qty FROM sale ORDER BY qty DESC;;;;", PASS),
        ("SELECT item, qty FROM sale ORDER BY qty DESC", "SELECT item, qty FROM sale ORDER BY qty DESC; -- done", PASS),
        (
            "SELECT item, qty FROM sale ORDER BY qty DESC",
            "SELECT item, qty FROM sale ORDER BY qty DESC; /* x */ ;",
            PASS,
        ),
        ("SELECT item, qty FROM sale ORDER BY qty DESC", "SELECT item, qty FROM sale ORDER BY qty DESC\n;\n", PASS),
        (
            "SELECT item, qty FROM sale ORDER BY qty DESC",
            "SELECT item, qty FROM sale ORDER BY qty DESC; SELECT 1",
            FAIL,
        ),
        (
            "SELECT item, qty FROM sale ORDER BY qty DESC",
            "SELECT item, qty FROM sale ORDER BY qty DESC; DROP TABLE staff",
            FAIL,
        ),
        (
            "SELECT item, qty FROM sale ORDER BY qty DESC",
            "SELECT item, qty FROM sale ORDER BY qty DESC;; SELECT 1;",
            FAIL,
        ),
        ("SELECT name FROM staff", ";SELECT name FROM staff", FAIL),
    ],
)
def test_empty_statements_behind_a_query_do_not_count(reference: str, completion: str, verdict: Verdict) -> None:
    check(reference, completion, verdict)


@pytest.mark.parametrize(
    ("reference", "completion", "verdict"),
    [
        ("SELECT count(*) FROM staff", "SELECT 6", FAIL),
        ("SELECT count(*) FROM staff", "VALUES (6)", FAIL),
        ("SELECT count(*) FROM staff", "SELECT 6 FROM staff LIMIT 1", FAIL),
        ("SELECT count(*) FROM staff", "SELECT count(*) FROM staff, (SELECT 1)", PASS),
        ("SELECT count(*) FROM staff", "SELECT 3+3", FAIL),
        ("SELECT count(*) FROM staff", "SELECT max(id) FROM staff", FAIL),
        ("SELECT count(*) FROM staff", "SELECT sum(1) FROM staff", PASS),
        ("SELECT count(*) FROM staff", "SELECT length('abcdef')", FAIL),
        ("SELECT id FROM staff", "VALUES (1),(2),(3),(4),(5),(6)", FAIL),
        (
            "SELECT id FROM staff",
            "SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6",
            FAIL,
        ),
        (
            "SELECT id FROM staff",
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<6) SELECT x FROM c",
            FAIL,
        ),
        ("SELECT id FROM staff", "SELECT id FROM sale UNION SELECT 6", FAIL),
        ("SELECT id FROM staff", "SELECT rowid FROM staff", PASS),
        ("SELECT id FROM staff", "SELECT id FROM staff WHERE id <= 6", FAIL),
        ("SELECT id FROM staff", "SELECT id FROM staff WHERE name IS NOT NULL", FAIL),
        ("SELECT id FROM staff", "SELECT id FROM staff WHERE length(name)=3", FAIL),
        ("SELECT name FROM staff WHERE city = 'Oslo'", "SELECT name FROM staff WHERE id IN (3,4)", FAIL),
        ("SELECT name FROM staff WHERE city = 'Oslo'", "VALUES ('bob'),('BOB')", FAIL),
        ("SELECT name FROM staff WHERE city = 'Oslo'", "SELECT name FROM staff WHERE lower(name) = 'bob'", FAIL),
        ("SELECT name FROM staff WHERE city = 'Oslo'", "SELECT name FROM staff WHERE city LIKE 'oslo'", PASS),
        ("SELECT name FROM staff WHERE city = 'Oslo'", "SELECT name FROM staff WHERE lower(city) = 'oslo'", PASS),
        ("SELECT sum(qty) FROM sale", "SELECT 16", FAIL),
        ("SELECT sum(qty) FROM sale", "SELECT sum(qty*1) FROM sale", PASS),
        ("SELECT sum(qty) FROM sale", "SELECT 15+1 FROM sale LIMIT 1", FAIL),
    ],
)
def test_a_query_that_fits_one_database_only_fails(reference: str, completion: str, verdict: Verdict) -> None:
    check(reference, completion, verdict)
