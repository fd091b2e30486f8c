"""SPoC's files into one: lines put together, tests read, splits by problem, mistakes told."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from rlsf_lightning.config.schema import Columns, Data
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import files, spoc

HEADER = "text\tcode\tworkerid\tprobid\tsubid\tline\tindent\n"
TABLE = HEADER + "".join(
    [
        "\tint main() {\t7\t1A\t55\t0\t0\n",
        "let n be an integer\tint n;\t7\t1A\t55\t1\t1\n",
        "read n\tcin >> n;\t7\t1A\t55\t2\t1\n",
        '"print ""n"""\t"cout << ""n"" << n;"\t7\t1A\t55\t3\t1\n',
        "\t}\t7\t1A\t55\t4\t0\n",
        "\tint main() { return 3; }\t7\t2B\t56\t0\t0\n",
        "\tint main() {}\t7\t9Z\t57\t0\t0\n",
    ]
)
TESTS = "4\n###ENDINPUT###\nn4\n###ENDOUTPUT###\n5\n\n###ENDINPUT###\nn5\n###ENDOUTPUT###\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.tsv").write_text(TABLE)
    for problem in ("1A", "2B"):
        (tmp_path / "testcases" / problem).mkdir(parents=True)
        (tmp_path / "testcases" / problem / f"{problem}_testcases.txt").write_text(TESTS)
        (tmp_path / "testcases" / problem / f"{problem}_testcases_public.txt").write_text("")
    return tmp_path


def rows(folder: Path, *more: str) -> list[dict]:
    spoc.main([f"programs={folder}/train.tsv", f"tests={folder}/testcases", f"to={folder}/out.jsonl", *more])
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_a_table_of_lines_becomes_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = rows(folder)
    assert first == {
        "problem": "1A",
        "pseudocode": 'int main() {\n  let n be an integer\n  read n\n  print "n"\n}',
        "code": 'int main() {\n  int n;\n  cin >> n;\n  cout << "n" << n;\n}',
        "tests": [{"input": "4\n", "output": "n4\n"}, {"input": "5\n\n", "output": "n5\n"}],
    }
    assert second["problem"] == "2B"
    assert capsys.readouterr().err == "3 programs, 1 left out without a test\n"


def test_tests_are_limited(folder: Path) -> None:
    assert [len(row["tests"]) for row in rows(folder, "most_tests=1")] == [1, 1]
    assert [len(row["tests"]) for row in rows(folder, "most_chars=5")] == [1, 1]


def test_whole_programs_and_their_tests_as_json_lines(tmp_path: Path) -> None:
    program = {"probid": "1A", "pseudocode": "print 1", "code": "int main() { cout << 1; }", "subid": "3"}
    (tmp_path / "one.jsonl").write_text(json.dumps(program) + "\n")
    (tmp_path / "two.jsonl").write_text(json.dumps(program | {"pseudocode": "output 1"}) + "\n")
    problem = {"probid": "1A", "tests": [{"input": "", "output": "1", "public": True}]}
    with gzip.open(tmp_path / "tests.jsonl.gz", "wt") as file:
        file.write(json.dumps(problem) + "\n")
    to = tmp_path / "out.jsonl"
    spoc.main([f"programs={tmp_path}/one.jsonl,{tmp_path}/two.jsonl", f"tests={tmp_path}/tests.jsonl.gz", f"to={to}"])
    written = [json.loads(line) for line in to.read_text().splitlines()]
    assert [row["pseudocode"] for row in written] == ["print 1", "output 1"]
    assert written[0]["tests"] == [{"input": "", "output": "1"}]


def test_programs_of_one_problem_are_in_one_split(tmp_path: Path) -> None:
    written = [
        {"problem": f"{n % 40}", "pseudocode": f"p {n}", "code": f"c {n}", "tests": [{"input": "", "output": str(n)}]}
        for n in range(400)
    ]
    path = tmp_path / "spoc.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in written))
    columns = Columns(prompt="pseudocode", reference="code", facts=["tests"])
    data = Data(path=str(path), columns=columns, split_by="problem")
    of = {split: list(files.prompts(data, split)) for split in ("train", "validation", "test")}
    assert sum(map(len, of.values())) == 400 and all(of.values())
    problems = [{int(p.text.split()[1]) % 40 for p in prompts} for prompts in of.values()]
    assert sum(map(len, problems)) == 40
    assert of["test"][0].facts["tests"][0].keys() == {"input", "output"}
    with pytest.raises(UserError, match="no column `probem`"):
        next(files.prompts(Data(path=str(path), columns=columns, split_by="probem"), "test"))


@pytest.mark.skipif(shutil.which("g++") is None or shutil.which("bwrap") is None, reason="needs g++ and bubblewrap")
def test_gold_that_fails_here_is_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["problem"] for row in rows(folder, "check=true")] == ["1A"]
    assert "1 left out that fail here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["programs=x.tsv"], "`tests` is missing"),
        (["program=x.tsv"], "did you mean"),
        (["most_tests=few"], "expects a whole number"),
        (["check=maybe"], "expects true or false"),
        (["programs=none.tsv", "tests=none.jsonl", "to=out"], "none.jsonl: no such file"),
    ],
)
def test_mistakes_are_told(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        spoc.main(words)


def test_other_tables_are_told(folder: Path) -> None:
    (folder / "train.tsv").write_text("text\tcode\n")
    with pytest.raises(UserError, match="no column `workerid`"):
        rows(folder)
    (folder / "bad.jsonl").write_text('{"probid": 1}\n')
    with pytest.raises(UserError, match=r"line 1 has no `pseudocode`"):
        next(spoc.programs(folder / "bad.jsonl"))
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="no PROBLEM"):
        spoc.all_tests(folder / "empty")
