"""Spider (Yu et al. 2018), BIRD (Li et al. 2023), and what has their form, as one file of JSON lines that ``data.path`` reads.

    python -m rlsf_lightning.prompts.spider folder=spider split=dev to=dev.jsonl [files=1] [most_mb=1000] [steps=500000]
        [seconds=5]

``folder`` holds ``train_spider.json`` and ``train_others.json``, ``train.json``, or ``SPLIT.json`` (rows with db_id, question,
and query or SQL, perhaps evidence and difficulty) and ``database/DB_ID/DB_ID.sqlite``, or ``SPLIT_databases``, or both in a
folder ``SPLIT``. Databases stay where they are: a line holds the path. With ``files`` above 1 the other files in the folder of
a database are further databases on which a query must be right, as in test suites (Zhong et al. 2020).

A line has ``db_id``, ``question``, ``evidence``, ``tables`` (CREATE TABLE statements), ``prompt`` (all of these), ``reference``
and ``database``. Left out, and told on stderr, are rows without a database, or with one above ``most_mb`` megabytes, and those
whose query does not run within the limits of the verifier ``sql``: for more, write ``steps`` here and
``verifier.options.steps`` there.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.convert import options
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.loader import load_verifier

USAGE = "folder=DIR split=dev to=dev.jsonl"
_DATABASES = ("{split}_databases", "{split}_database", "database", "databases")


@dataclass
class Options:
    """The command's arguments."""

    folder: str = ""
    split: str = ""
    to: str = ""
    files: int = 1
    most_mb: int = 1000
    steps: int = 500_000
    seconds: int = 5


def questions(folder: Path, split: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of a split, each with its place. Raises UserError: there is no file of it, or a row lacks a key."""
    names = ["train_spider.json", "train_others.json"] if split == "train" else []
    places = [folder, folder / split]
    found = [place / name for place in places for name in names if (place / name).is_file()]
    found = found or [place / f"{split}.json" for place in places if (place / f"{split}.json").is_file()][:1]
    if not found:
        raise UserError(
            f"spider: {folder}: has no {' or '.join([*names[:1], f'{split}.json'])} (seen from {Path.cwd()})"
        )
    for path in found:
        for number, row in enumerate(_rows(path), 1):
            place = f"{path.name}, row {number}"
            query = next((row[key] for key in ("query", "SQL") if isinstance(row.get(key), str)), None)
            missing = [key for key in ("db_id", "question") if not isinstance(row.get(key), str)]
            if missing or query is None:
                raise UserError(
                    f"spider: {place} has no `{(missing or ['query'])[0]}`; it needs db_id, question, query or SQL"
                )
            yield place, {**row, "query": query}


def _rows(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"spider: {path} is not JSON: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"spider: {path} is not a list of objects")
    return rows


def databases(folder: Path, split: str) -> Path:
    """The folder of the databases. Raises UserError: there is none."""
    names = [name.format(split=split) for name in _DATABASES]
    found = [path for place in (folder, folder / split) for name in names if (path := place / name).is_dir()]
    if not found:
        raise UserError(f"spider: {folder}: has none of the folders {', '.join(names)}")
    return found[0]


def files_of(folder: Path, name: str, most: int) -> list[Path]:
    """The files of a database, that of its name first."""
    inside = folder / name
    own = inside / f"{name}.sqlite"
    is_inside = own.is_file() and inside.resolve().parent == folder.resolve()  # a name may be "../.."
    others = sorted(path for path in inside.glob("*.sqlite") if path != own) if is_inside else []
    return [path.resolve() for path in [own, *others][:most]] if is_inside else []


@lru_cache(maxsize=1)
def tables_of(path: Path) -> str:
    """The CREATE TABLE statements of a file, as they were written. Raises sqlite3.Error."""
    masters = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        return "\n".join(
            f"{sql.strip()};" for name, sql in connection.execute(masters) if not name.startswith("sqlite_")
        )


def converted(chosen: Options) -> Iterator[dict[str, Any]]:
    """The lines, in the order of the rows; what is left out is named on stderr, and counted there by its reason."""
    folder = Path(chosen.folder).expanduser()
    inside = databases(folder, chosen.split)
    verifier = load_verifier("sql", {"explain": False, "mutants": 0, "steps": chosen.steps, "seconds": chosen.seconds})
    counts: Counter[str] = Counter()
    for place, row in questions(folder, chosen.split):
        counts["rows"] += 1
        found = files_of(inside, row["db_id"], chosen.files)
        line: dict[str, Any] = {}
        reason = _unusable(found, chosen.most_mb)
        if not reason:
            line = _line(row, found)
            reason = _failure(verifier, line)
        if reason:
            counts[reason.partition(":")[0]] += 1
            print(f"left out: {place} ({row['db_id']}): {reason}", file=sys.stderr)
        else:
            yield line
    print(", ".join(f"{number} {what}" for what, number in counts.items()), file=sys.stderr)


def _unusable(found: Sequence[Path], most_mb: int) -> str:
    if not found:
        return "without a database"
    if any(path.stat().st_size > most_mb * 1_000_000 for path in found):
        return f"with a database above {most_mb} MB"
    try:
        return "" if tables_of(found[0]) else "without a table"
    except sqlite3.Error as error:
        return f"whose database cannot be read: {error}"


def _line(row: Mapping[str, Any], found: Sequence[Path]) -> dict[str, Any]:
    evidence = str(row.get("evidence") or "").strip()
    tables, question = tables_of(found[0]), row["question"].strip()
    known = f"Hint: {evidence}\n" if evidence else ""
    line = {
        "db_id": row["db_id"],
        "question": question,
        "evidence": evidence,
        "tables": tables,
        "prompt": f"{tables}\n\n{known}Question: {question}",
        "reference": row["query"].strip().rstrip("; \n\t"),
        "database": str(found[0]) if len(found) == 1 else [str(path) for path in found],
    }
    return line | ({"difficulty": row["difficulty"]} if "difficulty" in row else {})


def _failure(verifier: Any, line: Mapping[str, Any]) -> str:
    """Why the verifier cannot use the query; empty: it passes."""
    prompt = Prompt(line["db_id"], line["prompt"], line["reference"], facts={"database": line["database"]})
    try:
        certificate = verifier.verify(prompt, line["reference"])
    except UserError as error:
        _, failed, why = str(error).rpartition("does not run: ")
        if not failed:
            raise
        return f"whose query does not run: {why}"
    if certificate.verdict is Verdict.PASS:
        return ""
    said = certificate.findings[0].message if certificate.findings else certificate.witness.get("error", "abstained")
    return f"whose query does not pass: {said}"


def main(words: Sequence[str]) -> None:
    """Write the file."""
    chosen = options.read("spider", words, Options(), ("folder", "split", "to"), USAGE)
    with open(chosen.to, "w", encoding="utf-8") as file:
        for line in converted(chosen):
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    options.run(__doc__, main)
