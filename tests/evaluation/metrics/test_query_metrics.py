"""Execution accuracy and valid queries, beside a loop over sqlite3 that knows no certificate."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rlsf_lightning.evaluation.metrics import suite_for
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.sql import VERIFIER

SCHEMA = "CREATE TABLE boat (id INTEGER PRIMARY KEY, name TEXT NOT NULL, year INTEGER NOT NULL);"
SCRIPTS = [
    f"{SCHEMA} INSERT INTO boat VALUES (1, 'Ada', 1990), (2, 'Bob', 2001), (3, 'Cleo', 2001), (4, 'Dora', 2010);",
    f"{SCHEMA} INSERT INTO boat VALUES (1, 'Emil', 2001), (2, 'Fay', 1985), (3, 'Gus', 2012), (5, 'Ada', 2001);",
]
ANSWERS = {
    "SELECT name FROM boat WHERE year > 2001": [
        "SELECT name FROM boat WHERE year > 2001",
        "SELECT b.name FROM boat AS b WHERE NOT b.year <= 2001",
        "SELECT name FROM boat WHERE year >= 2001",
        "SELECT name FROM boat WHERE id = 4",  # right on the first database alone
        "SELECT name FROM boats",
        "SELECT name FROM boat WHERE year >",
        "SELECT year FROM boat WHERE year > 2001",
        "SELECT name, year FROM boat WHERE year > 2001",
        "DELETE FROM boat",
        "",
    ],
    "SELECT name FROM boat ORDER BY name DESC LIMIT 2": [
        "SELECT name FROM boat ORDER BY name DESC LIMIT 2",
        "SELECT name FROM boat ORDER BY name LIMIT 2",
        "SELECT * FROM (SELECT name FROM boat ORDER BY name DESC LIMIT 2) ORDER BY name",
        "SELECT max(name) FROM boat",
    ],
    "SELECT year, count(*) FROM boat GROUP BY year": [
        "SELECT year, count(id) FROM boat GROUP BY 1",
        "SELECT year, sum(1) FROM boat GROUP BY year ORDER BY year DESC",
        "SELECT year, 1 FROM boat GROUP BY year",
        "SELECT year, count(*) FROM boat GROUP BY name",
        "SELECT yaer, count(*) FROM boat GROUP BY year",
    ],
}


def rows(script: str, query: str) -> list[tuple[object, ...]] | None:
    """None: it does not run, or does not read."""
    if not query.startswith("SELECT"):
        return None
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(script)
        try:
            return database.execute(query).fetchall()
        except sqlite3.Error:
            return None


def expected(reference: str, answer: str) -> tuple[bool, bool]:
    """(right on every database, runs on the first)."""
    keeps_order = "ORDER BY" in reference
    found = [(rows(script, answer), rows(script, reference)) for script in SCRIPTS]
    is_right = all(
        ours is not None and (ours == theirs if keeps_order else sorted(ours) == sorted(theirs))
        for ours, theirs in found
    )
    return is_right, found[0][0] is not None


@pytest.mark.parametrize("finished", [True, False])
def test_they_are_what_sqlite_says(finished: bool) -> None:
    suite, verifier = suite_for(VERIFIER), VERIFIER()
    metrics = {name: suite.greedy[name]() for name in ("execution_accuracy", "valid_queries")}
    wanted = []
    for reference, answers in ANSWERS.items():
        facts = {"schema": SCRIPTS[0], "databases": SCRIPTS[1:]}
        certificates = [verifier.verify(Prompt("p", "", reference, facts=facts), answer) for answer in answers]
        wanted += [expected(reference, answer) for answer in answers]
        for metric in metrics.values():  # in several updates, as batches come
            metric.update(certificates=certificates, is_finished=[finished] * len(answers))
    right, runs = (sum(column) / len(wanted) for column in zip(*wanted, strict=True))
    assert 0 < right < runs < 1
    values = {name: metric.compute().item() for name, metric in metrics.items()}
    assert values == pytest.approx({"execution_accuracy": right * finished, "valid_queries": runs * finished})
