"""Folders in the form of Spider and of BIRD, made by sqlite3 itself, as JSON lines that train and are judged."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rlsf_lightning.config.schema import Columns, Data, Paths
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import files, spider
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.sql import VERIFIER

SINGERS = "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)"
SINGERS_ROWS = "INSERT INTO singer VALUES (1, 'Joe', 52), (2, 'Tim', 32), (3, 'Ann', 41), (4, 'Rose', 41)"
SHIPS = 'CREATE TABLE "ship" (\n\t"id" INTEGER,\n\t"tons" REAL -- in thousands\n)'
SHIPS_ROWS = "INSERT INTO ship VALUES (1, 10.5), (2, 7.25)"


def make(path: Path, *statements: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";\n".join(statements))


def row(db_id: str, question: str, query: str) -> dict[str, Any]:
    return {"db_id": db_id, "question": question, "query": query, "query_toks": query.split(), "sql": {"limit": None}}


@pytest.fixture
def spider_folder(tmp_path: Path) -> Path:
    make(tmp_path / "database/singers/singers.sqlite", SINGERS, SINGERS_ROWS)
    make(tmp_path / "database/ships/ships.sqlite", SHIPS, SHIPS_ROWS)
    (tmp_path / "tables.json").write_text("[]")
    train = [
        row("singers", "How many singers are there? ", "SELECT count(*) FROM singer ;"),
        row("singers", "Who is oldest?", "SELECT name FROM singer ORDER BY age DESC LIMIT 1"),
        row("singers", "Which songs?", "SELECT song FROM singer"),
        row("lost", "How many?", "SELECT count(*) FROM lost"),
    ]
    (tmp_path / "train_spider.json").write_text(json.dumps(train))
    (tmp_path / "train_others.json").write_text(json.dumps([row("ships", "Heaviest?", "SELECT max(tons) FROM ship")]))
    (tmp_path / "dev.json").write_text(json.dumps([row("ships", "How many ships?", "SELECT count(*) FROM ship")]))
    return tmp_path


@pytest.fixture
def bird_folder(tmp_path: Path) -> Path:
    make(tmp_path / "dev_databases/ships/ships.sqlite", SHIPS, SHIPS_ROWS)
    (tmp_path / "dev_tables.json").write_text("[]")
    rows = [
        {"question_id": 0, "db_id": "ships", "question": "How many heavy ships?", "difficulty": "simple",
         "evidence": "heavy means tons > 8", "SQL": "SELECT COUNT(*) FROM ship WHERE tons > 8"},
        {"question_id": 1, "db_id": "ships", "question": "All ships?", "evidence": "", "SQL": "SELECT id FROM ship",
         "difficulty": "simple"},
    ]  # fmt: skip
    (tmp_path / "dev.json").write_text(json.dumps(rows))
    return tmp_path


def lines(folder: Path, split: str, *more: str) -> list[dict[str, Any]]:
    to = folder / f"{split}.jsonl"
    spider.main([f"folder={folder}", f"split={split}", f"to={to}", *more])
    return [json.loads(line) for line in to.read_text().splitlines()]


def test_a_folder_of_spider(spider_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = lines(spider_folder, "train")
    assert first == {
        "db_id": "singers",
        "question": "How many singers are there?",
        "evidence": "",
        "tables": f"{SINGERS};",
        "prompt": f"{SINGERS};\n\nQuestion: How many singers are there?",
        "reference": "SELECT count(*) FROM singer",
        "database": str(spider_folder / "database/singers/singers.sqlite"),
    }
    assert second["reference"].endswith("LIMIT 1") and third["tables"] == f"{SHIPS};"
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "left out: train_spider.json, row 3 (singers): whose query does not run: no such column: song",
        "left out: train_spider.json, row 4 (lost): without a database",
        "5 rows, 1 whose query does not run, 1 without a database",
    ]


def test_a_folder_of_bird(bird_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = lines(bird_folder, "dev")
    assert first["prompt"].endswith(";\n\nHint: heavy means tons > 8\nQuestion: How many heavy ships?")
    assert second["prompt"].endswith(";\n\nQuestion: All ships?")
    assert (first["evidence"], first["difficulty"], second["evidence"]) == ("heavy means tons > 8", "simple", "")
    assert capsys.readouterr().err == "2 rows\n"


def test_bird_with_a_folder_a_split(bird_folder: Path) -> None:
    (bird_folder / "dev").mkdir()
    (bird_folder / "dev.json").rename(bird_folder / "dev" / "dev.json")
    (bird_folder / "dev_databases").rename(bird_folder / "dev" / "dev_databases")
    assert len(lines(bird_folder, "dev")) == 2


def test_the_lines_are_prompts_that_are_judged(spider_folder: Path) -> None:
    for split in ("train", "dev"):
        lines(spider_folder, split)
    paths = Paths(train=str(spider_folder / "train.jsonl"), validation=str(spider_folder / "dev.jsonl"))
    data = Data(paths=paths, columns=Columns(facts=["database"]), split_by="question")
    found = list(files.prompts(data, "train"))
    assert len(found) == 3 and len(list(files.prompts(data, "validation"))) == 1
    verifier = VERIFIER()
    for prompt in found:
        assert verifier.verify(prompt, prompt.reference).verdict is Verdict.PASS
        assert verifier.verify(prompt, "SELECT 7").verdict is Verdict.FAIL
    wrong = verifier.verify(found[0], "SELECT 4")  # right on the file's own data, not on mutants of them
    assert wrong.verdict is Verdict.FAIL and wrong.witness["database"] > 0


def test_further_files_of_a_database(spider_folder: Path) -> None:
    make(spider_folder / "database/singers/singers_v1.sqlite", SINGERS, "INSERT INTO singer VALUES (1, 'Eve', 20)")
    first, second, third = lines(spider_folder, "train", "files=5")
    assert [Path(path).name for path in first["database"]] == ["singers.sqlite", "singers_v1.sqlite"]
    assert first["database"] == second["database"] and isinstance(third["database"], str)
    prompt = Prompt("p", "", first["reference"], facts={"database": first["database"]})
    certificate = VERIFIER().verify(prompt, "SELECT 4")
    assert certificate.verdict is Verdict.FAIL and certificate.witness["databases"] == 2


def test_limits(spider_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(spider_folder, "dev", "most_mb=0") == []
    assert "with a database above 0 MB" in capsys.readouterr().err
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 200000) SELECT count(*) FROM c"
    (spider_folder / "dev.json").write_text(json.dumps([row("ships", "?", endless)]))
    assert lines(spider_folder, "dev") == []
    assert "whose query does not run: too costly" in capsys.readouterr().err
    assert len(lines(spider_folder, "dev", "steps=50000000")) == 1


def test_a_database_that_is_none_and_a_name_that_leads_elsewhere(
    spider_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spider_folder / "database/ships/ships.sqlite").write_text("no database, " * 100)
    make(spider_folder / "ships.sqlite", SHIPS)
    (spider_folder / "dev.json").write_text(
        json.dumps([row(name, "?", "SELECT 1") for name in ("ships", "..", "../..", ".")])
    )
    assert lines(spider_folder, "dev") == []
    told = capsys.readouterr().err
    assert "whose database cannot be read: file is not a database" in told and "3 without a database" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["folder=."], "`split` is missing; write folder=DIR"),
        (["folders=."], "did you mean"),
        (["folder=.", "split=dev", "to=out", "files=x"], "expects a whole number"),
        (["folder=.", "split=dev", "to=out"], "has none of the folders dev_databases, "),
    ],
)
def test_mistakes_are_told(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        spider.main(words)


def test_other_files_are_told(spider_folder: Path) -> None:
    for text, said in [
        ("{}", "not a list"),
        ("[1]", "not a list"),
        ("[", "not JSON"),
        ('[{"db_id": "x"}]', "row 1 has no `question`"),
    ]:
        (spider_folder / "dev.json").write_text(text)
        with pytest.raises(UserError, match=said):
            lines(spider_folder, "dev")
    with pytest.raises(UserError, match=r"has no other\.json"):
        lines(spider_folder, "other")
