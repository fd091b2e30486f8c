"""A file of completions in, a file of certificates out: how ``certify`` audits a data set. No model, no torch.

Rows are verified by the pool and written in their order, each with a key of all that it was made from. A run that was
stopped goes on behind the last whole row; a file that was made from something else is never continued.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.suggest import did_you_mean
from rlsf_lightning.symbolic.execution.batches import in_batches
from rlsf_lightning.symbolic.execution.pool import VerifierPool

_OWN_FIELDS = frozenset(("id", "prompt", "completion", "reference"))
_EXAMPLE = 'a row looks like {"id": 1, "completion": "CCO", "reference": "OCC"}'

#: Further fields of an output row, from what was verified and its certificate.
Extra = Callable[[str, Certificate], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """A line of the input file."""

    number: int
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
                yield _row(_place(path, number), number, line, settings)


def _row(place: str, number: int, line: bytes, settings: str) -> Row:
    fields = _read(place, line)
    if not isinstance(fields, dict) or not isinstance(fields.get("completion"), str):
        raise UserError(f"{place} has no text `completion`; {_EXAMPLE}")
    prompt, reference = fields.get("prompt"), fields.get("reference")
    for name, value in (("prompt", prompt), ("reference", reference)):
        if not (value is None or isinstance(value, str)):
            raise UserError(f"{place}: `{name}` expects text, got {json.dumps(value)[:80]}; {_EXAMPLE}")
    row_id = fields.get("id")
    if isinstance(row_id, bool) or not (row_id is None or isinstance(row_id, str | int | float)):
        raise UserError(f"{place}: `id` expects text or a number, got {json.dumps(row_id)[:80]}; {_EXAMPLE}")
    row_id = number if row_id is None else row_id
    facts = {name: value for name, value in fields.items() if name not in _OWN_FIELDS}
    key = hashlib.blake2b(settings.encode() + line.strip(), digest_size=8).hexdigest()
    return Row(number, row_id, Prompt(str(row_id), prompt or "", reference, facts=facts), fields["completion"], key)


def _read(place: str, line: bytes) -> Any:
    """The value of a line; every mistake is the user's."""
    try:
        return json.loads(line, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        reason = f"{error.msg.removesuffix(' at')} at column {error.colno}"
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = str(error)
    raise UserError(f"{place} is not JSON: {reason}; {_EXAMPLE}")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _finite(written: str) -> float:
    return float(written) if math.isfinite(float(written)) else _refuse(written)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"`{next(name for name in counts if counts[name] > 1)}` is there twice")
    return fields


def _place(path: Path, number: int) -> str:
    return f"input={path}: line {number}"


def _checked(source: Path, settings: str) -> int:
    """The number of rows, after a look at all of them; fields that seem to be misspelt are told. Raises UserError."""
    lines: dict[str, int] = {}
    facts: set[str] = set()
    for row in read_rows(source, settings):
        for name in row.prompt.facts.keys() - facts:
            hint = did_you_mean(name, sorted(_OWN_FIELDS))
            if hint:
                place = _place(source, row.number)
                print(f"warning: {place}: `{name}` is taken for a fact of the verifier's{hint}", file=sys.stderr)
            facts.add(name)
        written = json.dumps(row.id)
        if written in lines:
            raise UserError(
                f"{_place(source, row.number)} has the id {written[:80]}, as line {lines[written]} has; write another "
                '`id`, or none: "id" is the number of the line then'
            )
        lines[written] = row.number
    if not lines:
        raise UserError(f"input={source}: has no rows; {_EXAMPLE}")
    return len(lines)


def audit(source: Path, target: Path, pool: VerifierPool, *, workers: int, settings: str, extra: Extra) -> Summary:
    """Verify every row of ``source`` that ``target`` does not hold yet.

    Raises UserError: a malformed row, before anything is verified; a ``target`` made from something else; a row that
    lacks what the verifier needs.
    """
    total = _checked(source, settings)
    verdicts = _keep(source, target, settings)
    kept, start = verdicts.total(), time.perf_counter()
    rest = islice(read_rows(source, settings), kept, None)
    with target.open("a", encoding="utf-8") as file, tqdm(total=total, initial=kept, unit="", disable=None) as bar:
        for row, certificate in _certified(source, rest, pool):
            record = {"id": row.id, **certificate.to_dict(), **extra(row.completion, certificate), "key": row.key}
            file.write(json.dumps(record, allow_nan=False) + "\n")
            verdicts[certificate.verdict.value] += 1
            bar.update()
    return Summary(kept, total - kept, time.perf_counter() - start, workers, verdicts)


def _certified(source: Path, rows: Iterator[Row], pool: VerifierPool) -> Iterator[tuple[Row, Certificate]]:
    """Every row with its certificate, in order, some batches ahead of who asks."""
    for batch, pending in in_batches(pool, rows, lambda row: (row.prompt, row.completion)):
        try:
            certificates = pending.result()
        except UserError as error:
            raise UserError(_with_line(str(error), source, batch)) from None
        yield from zip(batch, certificates, strict=True)


def _with_line(message: str, source: Path, batch: list[Row]) -> str:
    """What a verifier misses in a prompt, at the line of the prompt."""
    for row in batch:
        begin = f"prompt {row.prompt.id}: "
        if message.startswith(begin):
            return f"{_place(source, row.number)}: {message.removeprefix(begin)}"
    return message


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
