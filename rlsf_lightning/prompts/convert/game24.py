"""The table of 1,362 hands by difficulty that Tree of Thoughts tests on (its file ``24.csv``) -> JSON lines of prompts.

    python -m rlsf_lightning.prompts.convert.game24 24.csv ranks=901-1000 > tot_test.jsonl

A line has ``prompt``, worded as the source ``game24`` does, and the facts ``numbers`` and ``target``.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.sources.game24.hands import ASKS, TARGET

USAGE = "write 24.csv, and perhaps ranks=901-1000"


def rows(path: Path, first: int, last: int) -> Iterator[dict[str, Any]]:
    """The hands of these ranks. UserError: no such file, or one without the columns ``Rank`` and ``Puzzles``."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if first <= int(row["Rank"]) <= last:
                    numbers = [int(number) for number in row["Puzzles"].split()]
                    text = ASKS[0].format(target=TARGET, numbers=", ".join(map(str, numbers)))
                    yield {"prompt": text, "numbers": numbers, "target": TARGET, "rank": int(row["Rank"])}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path}: not the table of hands, with the columns Rank and Puzzles: {error!r}; {USAGE}"
        ) from None


def main(arguments: Sequence[str]) -> None:
    """The command. Raises UserError."""
    match = re.fullmatch(r"ranks=([0-9]+)-([0-9]+)", arguments[1] if len(arguments) > 1 else "ranks=1-100000")
    if not 1 <= len(arguments) <= 2 or match is None:
        raise UserError(f"{' '.join(arguments)}: {USAGE}")
    for row in rows(Path(arguments[0]), int(match[1]), int(match[2])):
        print(json.dumps(row))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
