"""The table of 1,362 hands by difficulty that Tree of Thoughts tests on (its file ``24.csv``) -> JSON lines of prompts.

    python -m rlsf_lightning.prompts.convert.game24 24.csv ranks=901-1000 > tot_test.jsonl

A line has ``prompt``, worded as the source ``game24`` does, the facts ``numbers`` and ``target``, and as ``reference`` one
of the hand's solutions, which the table does not have: any other is right, too.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.sources.game24.hands import ASKS, TARGET
from rlsf_lightning.prompts.sources.game24.solutions import random_solution

USAGE = "write 24.csv, and perhaps ranks=901-1000"


def rows(path: Path, first: int, last: int) -> Iterator[dict[str, Any]]:
    """The hands of these ranks. UserError: no such file, none with the columns ``Rank`` and ``Puzzles``, no solution."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if first <= int(row["Rank"]) <= last:
                    numbers = [int(number) for number in row["Puzzles"].split()]
                    yield _row(int(row["Rank"]), numbers)
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path}: not the table of hands, with the columns Rank and Puzzles: {error!r}; {USAGE}"
        ) from None


def _row(rank: int, numbers: Sequence[int]) -> dict[str, Any]:
    listed = ", ".join(map(str, numbers))
    solution = random_solution(numbers, Fraction(TARGET), random.Random(f"game24 {rank}"))
    if solution is None:
        raise UserError(f"rank {rank}: {listed} cannot make {TARGET}: leave the row out")
    return {
        "prompt": ASKS[0].format(target=TARGET, numbers=listed),
        "numbers": numbers,
        "target": TARGET,
        "reference": solution.expression,
        "rank": rank,
    }


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
