"""A file of completions in, a file of certificates out: how ``certify`` audits a data set. No model, no torch.

Rows are verified by the pool and written in their order, each with a key of all that it was made from. A run that was
stopped goes on behind the last whole row; a file that was made from something else is never continued.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.workers import Pending, VerifierPool

#: A batch is made smaller or larger until it takes about this many seconds: what a killed run does again at most twice.
BATCH_SECONDS = 1.0
LARGEST_BATCH = 2048
#: Batches that are on their way at the same time, so that no worker waits while rows are written.
ON_THE_WAY = 2
_OWN_FIELDS = frozenset(("id", "prompt", "completion", "reference"))

#: Further fields of an output row, from what was verified and its certificate.
Extra = Callable[[str, Certificate], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """A line of the input file."""

    id: Any
    prompt: Prompt
    completion: str
    key: str


@dataclass(frozen=True)
class Summary:
    """How an audit went: rows found in the output already, rows done now, and how long those took."""

    kept: int
    done: int
    seconds: float
    workers: int
    #: Of all rows, those of an earlier start included.
    verdicts: Mapping[str, int]

    def __str__(self) -> str:
        rate = f" ({self.done / self.seconds:,.0f} a second)" if self.seconds else ""
        verdicts = ", ".join(f"{self.verdicts.get(verdict.value, 0):,} {verdict.value}" for verdict in Verdict)
        kept = f", {self.kept:,} were there already" if self.kept else ""
        place = f"{self.workers} workers" if self.workers else "no workers"
        return f"{self.done:,} completions in {self.seconds:.1f} s{rate}, {place}{kept}: {verdicts}"


def read_rows(path: Path, settings: str) -> Iterator[Row]:
    """The rows of a JSON-lines file: ``completion``, perhaps ``id``, ``prompt``, ``reference``; the rest are facts.

    ``settings`` goes into every row's key. Raises UserError with the line for what is no such row.
    """
    if not path.is_file():
        raise UserError(f"input={path}: no such file (seen from {Path.cwd()})")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _row(f"input={path}: line {number}", number, line, settings)


def _row(place: str, number: int, line: bytes, settings: str) -> Row:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{place} is not JSON: {error}") from None
    example = '{"id": 1, "completion": "CCO", "reference": "OCC"}'
    if not isinstance(fields, dict) or not isinstance(fields.get("completion"), str):
        raise UserError(f"{place} has no text `completion`; a row looks like {example}")
    prompt, reference = fields.get("prompt"), fields.get("reference")
    for name, value in (("prompt", prompt), ("reference", reference)):
        if not (value is None or isinstance(value, str)):
            raise UserError(f"{place}: `{name}` expects text, got {json.dumps(value)[:80]}; a row looks like {example}")
    row_id = fields.get("id", number)
    facts = {name: value for name, value in fields.items() if name not in _OWN_FIELDS}
    key = hashlib.blake2b(settings.encode() + line.strip(), digest_size=8).hexdigest()
    return Row(row_id, Prompt(str(row_id), prompt or "", reference, facts=facts), fields["completion"], key)


def audit(source: Path, target: Path, pool: VerifierPool, *, workers: int, settings: str, extra: Extra) -> Summary:
    """Verify every row of ``source`` that ``target`` does not hold yet.

    Raises UserError: a malformed row, before anything is verified; a ``target`` made from something else; a row that
    lacks what the verifier needs.
    """
    total = sum(1 for _ in read_rows(source, settings))
    if not total:
        raise UserError(f"input={source}: has no rows")
    verdicts = _keep(source, target, settings)
    kept, start = verdicts.total(), time.perf_counter()
    rest = islice(read_rows(source, settings), kept, None)
    with target.open("a", encoding="utf-8") as file, tqdm(total=total, initial=kept, unit="", disable=None) as bar:
        for row, certificate in _certified(rest, pool):
            record = {"id": row.id, **certificate.to_dict(), **extra(row.completion, certificate), "key": row.key}
            file.write(json.dumps(record, allow_nan=False) + "\n")
            verdicts[certificate.verdict.value] += 1
            bar.update()
    return Summary(kept, total - kept, time.perf_counter() - start, workers, verdicts)


def _certified(rows: Iterator[Row], pool: VerifierPool) -> Iterator[tuple[Row, Certificate]]:
    """Every row with its certificate, in order, some batches ahead of who asks."""
    waiting: deque[tuple[list[Row], Pending]] = deque()
    size, last = 16, time.perf_counter()
    for _ in repeat(None):
        while len(waiting) < ON_THE_WAY and (batch := list(islice(rows, size))):
            waiting.append((batch, pool.submit([(row.prompt, row.completion) for row in batch])))
        if not waiting:
            return
        batch, pending = waiting.popleft()
        yield from zip(batch, pending.result(), strict=True)
        now = time.perf_counter()
        size, last = _next_size(size, now - last), now


def _next_size(size: int, seconds: float) -> int:
    if seconds > BATCH_SECONDS:
        return max(1, size // 2)
    return min(LARGEST_BATCH, size * 2) if seconds < BATCH_SECONDS / 2 else size


def _keep(source: Path, target: Path, settings: str) -> Counter[str]:
    """The verdicts of the rows that ``target`` already holds whole; a torn last line is cut off."""
    verdicts: Counter[str] = Counter()
    if not target.exists():
        return verdicts
    whole = 0
    with target.open("rb") as file:
        for number, (line, row) in enumerate(zip(file, _and_none(read_rows(source, settings)), strict=False), 1):
            if not line.endswith(b"\n"):
                break
            found = _fields(line)
            if row is None or found.get("key") != row.key:
                raise UserError(
                    f"output={target}: line {number} was not made from this input, verifier and options; "
                    "remove the file or write another output="
                )
            verdicts[str(found["verdict"])] += 1
            whole += len(line)
    os.truncate(target, whole)
    return verdicts


def _and_none(rows: Iterator[Row]) -> Iterator[Row | None]:
    yield from rows
    yield None


def _fields(line: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
