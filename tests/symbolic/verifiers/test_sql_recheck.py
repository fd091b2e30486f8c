"""What the SQL verifier's recheck must reject: one thing changed in a certificate that stands. It never raises."""

from dataclasses import replace
from typing import Any

import pytest
from certificates import checked
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.sql.verifier import SqlVerifier

VERIFIER = SqlVerifier()
SCRIPT = """
CREATE TABLE orders (item TEXT, amount INTEGER, region TEXT, total REAL);
INSERT INTO orders VALUES ('pen', 3, 'Rome', 1.5), ('ink', 7, 'Rome', 2.5), ('cap', 1000000000000000, 'Oslo', 4e10);
CREATE TABLE film (title TEXT, orders_id INTEGER);
INSERT INTO film VALUES ('Up', 1), ('It', 2);
"""
TOTALS = "SELECT region, MIN(total) AS value FROM orders GROUP BY region"
ITEMS = "SELECT item FROM orders WHERE amount > 3"
BOTH = "SELECT x.item, y.title FROM orders AS x JOIN film AS y ON x.amount = y.orders_id"


def task(reference: str) -> Prompt:
    return Prompt("p", "", reference, facts={"schema": SCRIPT})


def rejected(certificate: Certificate, completion: str, reference: str, **change: Any) -> bool:
    """Whether the certificate stands as it is, but not with this change."""
    changed = replace(certificate, **change)
    assert changed != certificate and VERIFIER.recheck(certificate, task(reference), completion)
    return not VERIFIER.recheck(changed, task(reference), completion)


@pytest.mark.parametrize(
    ("completion", "reference"),
    [
        ("SELECT region, MIN(total) AS value? FROM orders GROUP BY region", TOTALS),
        ("SELECT region, MIN(total) AS\\ value FROM orders GROUP BY region", TOTALS),
        ("SELECT region, MIN(total) AS{ value FROM orders GROUP BY region", TOTALS),
        ("SELECT x.item, y.title FROM orders AS x JOIN film AS weight ON x.amount = y.orders_id", BOTH),
        ("SELECT item FROM  WHERE amount > 3", ITEMS),
        ("SELECT item  orders WHERE amount > 3", ITEMS),
        ("SELECT item,, amount FROM orders", ITEMS),
        ("SELECT nam FROM fil", "SELECT title FROM film"),
        ("SELECT (a FROM orders) FROM fil, fol", ITEMS),
        ("SELECT 1 FROM orders WHERE item IN fol", ITEMS),
        ("SELECT 1 UNION SELECT 2, 3", ITEMS),
        ("SELECT item FROM 'a'a", ITEMS),
        ("SELECT 0.1 + 0.2, 'a' UNION ALL SELECT 0.3, 'b'", "SELECT 0.3, 'a' UNION ALL SELECT 0.1 + 0.2, 'b'"),
        ("SELECT amount FROM orders ORDER BY 1 DESC", "SELECT amount FROM orders ORDER BY amount"),
        ("/}", ITEMS),
        ("{{{", ITEMS),
        ("SELECT abs(-9223372036854775808)", ITEMS),
        ("-- nothing", ITEMS),
        ("SELECT 1\N{NO-BREAK SPACE}", "SELECT 1"),
    ],
)
def test_what_verify_says_is_confirmed(completion: str, reference: str) -> None:
    checked(VERIFIER, task(reference), completion)


def test_a_pass_with_another_number_of_rows_score_or_witness_is_rejected() -> None:
    certificate = VERIFIER.verify(task(ITEMS), ITEMS)
    assert certificate.witness == {"rows": [2, 2], "databases": 5}
    changes: list[dict[str, Any]] = [
        {"witness": {"rows": [2, 3], "databases": 5}},
        {"witness": {"rows": [2, 2], "databases": 4}},
        {"witness": {"rows": [2, 2]}},
        {"witness": {"rows": None}},
        {"witness": {}},
        {"witness": {"rows": [2, 2], "databases": 5, "more": 1}},
        {"verdict": Verdict.FAIL, "score": 0.5, "findings": (Finding("tampered", "made up"),)},
    ]
    assert all(rejected(certificate, ITEMS, ITEMS, **change) for change in changes)


@pytest.mark.parametrize(
    "repair",
    [
        [[18, 17, "FROM"]],  # ends before it starts
        [[17, 18, "FROM"]],  # not at a token
        [[17, 17, "FROM\u2620"]],
        [[17, 17, "FROM "]],
        [[-5, 17, "FROM"]],
        [[17, 400, "FROM"]],
        [[17, 17]],
        [[17, 17, None]],
        [["17", "17", "FROM"]],
        [17],
        [],
        None,
        "FROM",
    ],
)
def test_a_tampered_change_is_rejected(repair: Any) -> None:
    completion = "SELECT item, item  orders WHERE amount > 3"
    reference = "SELECT item, item FROM orders WHERE amount > 3"
    certificate = VERIFIER.verify(task(reference), completion)
    assert certificate.witness == {"repair": [[17, 17, "FROM"]], "shown": 2}
    witness = {**certificate.witness, "repair": repair}
    assert rejected(certificate, completion, reference, witness=witness)


@pytest.mark.parametrize("shown", [0, 1, 3, -1, 2.5, None, "2"])
def test_another_number_of_places_that_sqlite_shows_is_rejected(shown: Any) -> None:
    completion = "SELECT item, item  orders WHERE amount > 3"
    reference = "SELECT item, item FROM orders WHERE amount > 3"
    certificate = VERIFIER.verify(task(reference), completion)
    assert rejected(certificate, completion, reference, witness={**certificate.witness, "shown": shown})


def test_a_change_that_leaves_the_query_right_but_is_not_of_the_reference_is_rejected() -> None:
    completion = "SELECT region, MIN(total) AS 'value FROM orders GROUP BY region"
    completion = completion.replace("'", ", ")
    certificate = VERIFIER.verify(task(TOTALS), completion)
    (start, end, word), *_ = certificate.witness["repair"]
    other = {**certificate.witness, "repair": [[start, end, f"{word}\u2620"]]}
    assert rejected(certificate, completion, TOTALS, witness=other)


def test_a_place_of_an_unknown_table_is_one_where_a_table_must_be() -> None:
    completion, reference = "SELECT 1, nam FROM fil", "SELECT 1, title FROM film"
    certificate = VERIFIER.verify(task(reference), completion)
    assert certificate.findings[0].spans == (Span(19, 22), Span(10, 13)) and certificate.witness["shown"] == 1
    assert rejected(certificate, completion, reference, witness={**certificate.witness, "shown": 2})


@pytest.mark.parametrize("by", [-1, 1, 3])
@pytest.mark.parametrize(
    ("completion", "reference"),
    [
        ("SELECT x.item, y.title FROM orders AS x JOIN film AS weight ON x.amount = y.orders_id", BOTH),
        ("SELECT title, amount  orders", "SELECT item, amount FROM orders"),
        ("/}", ITEMS),
        ("/}}", ITEMS),
        ("{{{{{", ITEMS),
        ("SELECT ????? 1", ITEMS),
        ("SELECT item,, amount FROM orders", ITEMS),
        ("SELECT 1 FROM a, b, c", ITEMS),
        ("SELECT a,a,a,b FROM orders", ITEMS),
        ("SELECT '\0\0\0\0'", ITEMS),
    ],
)
def test_a_moved_place_is_rejected(completion: str, reference: str, by: int) -> None:
    certificate = VERIFIER.verify(task(reference), completion)
    for at, finding in enumerate(certificate.findings):
        if not finding.spans or any(span.start + by < 0 for span in finding.spans):
            continue
        moved = replace(finding, spans=tuple(Span(s.start + by, s.end + by) for s in finding.spans))
        findings = (*certificate.findings[:at], moved, *certificate.findings[at + 1 :])
        assert rejected(certificate, completion, reference, findings=findings)


def test_of_two_commas_the_second_is_blamed() -> None:
    certificate = VERIFIER.verify(task(ITEMS), "SELECT item,, amount FROM orders")
    assert certificate.findings[0].spans[0] == Span(12, 13) and certificate.dead_from == 12


def test_other_rows_and_other_errors_in_the_witness_are_rejected() -> None:
    completion = "SELECT amount FROM orders WHERE amount > 3"
    reference = "SELECT amount + 1 FROM orders"
    certificate = VERIFIER.verify(task(reference), completion)
    assert certificate.witness["missing"] == [[4], [8], [1000000000000001]]
    for missing in ([[4], [8], [1000000000000002]], [[4], [8]], [[8], [4], [1000000000000001]], [[4], [4], [8]], 4):
        assert rejected(certificate, completion, reference, witness={**certificate.witness, "missing": missing})
    failing = "SELECT abs(-9223372036854775808)"
    stopped = VERIFIER.verify(task(ITEMS), failing)
    assert stopped.witness == {"error": "integer overflow", "databases": 5, "database": 0}
    assert rejected(stopped, failing, ITEMS, witness={**stopped.witness, "error": "integer overflow\u2620"})
    costly = (replace(stopped.findings[0], kind="too_costly"),)
    assert rejected(stopped, failing, ITEMS, findings=costly)


def test_a_change_that_gives_the_rows_in_another_order_is_rejected() -> None:
    completion, reference = "SELECT amount FROM orders ORDER BY total", "SELECT amount FROM orders ORDER BY amount DESC"
    certificate = VERIFIER.verify(task(reference), completion)
    assert certificate.witness["repair"] == [[35, 40, "amount DESC"]]
    spans = (Span(35, 40),)
    wrong = {**certificate.witness, "repair": [[35, 40, "amount"]]}
    findings = (replace(certificate.findings[0], spans=spans),)
    assert rejected(certificate, completion, reference, witness=wrong, findings=findings)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
_CHANGE = st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70), st.text(max_size=3)).map(list), max_size=2)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["SELECT title FROM orders", "SELECT item FROM film", ITEMS, "SELECT item", "SELCT ?", "SELECT 1"]),
    st.sampled_from(["rows", "missing", "extra", "repair", "shown", "error"]),
    _JSON | _CHANGE,
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=2),
    st.integers(0, 90),
)
def test_recheck_answers_whatever_a_certificate_says(
    completion: str, key: str, value: Any, places: list[tuple[int, int]], dead: int
) -> None:
    certificate = VERIFIER.verify(task(ITEMS), completion)
    witness = {**certificate.witness, key: value}
    spans = tuple(Span(start, start + length) for start, length in places)
    findings = tuple(replace(finding, spans=spans) for finding in certificate.findings)
    dead_from = None if certificate.verdict is Verdict.PASS else dead
    for wrong in (
        replace(certificate, witness=witness),
        replace(certificate, findings=findings),
        replace(certificate, dead_from=dead_from),
    ):
        assert VERIFIER.recheck(wrong, task(ITEMS), completion) in (True, False)
    if witness != certificate.witness:
        assert not VERIFIER.recheck(replace(certificate, witness=witness), task(ITEMS), completion)


def test_a_change_that_is_right_but_no_difference_from_the_reference_is_rejected() -> None:
    completion, reference = "SELECT item, amount F", "SELECT item, amount FROM orders"
    certificate = VERIFIER.verify(task(reference), completion)
    assert certificate.witness["repair"] == [[20, 21, "FROM orders"]]
    aliased = {**certificate.witness, "repair": [[21, 21, "FROM orders"]]}  # SELECT item, amount F FROM orders
    assert rejected(certificate, completion, reference, witness=aliased)
