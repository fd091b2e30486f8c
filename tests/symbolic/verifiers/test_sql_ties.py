"""References that leave open which rows they take; the rows of each reading are written down by hand."""

import pytest

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql import SqlVerifier

STAFF = (
    "CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, pay INTEGER);"
    "INSERT INTO staff VALUES (1, 'Ann', 9), (2, 'Bob', 12), (3, 'Cid', 12), (4, 'Dee', 12), (5, 'Eve', 3);"
    "CREATE TABLE sale (id INTEGER PRIMARY KEY, staff_id INTEGER, qty INTEGER);"
    "INSERT INTO sale VALUES (1, 1, 3), (2, 1, 5), (3, 2, 5), (4, 3, 1);"
)
BEST = "SELECT name FROM (SELECT * FROM staff ORDER BY pay DESC LIMIT 1)"
SOLD_MOST = "SELECT name FROM staff WHERE id IN (SELECT staff_id FROM sale ORDER BY qty DESC LIMIT 1)"
PASS, FAIL, ABSTAIN = Verdict.PASS, Verdict.FAIL, Verdict.ABSTAIN


def judged(reference: str, completion: str) -> Certificate:
    prompt, verifier = Prompt("p", "q", reference, facts={"schema": STAFF}), SqlVerifier(explain=False)
    certificate = verifier.verify(prompt, completion)
    assert verifier.recheck(certificate, prompt, completion)
    return certificate


@pytest.mark.parametrize(
    ("reference", "completion", "verdict"),
    [
        (BEST, "SELECT name FROM staff ORDER BY pay DESC, id LIMIT 1", PASS),
        (BEST, "SELECT name FROM staff ORDER BY pay DESC, id DESC LIMIT 1", PASS),
        (BEST, "SELECT name FROM staff ORDER BY pay DESC, abs(id - 3) LIMIT 1", ABSTAIN),  # Cid, neither first nor last
        (BEST, "SELECT name FROM staff ORDER BY pay LIMIT 1", FAIL),
        (BEST, "SELECT name, pay FROM staff ORDER BY pay DESC LIMIT 1", FAIL),
        (BEST, "SELECT nam FROM staff ORDER BY pay DESC LIMIT 1", FAIL),
        (f"WITH best AS (SELECT * FROM staff ORDER BY pay DESC LIMIT 1) {'SELECT name FROM best'}", BEST, PASS),
        ("SELECT count(*) FROM (SELECT * FROM staff ORDER BY pay DESC LIMIT 2)", "SELECT min(count(*), 2) FROM staff", PASS),
        ("SELECT sum(pay) FROM (SELECT pay FROM staff ORDER BY pay DESC LIMIT 2)", "SELECT 24", FAIL),
        (SOLD_MOST, SOLD_MOST.replace("DESC", "DESC, id"), PASS),
        (SOLD_MOST, SOLD_MOST.replace("DESC", "DESC, id DESC"), PASS),
        (SOLD_MOST, SOLD_MOST.replace("DESC", "DESC, staff_id"), PASS),
        (SOLD_MOST, SOLD_MOST.replace("DESC", ""), FAIL),
        ("SELECT (SELECT name FROM staff WHERE pay = 12)", "SELECT name FROM staff WHERE pay = 12 ORDER BY id LIMIT 1", PASS),
        ("SELECT (SELECT name FROM staff WHERE pay = 12)", "SELECT max(name) FROM staff WHERE pay = 12", PASS),
        ("SELECT (SELECT name FROM staff WHERE pay = 12)", "SELECT name FROM staff WHERE pay = 3", FAIL),
        ("SELECT name FROM staff WHERE pay > (SELECT avg(pay) FROM staff)", "SELECT name FROM staff WHERE pay > 9.6", FAIL),
        ("SELECT name FROM staff WHERE EXISTS (SELECT 1 FROM sale WHERE staff_id = staff.id LIMIT 1)",
         "SELECT name FROM staff WHERE id IN (SELECT staff_id FROM sale)", PASS),
        ("SELECT name FROM staff UNION SELECT qty FROM sale ORDER BY 1 LIMIT 3",
         "SELECT qty FROM sale UNION SELECT name FROM staff ORDER BY 1 LIMIT 3", PASS),
    ],
)  # fmt: skip
def test_what_the_reference_leaves_open(reference: str, completion: str, verdict: Verdict) -> None:
    certificate = judged(reference, completion)

    assert certificate.verdict is verdict, certificate
    if verdict is ABSTAIN:
        assert "leaves open which rows it takes" in certificate.witness["error"]


def test_a_verdict_that_the_open_rows_do_not_bear_is_refuted() -> None:
    prompt, verifier = Prompt("p", "q", BEST, facts={"schema": STAFF}), SqlVerifier(explain=False)
    passed = judged(BEST, "SELECT name FROM staff ORDER BY pay DESC, id LIMIT 1")

    assert not verifier.recheck(passed, prompt, "SELECT name FROM staff ORDER BY pay DESC, abs(id - 3) LIMIT 1")
    assert not verifier.recheck(passed, prompt, "SELECT name FROM staff ORDER BY pay LIMIT 1")
