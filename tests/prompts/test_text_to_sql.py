"""Made questions: literals of the grammar, databases that tell single edits apart, splits that share no form of a query."""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from made import failing, shared, take
from query_oracle import rows_of

from rlsf_lightning.prompts.sources.text_to_sql import make, mutants, prompts, questions, rows, schema, trials
from rlsf_lightning.prompts.sources.text_to_sql.domains import DOMAINS
from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Amount, Date, Label, Number, Words
from rlsf_lightning.prompts.sources.text_to_sql.query import (
    Aggregate,
    Between,
    Comparison,
    Join,
    Key,
    Like,
    Missing,
    OneOf,
    Query,
    Within,
    shape_of,
    sql_of,
)
from rlsf_lightning.prompts.sources.text_to_sql.questions import SORTS
from rlsf_lightning.prompts.sources.text_to_sql.questions.draw import Draw
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Reference, Schema, Table
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql import VERIFIER

SOME = take(prompts("train"), 60)


def column(table: str, name: str, kind: object, **more: bool) -> Column:
    return Column(table, name, f"{table}.{name}", name, kind, **more)


ID, NAME = (
    column("cat", "id", Number(1, 99), is_unique=True, is_key=True),
    column("cat", "name", Label(("Tom", "Kit")), is_unique=True),
)
AGE, FUR = column("cat", "age", Number(1, 20)), column("cat", "fur", Words(("red", "grey")))
TOY, OWNER, COST = (
    column("toy", "id", Number(1, 99), is_unique=True, is_key=True),
    column("toy", "cat_id", Number(1, 99)),
    column("toy", "cost", Amount(1, 9)),
)
CAT = Table("cat", "cat", "cat", "cat", "cats", ID, NAME, (AGE, FUR), ())
TOYS = Table("toy", "toy", "toy", "toy", "toys", TOY, None, (COST,), (Reference(OWNER, "cat"),))
PETS = Schema("pets", (CAT, TOYS))
ROWS = {
    "cat": [(1, "Tom", 3, "red"), (2, "Kit", 5, "grey"), (3, "Ada", 5, "red")],
    "toy": [(1, 2.5, 1), (2, 2.5, 1), (3, 7.0, 2)],
}


@pytest.mark.parametrize(
    ("query", "sql"),
    [
        (Query((NAME, AGE), "cat"), "SELECT name, age FROM cat"),
        (
            Query((FUR, Aggregate("COUNT")), "cat", where=(Comparison(AGE, ">", 2),), group=(FUR,), limit=1,
                  having=Comparison(Aggregate("COUNT"), ">=", 2), order=(Key(Aggregate("COUNT"), True), Key(FUR))),
            "SELECT fur, COUNT(*) FROM cat WHERE age > 2 GROUP BY fur HAVING COUNT(*) >= 2 ORDER BY COUNT(*) DESC, fur LIMIT 1",
        ),
        (
            Query((NAME,), "cat", where=(Between(AGE, 2, 4), OneOf(FUR, ("red", "gr'y")), Like(NAME, "T%")), connective="OR"),
            "SELECT name FROM cat WHERE age BETWEEN 2 AND 4 OR fur IN ('red', 'gr''y') OR name LIKE 'T%'",
        ),
        (
            Query((NAME,), "cat", (Join("toy", ID, OWNER, True),), (Missing(TOY),)),
            "SELECT cat.name FROM cat LEFT JOIN toy ON toy.cat_id = cat.id WHERE toy.id IS NULL",
        ),
        (
            Query((NAME,), "cat", where=(Within(ID, Query((OWNER,), "toy", where=(Comparison(COST, ">", 2.5),)), False),)),
            "SELECT name FROM cat WHERE id NOT IN (SELECT cat_id FROM toy WHERE cost > 2.5)",
        ),
        (
            Query((FUR,), "cat", where=(Comparison(AGE, "=", Query((Aggregate("MAX", AGE),), "cat")),), is_distinct=True),
            "SELECT DISTINCT fur FROM cat WHERE age = (SELECT MAX(age) FROM cat)",
        ),
        (Query((Aggregate("COUNT", FUR, True),), "cat"), "SELECT COUNT(DISTINCT fur) FROM cat"),
    ],
)  # fmt: skip
def test_the_text_of_a_query(query: Query, sql: str) -> None:
    assert sql_of(query) == sql
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(rows.script_of(PETS, ROWS))
        database.execute(sql)


def test_the_script_of_a_schema() -> None:
    assert rows.script_of(PETS, ROWS).splitlines() == [
        "CREATE TABLE cat (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER NOT NULL, fur TEXT NOT NULL);",
        "CREATE TABLE toy (id INTEGER PRIMARY KEY, cost REAL NOT NULL, cat_id INTEGER NOT NULL REFERENCES cat (id));",
        "INSERT INTO cat VALUES (1, 'Tom', 3, 'red'), (2, 'Kit', 5, 'grey'), (3, 'Ada', 5, 'red');",
        "INSERT INTO toy VALUES (1, 2.5, 1), (2, 2.5, 1), (3, 7, 2);",
    ]


def test_single_edits_of_a_query() -> None:
    query = Query(
        (NAME,),
        "cat",
        where=(Comparison(AGE, ">", 3), Comparison(FUR, "=", "red")),
        order=(Key(AGE), Key(NAME)),
        limit=2,
    )
    found = {sql_of(mutant) for mutant in mutants.mutants(query, PETS, random.Random(0))}
    text = sql_of(query)
    assert text not in found
    for old, new in [
        (">", ">="), (">", "<"), ("3", "2"), ("3", "4"), ("=", "<>"), (" AND ", " OR "), ("age > 3 AND ", ""),
        (" AND fur = 'red'", ""),
        ("BY age", "BY age DESC"), (", name", ""), ("age, ", ""), (", name", ", name DESC"), ("LIMIT 2", "LIMIT 1"),
        ("LIMIT 2", "LIMIT 3"), ("SELECT name", "SELECT fur"), ("WHERE age", "WHERE id"),
    ]:  # fmt: skip
        assert text.replace(old, new, 1) in found, (old, new)


def test_rows_are_compared_whatever_the_order_of_equal_ones() -> None:
    reference = Query((FUR,), "cat", order=(Key(AGE),))
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(rows.script_of(PETS, ROWS))

        def is_same(query: Query) -> bool:
            return trials.outcome(database, query, reference, PETS) == trials.outcome(
                database, reference, reference, PETS
            )

        assert is_same(replace(reference, order=(Key(AGE), Key(ID, True))))  # 5, 5 may change places
        assert not is_same(replace(reference, order=(Key(AGE, True),)))
        assert not is_same(replace(reference, select=(NAME,)))
        assert is_same(replace(reference, order=()))  # the order of the keys is that of the ages
        assert not is_same(replace(reference, is_distinct=True))  # red is there twice
        assert not is_same(replace(reference, order=(), where=(Comparison(AGE, "<", 5),)))


def test_gold_passes_and_is_not_right_by_chance() -> None:
    verifier = VERIFIER()
    assert failing(verifier, SOME) == []
    for prompt in SOME:
        assert len(prompt.facts["databases"]) == trials.DATABASES - 1
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(prompt.facts["schema"])
            found = database.execute(prompt.reference).fetchall()
        assert found and prompt.text.startswith(prompt.facts["schema"].partition("\nINSERT")[0])
        constant = "VALUES " + ", ".join(
            f"({', '.join('NULL' if v is None else repr(v) for v in row)})" for row in found
        )
        assert verifier.verify(prompt, constant).verdict is Verdict.FAIL


def test_single_edits_of_the_text_fail() -> None:
    """One number, one text, one comparison, a keyword: none of these asks the same."""
    verifier, tried = VERIFIER(explain=False), Counter[str]()
    edits = {
        r"\b(\d+)$": lambda m: str(int(m[1]) + 1), r" DESC\b": lambda m: "", r"DISTINCT ": lambda m: "",
        r" > ": lambda m: " >= ",
        r" < ": lambda m: " <= ", r" <= ": lambda m: " < ", r" >= ": lambda m: " > ", r"LEFT JOIN": lambda m: "JOIN",
        r"NOT IN": lambda m: "IN", r" AND (?!\d)": lambda m: " OR ", r"LIMIT \d+": lambda m: "", r"MAX": lambda m: "MIN",
        r" HAVING .*?(?= ORDER|$)": lambda m: "", r"COUNT\((\w+\.\w+)\)": lambda m: "COUNT(*)",
    }  # fmt: skip
    for prompt, (found, edit) in itertools.product(SOME, edits.items()):
        wrong = re.sub(found, edit, prompt.reference, count=1)
        inner = "(SELECT AVG" in wrong and found in (r" > ", r" < ")
        if wrong != prompt.reference and not inner:
            tried[found] += 1
            assert verifier.verify(prompt, wrong).verdict is Verdict.FAIL, (prompt.reference, wrong)
    assert tried.total() > 60 and len(tried) > 9


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_form_of_a_query_is_in_two_splits(count: int) -> None:
    """Nor a text. The form: the reference without constants, functions, comparisons and directions."""

    def form(prompt: Prompt) -> str:
        return re.sub(r"'[^']*'|\b[\d.]+\b| DESC\b|[<>]=?|\b(?:SUM|AVG|MIN|MAX)\b", "~", prompt.reference)

    assert shared(prompts, count, form) == 0


def test_queries_with_other_names_constants_and_directions_have_one_shape() -> None:
    query = Query(
        (NAME, Aggregate("SUM", AGE)),
        "cat",
        where=(Comparison(AGE, ">", 3), Comparison(FUR, "=", "red")),
        order=(Key(AGE),),
    )
    renamed = replace(AGE, name="years")
    other = Query((NAME, Aggregate("AVG", renamed)), "cat", where=(Comparison(FUR, "<>", "grey"), Comparison(renamed, "<=", 7)),
                  order=(Key(renamed, True),))  # fmt: skip
    assert shape_of(query) == shape_of(other)
    for changed in (
        replace(query, order=()),
        replace(query, select=(NAME,)),
        replace(query, connective="OR"),
        replace(query, limit=2),
    ):
        assert shape_of(changed) != shape_of(query)


@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: sort.__name__)
def test_every_sort_of_question_has_answers(sort: object) -> None:
    """In several domains, and its databases are found in most cases."""
    drawn, found, domains = 0, 0, set()
    for seed in range(120):
        rng = random.Random(seed)
        tables = schema.drawn(rng)
        asked = sort(Draw(rng, tables))
        if asked is not None and drawn < 12:
            drawn, domains = drawn + 1, domains | {tables.domain}
            found += trials.scripts(asked.query, tables, asked.wrong, rng) is not None
            assert asked.question[-1] in ".?" and "  " not in asked.question and " ." not in asked.question
    assert drawn == 12 and found >= 4 and len(domains) > 3


@pytest.mark.parametrize("seeds", [range(150), pytest.param(range(150, 5000), marks=pytest.mark.slow)], ids=len)
def test_sqlite_and_loops_over_rows_agree(seeds: range) -> None:
    compared = 0
    for seed in seeds:
        rng = random.Random(seed)
        tables = schema.drawn(rng)
        asked = questions.asked(tables, rng)
        if asked is None:
            continue
        drawn = rows.drawn(tables, rows.constants_of(asked.query), rng)
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(rows.script_of(tables, drawn))
            for query in [asked.query, *asked.wrong, *mutants.mutants(asked.query, tables, rng)]:
                last = query.order[-1].of if query.order else None
                is_whole = query == asked.query and query.limit is not None
                is_whole = is_whole or (isinstance(last, Column) and (last.is_unique or last in query.group))
                is_whole &= query.is_distinct == asked.query.is_distinct
                if query.limit is not None and not is_whole:
                    continue  # it may cut through equal rows
                found, looped = database.execute(sql_of(query)).fetchall(), rows_of(query, tables, drawn)
                assert Counter(found) == Counter(looped) and (not is_whole or found == looped), sql_of(query)
                compared += 1
    assert compared > 5 * len(seeds)


def test_all_questions_name_the_constants_of_their_query() -> None:
    for prompt in SOME:
        question = prompt.text.partition("Question: ")[2]
        for constant in re.findall(r"'([^'%]*)%?'", prompt.reference):
            assert constant in question


def test_domains_can_be_told_apart_and_their_columns_too() -> None:
    assert len(DOMAINS) >= 12 and len({domain.name for domain in DOMAINS}) == len(DOMAINS)
    for domain in DOMAINS:
        known: set[str] = set()
        for entity in domain.entities:
            assert set(entity.parents) <= known
            known.add(entity.concept)
            fields = [*entity.fields, *([entity.label] if entity.label else [])]
            names = [name for field in fields for name in field.names.split("|")] + ["id"]
            assert len(set(names)) == len(names) and len({field.phrase for field in fields}) == len(fields), (
                entity.concept
            )
            assert entity.label is None or len(entity.label.kind.values) >= rows.FEW[1] + 3


@pytest.mark.parametrize("seed", range(20))
def test_data_keep_what_the_schema_declares(seed: int) -> None:
    rng = random.Random(seed)
    tables = schema.drawn(rng)
    assert schema.FEWEST <= len(tables.tables) <= schema.MOST
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("PRAGMA foreign_keys = on")
        database.executescript(rows.script_of(tables, rows.drawn(tables, {}, rng)))
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        for table in tables.tables:
            for one in table.all_columns:
                kind = (
                    {"text"}
                    if one.kind.sql == "TEXT"
                    else {"integer"}
                    if one.kind.sql == "INTEGER"
                    else {"integer", "real"}
                )
                (types,) = zip(*database.execute(f"SELECT DISTINCT typeof({one.name}) FROM {table.name}"), strict=True)
                assert set(types) <= kind | ({"null"} if one.may_be_null else set())
                if isinstance(one.kind, Amount):
                    quarters = database.execute(f"SELECT {one.name} * 4 FROM {table.name}").fetchall()
                    assert all(value is None or value == int(value) for (value,) in quarters)


def test_constants_lie_within_their_kind() -> None:
    rng = random.Random(0)
    for kind in (Number(3, 9), Amount(3, 9), Date(2020, 2023), Words(("a", "b")), Label(("Ann", "Bob"))):
        for _ in range(50):
            value = kind.constant(rng)
            assert type(value) is type(kind.draw(rng)) is type(kind.near(value, rng))
            if isinstance(kind, Number | Amount):
                assert kind.low < value < kind.high


def test_a_draft_is_the_same_by_seed() -> None:
    drafts = [make(random.Random(5)) for _ in range(2)]
    assert drafts[0] is not None and drafts[1] is not None and drafts[0].key == drafts[1].key
    assert drafts[0].finish() == drafts[1].finish()
