"""SPoC (Kulal et al. 2019), pseudo-code and C++ with tests, as one file of JSON lines that ``data.path`` reads.

    python -m rlsf_lightning.prompts.spoc programs=train/spoc-train.tsv tests=testcases to=spoc.jsonl [most_tests=20]
        [most_chars=5000] [check=false]

``programs``: a table as SPoC has it (text, code, workerid, probid, subid, line, indent: a row for each line of a program), or
JSON lines of whole programs (probid, pseudocode, code); several with commas. ``tests``: SPoC's folder with
``PROBLEM/PROBLEM_testcases.txt``, or JSON lines of problems (probid, tests). Of a problem's tests the first ``most_tests`` are
kept that have at most ``most_chars`` characters. ``check=true`` leaves out programs that do not compile or fail a test here
(SPoC's were judged by older compilers), at some tenths of a second each.

A line has ``problem``, ``pseudocode``, ``code`` and ``tests``; split by problem with ``data.split_by=problem``.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.convert.options import read, run
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.loader import load_verifier

USAGE = "programs=FILE tests=FILE_OR_FOLDER to=spoc.jsonl"
_END_OF_INPUT, _END_OF_OUTPUT = "###ENDINPUT###", "###ENDOUTPUT###"
_COLUMNS = ("text", "code", "workerid", "probid", "subid", "line", "indent")
Test = Mapping[str, str]


@dataclass
class Options:
    """The command's arguments."""

    programs: str = ""
    tests: str = ""
    to: str = ""
    most_tests: int = 20
    most_chars: int = 5000
    check: bool = False


@dataclass(frozen=True)
class Program:
    """A program with the pseudo-code that one person wrote for it."""

    problem: str
    pseudocode: str
    code: str


def programs(path: Path) -> Iterator[Program]:
    """The programs of a file. Raises UserError: the file is not there or has other columns."""
    if path.name.removesuffix(".gz").endswith(".tsv"):
        yield from _assembled(_opened(path))
        return
    for row in _json_lines(path, ("probid", "pseudocode", "code")):
        yield Program(row["probid"], row["pseudocode"], row["code"])


def _assembled(lines: Iterable[str]) -> Iterator[Program]:
    """Of a table with a row for each line: a line that nobody described stands for itself."""
    reader = csv.DictReader(lines, delimiter="\t")
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise UserError(f"spoc: the table has no column `{missing[0]}`; it needs {', '.join(_COLUMNS)}")
    whole: dict[tuple[str, ...], list[tuple[int, str, str]]] = {}
    for row in reader:
        margin = "  " * int(row["indent"])
        described = margin + (row["text"].strip() or row["code"].strip())
        key = row["probid"], row["subid"], row["workerid"]
        whole.setdefault(key, []).append((int(row["line"]), described, margin + row["code"].strip()))
    for (problem, *_), parts in whole.items():
        parts.sort()
        yield Program(problem, "\n".join(text for _, text, _ in parts), "\n".join(code for _, _, code in parts))


def all_tests(path: Path) -> dict[str, list[Test]]:
    """The tests of each problem. Raises UserError: there are none."""
    if path.is_dir():
        found = {file.parent.name: tests_in(file.read_text()) for file in sorted(path.glob("*/*_testcases.txt"))}
        if not found:
            raise UserError(f"spoc: tests={path}: there is no PROBLEM/PROBLEM_testcases.txt in it")
        return found
    return {
        row["probid"]: [{"input": test["input"], "output": test["output"]} for test in row["tests"]]
        for row in _json_lines(path, ("probid", "tests"))
    }


def tests_in(text: str) -> list[Test]:
    """Of a file of SPoC's: input, a line ``###ENDINPUT###``, output, a line ``###ENDOUTPUT###``, and so on."""
    parts = (part.partition(_END_OF_INPUT) for part in text.split(_END_OF_OUTPUT))
    return [{"input": given.lstrip("\n"), "output": wanted.lstrip("\n")} for given, between, wanted in parts if between]


def _json_lines(path: Path, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_opened(path), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"spoc: {path}, line {number} is not JSON: {error.msg}") from None
        missing = [key for key in keys if key not in row]
        if missing:
            raise UserError(f"spoc: {path}, line {number} has no `{missing[0]}`; it needs {', '.join(keys)}")
        yield row


def _opened(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise UserError(f"spoc: {path}: no such file (seen from {Path.cwd()})")
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        yield from file


def converted(options: Options) -> Iterator[dict[str, Any]]:
    """The rows, in the order of the files; programs without a test are left out, and told on stderr as all others are."""
    tests = {
        problem: [one for one in of if len(one["input"]) + len(one["output"]) <= options.most_chars]
        for problem, of in all_tests(Path(options.tests)).items()
    }
    verifier = load_verifier("cpp", {"explain": False}) if options.check else None
    counts = {"programs": 0, "left out without a test": 0} | ({"left out that fail here": 0} if verifier else {})
    for path in options.programs.split(","):
        for program in programs(Path(path)):
            counts["programs"] += 1
            row = {
                "problem": program.problem,
                "pseudocode": program.pseudocode,
                "code": program.code,
                "tests": tests.get(program.problem, [])[: options.most_tests],
            }
            if not row["tests"]:
                counts["left out without a test"] += 1
            elif verifier is not None and not _passes(verifier, row):
                counts["left out that fail here"] += 1
            else:
                yield row
    print(", ".join(f"{number} {what}" for what, number in counts.items()), file=sys.stderr)


def _passes(verifier: Any, row: Mapping[str, Any]) -> bool:
    prompt = Prompt(row["problem"], row["pseudocode"], facts={"tests": row["tests"]})
    return verifier.verify(prompt, row["code"]).verdict is Verdict.PASS


def main(words: Sequence[str]) -> None:
    """Write the file."""
    options = read("spoc", words, Options(), ("programs", "tests", "to"), USAGE)
    with open(options.to, "w", encoding="utf-8") as file:
        for row in converted(options):
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    run(__doc__, main)
