"""When rows are the same: floating-point numbers, ties, and what stands behind a query."""

import pytest
from certificates import checked

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql.verifier import SqlVerifier

#: Of the given rows alone: what counts here is how they are compared.
VERIFIER = SqlVerifier(mutants=0)
SCRIPT = """
CREATE TABLE call (who TEXT, number REAL, at REAL, seconds REAL, cost REAL);
INSERT INTO call VALUES ('Uma', 4915112345678.0, 1712000000.0, 61.5, 0.1), ('Vic', 4915112345679.0, 1712000001.0, 12.25, 0.2),
  ('Wes', 4915112345680.0, 1712000002.0, 61.5, 0.3), ('uma', NULL, 1712000003.5, 7.0, 0.7);
CREATE TABLE particle (name TEXT COLLATE NOCASE, charge REAL);
INSERT INTO particle VALUES ('quark', 5.3e-20), ('Lepton', 1.602e-19), ('lepton', -1.602e-19), ('Boson', 0.0);
CREATE TABLE bill (id REAL, amount REAL, place TEXT);
INSERT INTO bill VALUES (9007199254740992.0, 7300000000.25, 'Graz'), (9007199254740994.0, 7300000000.75, 'Linz'),
  (3.0, 7300000000.5, 'graz');
"""


def verdict(completion: str, reference: str) -> str:
    prompt = Prompt("p", "", reference, facts={"schema": SCRIPT})
    return checked(VERIFIER, prompt, completion).verdict.value


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("SELECT number FROM call WHERE who = 'Uma'", "SELECT number FROM call WHERE who = 'Vic'"),
        ("SELECT max(at) FROM call WHERE at < 1712000002", "SELECT min(at) FROM call"),
        ("SELECT amount FROM bill WHERE place = 'Graz'", "SELECT amount FROM bill WHERE place = 'graz'"),
        ("SELECT min(amount) FROM bill", "SELECT max(amount) FROM bill"),
        ("SELECT charge FROM particle WHERE name = 'quark'", "SELECT 0.0"),
        ("SELECT charge FROM particle WHERE name = 'quark'", "SELECT charge FROM particle WHERE name = 'Boson'"),
        ("SELECT 3e-15", "SELECT 4e-15"),
        ("SELECT 250000.0001", "SELECT 250000.0002"),
        ("SELECT 4503599627370497", "SELECT 4503599627370496.0"),
        ("SELECT 9007199254740992.0", "SELECT 9007199254740993"),
        ("SELECT id FROM bill WHERE place = 'Graz'", "SELECT id FROM bill WHERE place = 'Linz'"),
        ("SELECT who, number FROM call ORDER BY number", "SELECT who, number FROM call ORDER BY number DESC"),
        ("SELECT place FROM bill ORDER BY amount", "SELECT place FROM bill ORDER BY amount DESC"),
        ("SELECT name FROM particle ORDER BY charge", "SELECT name FROM particle ORDER BY charge DESC"),
        # a stored number of another row beside arithmetic
        ("SELECT at, cost * 2 FROM call LIMIT 1", "SELECT at + 1, cost * 2 FROM call LIMIT 1"),
        ("SELECT charge * 2 FROM particle WHERE name = 'quark'", "SELECT 2 * 0.0"),
        ("SELECT avg(charge) FROM particle", "SELECT avg(cost) FROM call"),
    ],
)
def test_numbers_that_are_stored_or_written_are_compared_exactly(reference: str, completion: str) -> None:
    assert verdict(completion, reference) == "fail"
    assert verdict(reference, reference) == "pass"


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("SELECT sum(cost) FROM call", "SELECT sum(cost) FROM (SELECT cost FROM call ORDER BY cost DESC)"),
        ("SELECT avg(cost) FROM call", "SELECT sum(cost) / count(*) FROM call"),
        ("SELECT avg(cost) FROM call", "SELECT total(cost / 4) FROM call"),
        ("SELECT cost * 3 FROM call", "SELECT cost + cost + cost FROM call"),
        ("SELECT cost * 3, who FROM call", "SELECT 3 * (cost + 0), who FROM call ORDER BY 2"),
        ("SELECT cost / 3 FROM call", "SELECT cost * 10 / 30 FROM call"),
        ("SELECT 0.7 + 0.1", "SELECT 0.8"),
        ("SELECT 0.8", "SELECT 0.7 + 0.1"),
        ("SELECT 3.0", "SELECT 3"),
        ("SELECT round(avg(seconds), 2) FROM call", "SELECT round(sum(seconds) * 1.0 / count(seconds), 2) FROM call"),
        ("SELECT who FROM call ORDER BY cost * 3", "SELECT who FROM call ORDER BY cost + cost + cost"),
    ],
)
def test_results_of_arithmetic_may_differ_in_their_last_digits(reference: str, completion: str) -> None:
    assert verdict(completion, reference) == "pass"


@pytest.mark.parametrize(
    ("reference", "completion", "right"),
    [
        ("SELECT place FROM bill ORDER BY place COLLATE NOCASE", "SELECT place FROM bill ORDER BY lower(place), id DESC", 1),
        ("SELECT place FROM bill ORDER BY place COLLATE NOCASE", "SELECT place FROM bill ORDER BY lower(place), amount", 1),
        ("SELECT place FROM bill ORDER BY place COLLATE NOCASE", "SELECT place FROM bill ORDER BY lower(place) DESC", 0),
        ("SELECT place FROM bill ORDER BY place", "SELECT place FROM bill ORDER BY lower(place), amount DESC", 0),
        ("SELECT place AS p FROM bill ORDER BY p COLLATE NOCASE", "SELECT place FROM bill ORDER BY 1 COLLATE NOCASE, id", 1),
        ("SELECT place FROM bill ORDER BY 1 COLLATE NOCASE", "SELECT place FROM bill ORDER BY upper(place), id", 1),
        ("SELECT name, charge FROM particle ORDER BY name", "SELECT name, charge FROM particle ORDER BY name, charge", 1),
        ("SELECT name, charge FROM particle ORDER BY name", "SELECT name, charge FROM particle ORDER BY name, charge DESC", 1),
        ("SELECT name FROM particle ORDER BY name DESC", "SELECT name FROM particle ORDER BY lower(name) DESC, charge", 1),
        ("SELECT name FROM particle ORDER BY name COLLATE BINARY", "SELECT name FROM particle ORDER BY name, charge", 0),
        ("SELECT who FROM call ORDER BY who COLLATE NOCASE, at", "SELECT who FROM call ORDER BY lower(who), at DESC", 0),
        ("SELECT who || ' ' FROM call ORDER BY who COLLATE RTRIM", "SELECT who || ' ' FROM call ORDER BY who", 1),
        ("SELECT DISTINCT who FROM call ORDER BY who", "SELECT DISTINCT who FROM call ORDER BY who DESC", 0),
    ],
)  # fmt: skip
def test_ties_are_those_of_the_collation(reference: str, completion: str, right: int) -> None:
    assert verdict(completion, reference) == ("pass" if right else "fail")


@pytest.mark.parametrize(
    ("reference", "completion", "right"),
    [
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1", "SELECT who FROM call ORDER BY seconds DESC, -at LIMIT 1", 1),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1", "SELECT 'Wes'", 1),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1", "SELECT 'Uma'", 1),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1", "SELECT 'Vic'", 0),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1", "SELECT who FROM call WHERE seconds > 60", 0),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1", "SELECT who FROM call WHERE seconds > 99", 0),
        ("SELECT who FROM call ORDER BY seconds LIMIT 3", "SELECT who FROM call ORDER BY seconds, at DESC LIMIT 3", 1),
        ("SELECT who FROM call ORDER BY seconds LIMIT 3", "SELECT who FROM call ORDER BY seconds DESC, at LIMIT 3", 0),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1 OFFSET 1", "VALUES ('Uma')", 1),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 1 OFFSET 1", "VALUES ('Wes')", 1),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 2 OFFSET 1", "VALUES ('Uma'), ('Vic')", 1),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 2 OFFSET 1", "VALUES ('Vic'), ('Uma')", 0),
        ("SELECT who FROM call ORDER BY seconds DESC LIMIT 2", "VALUES ('Wes'), ('Wes')", 0),
        ("SELECT lower(who), count(*) FROM call GROUP BY 1 ORDER BY 2 LIMIT 1", "SELECT 'wes', 1", 1),
        ("SELECT lower(who), count(*) FROM call GROUP BY 1 ORDER BY 2 LIMIT 1", "SELECT 'uma', 2", 0),
        ("SELECT who FROM call LIMIT 2", "SELECT who FROM call ORDER BY at DESC LIMIT 2", 1),
        ("SELECT who FROM call LIMIT 2", "SELECT who FROM call", 0),
        ("SELECT name FROM particle ORDER BY name LIMIT 2", "VALUES ('Boson'), ('lepton')", 1),
    ],
)  # fmt: skip
def test_where_a_limit_cuts_through_equal_rows_any_of_them_is_right(
    reference: str, completion: str, right: int
) -> None:
    assert verdict(completion, reference) == ("pass" if right else "fail")


@pytest.mark.parametrize(
    ("completion", "right"),
    [
        ("SELECT who FROM call;;", True),
        ("SELECT who FROM call ; ;", True),
        ("SELECT who FROM call;\n;\n;", True),
        ("SELECT who FROM call;; -- done", True),
        ("SELECT who FROM call; /* done */ ;", True),
        ("SELECT who FROM call -- all\n;;", True),
        ("SELECT who FROM call WHERE who <> ';;';;", True),
        ("WITH c AS (SELECT * FROM call) SELECT who FROM c;;", True),
        ("VALUES ('Uma'), ('Vic'), ('Wes'), ('uma');;", True),
        ("SELECT who FROM call;; SELECT 1", False),
        ("SELECT who FROM call;;x", False),
        ("SELECT nobody FROM call;;", False),
        (";;", False),
    ],
)
def test_empty_statements_behind_a_query_do_not_count(completion: str, right: bool) -> None:
    assert verdict(completion, "SELECT who FROM call;;") == ("pass" if right else "fail")
    if right:
        prompt = Prompt("p", "", "SELECT who FROM call", facts={"schema": SCRIPT})
        assert all(VERIFIER.viable(prompt, completion[:end]) is not False for end in range(len(completion) + 1))


def test_an_order_over_stored_numbers_is_told_as_such() -> None:
    prompt = Prompt("p", "", "SELECT place FROM bill ORDER BY amount", facts={"schema": SCRIPT})
    certificate = VERIFIER.verify(prompt, "SELECT place FROM bill ORDER BY amount DESC")
    assert certificate.verdict is Verdict.FAIL and certificate.findings[0].kind == "wrong_order"
