"""A user's own prompts: a tsv, csv, jsonl, json or parquet file (.gz too), or a data set of the Hugging Face hub.

Rows are streamed, and no local file is copied or cached; parquet and the hub are read through ``datasets``, which other
files do not load. What stands in a cell, without blanks at its ends, is what the prompt gets: no type is guessed, no "NA"
becomes a missing value. Quotes mean something in csv only; a tsv's cells are taken as they stand.
"""

from __future__ import annotations

import csv
import glob
import gzip
import importlib
import itertools
import json
import os
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.splits import THREE_WAY, assign_split, splits_meant
from rlsf_lightning.records import Prompt
from rlsf_lightning.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Columns

_HUB = "hf://"
_FORMATS = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
#: What readers raise for broken files and wrong encodings: user mistakes, all of them.
_UNREADABLE = (OSError, EOFError, ValueError, RecursionError, zlib.error, csv.Error)


class _Row(NamedTuple):
    place: str  # "line 7" or "row 7"
    cells: Mapping[str, Any]


def prompts(path: str, columns: Columns, split: str, split_key: Callable[[str], str] | None = None) -> Iterator[Prompt]:
    """The prompts of one split, in the file's order; a prompt's id is the file's name and its row, from 1.

    A row's split is a hash of the cell in ``columns.group``; where no such column is named, of the answer, as ``split_key``
    spells it (a verifier gives answers that mean the same one key), or of the prompt where there is none. So equal answers
    never stand in two splits. ``split`` is ``train`` (80 %; ``warm``
    and ``rl`` mean the same here), ``validation`` or ``test`` (10 % each), or ``all``. Rows with an empty cell are
    skipped and counted.

    Raises UserError: unknown split at once; a missing file or column, an empty file, a malformed row when it is met.
    """
    wanted = splits_meant(split, THREE_WAY, {"warm": "train", "rl": "train"})
    return _prompts(path, columns, wanted, split_key or str)


def check(path: str, columns: Columns) -> None:
    """Raise UserError unless the file's first row can be read and has both columns. Reads no more than that."""
    first = next(_checked_rows(path, columns))
    _cell(path, first, columns.prompt)
    if columns.reference is not None:
        _cell(path, first, columns.reference)


def _prompts(path: str, columns: Columns, wanted: frozenset[str], split_key: Callable[[str], str]) -> Iterator[Prompt]:
    name = path.removeprefix(_HUB) if path.startswith(_HUB) else Path(path).name
    skipped = 0
    for number, row in enumerate(_checked_rows(path, columns), 1):
        text = _cell(path, row, columns.prompt)
        reference = None if columns.reference is None else _cell(path, row, columns.reference)
        if not text or reference == "":
            skipped += 1
        elif wanted == THREE_WAY.keys() or split_of(_key(path, row, columns, text, reference, split_key)) in wanted:
            facts = {column: _fact(row.cells.get(column)) for column in columns.facts}
            yield Prompt(f"{name}:{number}", text, reference=reference, facts=facts)
    if skipped:
        warnings.warn(f"data.path={path}: {skipped} of {number} rows were skipped, their cells are empty", stacklevel=2)


def _key(
    path: str, row: _Row, columns: Columns, text: str, reference: str | None, split_key: Callable[[str], str]
) -> str:
    """What decides on a row's split."""
    if columns.group is not None:
        return _cell(path, row, columns.group)
    return text if reference is None else split_key(reference)


def split_of(key: str) -> str:
    """The split of a row. Salted: rows taken from one split of the built-in pairs still fall into all three."""
    return assign_split(f"file {key}", THREE_WAY)


def _checked_rows(path: str, columns: Columns) -> Iterator[_Row]:
    """The rows, of which there is at least one; the first has the columns."""
    try:
        rows = _rows(path)
        first = next(rows, None)
        if first is None:
            raise UserError(f"data.path={path}: has no rows")
        facts = (("facts", column) for column in columns.facts)
        named = (("prompt", columns.prompt), ("reference", columns.reference), ("group", columns.group), *facts)
        for key, column in named:
            if column is not None and column not in first.cells:
                seen = [str(name) for name in first.cells]
                none = " (data.columns.reference=null where there are no answers)" if key == "reference" else ""
                raise UserError(
                    f"data.path={path}: no column `{column}`{did_you_mean(column, seen)}\n"
                    f"columns: {', '.join(seen)}\nset data.columns.{key}={_wanted(key, column, seen)}{none}"
                )
        yield first
        yield from rows
    except UserError:
        raise
    except Exception as error:
        # The hub's client has its own errors, which differ with the HTTP library beneath it.
        if not (isinstance(error, _UNREADABLE) or path.startswith(_HUB)):
            raise
        raise UserError(f"data.path={path}: cannot be read: {str(error) or type(error).__name__}") from error


def _wanted(key: str, column: str, seen: list[str]) -> str:
    name = (nearest(column, seen) or ["NAME"])[0]
    return f"[{name}]" if key == "facts" else name


def _fact(value: Any) -> Any:
    """A fact as JSON would give it: in a file of JSON rows the numbers, which were kept as they are spelt, are numbers."""
    if isinstance(value, dict):
        return {name: _fact(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_fact(below) for below in value]
    return value.number if isinstance(value, _Spelt) else value


class _Spelt(str):
    """A number of a JSON file, as it is spelt there."""

    @property
    def number(self) -> int | float:
        return float(self) if any(mark in self for mark in ".eE") else int(self)


def _cell(path: str, row: _Row, column: str) -> str:
    """The cell as text, empty where there is none."""
    value = row.cells.get(column)
    if isinstance(value, list | dict | bytes):
        raise UserError(f"data.path={path}: {row.place}: `{column}` holds a {type(value).__name__}, not text")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


# --- reading: rows as they stand in the file --------------------------------------------------------------------------


def _rows(path: str) -> Iterator[_Row]:
    form = _format(path)
    if not form:
        return _numbered(_hub_rows(path))
    if form == ".parquet":
        return _numbered(_streamed("parquet", path, batch_size=1000))
    lines = _lines(path)
    return _table_rows(lines, is_tsv=form == ".tsv") if form in (".csv", ".tsv") else _json_rows(lines)


def _format(path: str) -> str:
    """The file's ending without .gz; empty for a whole data set of the hub. UserError: no such file, no known kind."""
    if path.startswith(_HUB):
        if len(_hub_parts(path)) < 3:
            return ""
    elif not Path(path).expanduser().is_file():
        folder = Path(path).expanduser().parent
        beside = [str(file) for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
        raise UserError(f"data.path={path}: no such file{did_you_mean(path, beside)} (seen from {Path.cwd()})")
    lower = path.lower()
    for form in _FORMATS:
        if lower.endswith(form) or (lower.endswith(form + ".gz") and form != ".parquet"):
            return form
    if path.startswith(_HUB):
        return ""
    raise UserError(f"data.path={path}: expects a file that ends in {', '.join(_FORMATS)} (all but the last: or .gz)")


def _hub_parts(path: str) -> list[str]:
    """``hf://owner/name/rest`` or ``hf://datasets/owner/name/rest`` -> owner, name, and the rest if there is one."""
    parts = path.removeprefix(_HUB).removeprefix("datasets/").strip("/").split("/", 2)
    if len(parts) < 2 or not all(parts):
        raise UserError(f"data.path={path}: expects hf://owner/name, hf://owner/name/configuration or a file in it")
    return parts


def _numbered(rows: Iterable[Mapping[str, Any]]) -> Iterator[_Row]:
    for number, cells in enumerate(rows, 1):
        yield _Row(f"row {number}", cells)


def _table_rows(lines: Iterable[str], *, is_tsv: bool) -> Iterator[_Row]:
    """Rows of a csv or tsv file with a header. ValueError with the line for a row of another width or a stray quote."""
    reader = csv.reader(
        lines, delimiter="\t" if is_tsv else ",", quoting=csv.QUOTE_NONE if is_tsv else csv.QUOTE_MINIMAL, strict=True
    )
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cells) and len(cells) <= 1:
                continue  # a blank line
            if not header:
                header = [name.strip() for name in cells]
                continue
            if len(cells) != len(header):
                raise ValueError(f"line {reader.line_num}: cells: {len(cells)}, in the header: {len(header)}")
            yield _Row(f"line {reader.line_num}", dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error} (a quote that is not closed or not doubled?)") from None


def _json_rows(lines: Iterable[str]) -> Iterator[_Row]:
    """Rows of a file with one JSON object a line, or of one JSON array of objects. Numbers keep their spelling."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    if first[1].lstrip().startswith("["):
        listed = _parsed("the array", first[1] + "".join(line for _, line in numbered))
        items = ((f"item {number}", item) for number, item in enumerate(listed, 1))
    else:
        read = itertools.chain([first], numbered)
        items = ((f"line {number}", _parsed(f"line {number}", line)) for number, line in read)
    for place, item in items:
        if not isinstance(item, dict):
            raise ValueError(f'{place} is not an object {{"column": value, ...}}')
        yield _Row(place, item)


def _parsed(place: str, text: str) -> Any:
    try:
        return json.loads(text, parse_int=_Spelt, parse_float=_Spelt)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place} is not JSON: {error.msg} at character {error.pos + 1}") from None


def _lines(path: str) -> Iterator[str]:
    """The lines of a text file, their ends included."""
    if path.startswith(_HUB):
        for row in _streamed("text", path, encoding="utf-8-sig", keep_linebreaks=True):
            yield row["text"]
        return
    place = Path(path).expanduser()
    opened = gzip.open if place.suffix.lower() == ".gz" else open
    with opened(place, "rt", encoding="utf-8-sig") as file:
        yield from file


def _hub_rows(path: str) -> Iterator[Mapping[str, Any]]:
    """The rows of the hub's ``train`` part, or of its first part where no part has that name."""
    owner, name, *configuration = _hub_parts(path)
    parts = _library().load_dataset(f"{owner}/{name}", *configuration, streaming=True)
    return iter(parts["train"] if "train" in parts else next(iter(parts.values())))


def _streamed(kind: str, path: str, **options: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of one file, as the library's ``text`` or ``parquet`` reader yields them."""
    _library()
    reader = importlib.import_module(f"datasets.packaged_modules.{kind}.{kind}")
    place = glob.escape(str(Path(path).expanduser().absolute()))
    if path.startswith(_HUB):
        place = f"{_HUB}datasets/{'/'.join(_hub_parts(path))}"
    # The reader itself and not load_dataset, which calls home and leaves a lock file in the user's cache.
    with tempfile.TemporaryDirectory() as folder:
        builder = getattr(reader, kind.capitalize())(cache_dir=folder, data_files={"train": [place]}, **options)
        return iter(builder.as_streaming_dataset(split="train"))


def _library() -> ModuleType:
    """``datasets``, quiet, and without torch where nothing has loaded torch yet: it takes seconds and reads no file."""
    asked = os.environ.get("USE_TORCH")
    if "torch" not in sys.modules:
        os.environ["USE_TORCH"] = "0"
    try:
        datasets = importlib.import_module("datasets")
    except ImportError:
        raise UserError("data.path is read with the package datasets: pip install datasets") from None
    finally:
        if asked is None:
            os.environ.pop("USE_TORCH", None)
        else:
            os.environ["USE_TORCH"] = asked
    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity(datasets.utils.logging.CRITICAL)  # what goes wrong is raised as well
    return datasets
