"""Rows as they stand in a file: tsv, csv, jsonl, json, parquet and SMILES files (.gz too), or a data set of the hub.

Rows are streamed, and no local file is copied or cached; parquet and the hub are read through ``datasets``, which other
files do not load. No type is guessed, no "NA" becomes a missing value. Quotes mean something in csv only; a tsv's cells are
taken as they stand.
"""

from __future__ import annotations

import csv
import glob
import gzip
import importlib
import itertools
import json
import os
import re
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rlsf_lightning.config.environment import hub_answers
from rlsf_lightning.errors import UserError, offline_hint
from rlsf_lightning.suggest import did_you_mean

HUB = "hf://"
_FORMATS = (".csv", ".tsv", ".jsonl", ".json", ".parquet", ".smi", ".rsmi")
#: What readers raise for broken files and wrong encodings: user mistakes, all of them.
_UNREADABLE = (OSError, EOFError, ValueError, RecursionError, zlib.error, csv.Error)
#: The arrow of a reaction, which no bond to a metal is (``N->[Cu]``).
_REACTION_ARROW = re.compile(r"[ \t]*(?<!-)>[ \t]*")
#: A part of a data set on the hub by the names that it goes by.
_PARTS = {"validation": ("validation", "valid", "dev", "val"), "test": ("test",), "train": ("train",)}


class Row(NamedTuple):
    """A row: "line 7" or "row 7", and its cells."""

    place: str
    cells: Mapping[str, Any]


class Spelt(str):
    """A number of a JSON file, as it is spelt there."""

    @property
    def number(self) -> int | float:
        return float(self) if any(mark in self for mark in ".eE") else int(self)


def rows(path: str, key: str = "data.path", part: str = "train") -> Iterator[Row]:
    """The rows of a file. ``part``: of a data set of the hub. UserError, with the place: what cannot be read."""
    if path.startswith(HUB):
        hub_answers()  # where it does not, its libraries give up at once
    try:
        yield from _rows(path, key, part)
    except UserError:
        raise
    except Exception as error:
        # The hub's client has its own errors, which differ with the HTTP library beneath it.
        if not (isinstance(error, _UNREADABLE) or path.startswith(HUB)):
            raise
        hint = ""
        if path.startswith(HUB):
            hint = f"; {offline_hint('/'.join(_hub_parts(path, key)[:2]), f'{key}=FILE', is_dataset=True)}"
        raise UserError(f"{key}={path}: cannot be read: {str(error) or type(error).__name__}{hint}") from error


def _rows(path: str, key: str, part: str) -> Iterator[Row]:
    form = _format(path, key)
    if not form:
        return _numbered(_hub_rows(path, key, part))
    if form == ".parquet":
        return _numbered(_streamed("parquet", path, batch_size=1000))
    lines = _lines(path)
    if form in (".smi", ".rsmi"):
        return _smiles_rows(lines)
    return _table_rows(lines, is_tsv=form == ".tsv") if form in (".csv", ".tsv") else _json_rows(lines)


def _format(path: str, key: str) -> str:
    """The file's ending without .gz; empty for a whole data set of the hub. UserError: no such file, no known kind."""
    if path.startswith(HUB):
        if len(_hub_parts(path, key)) < 3:
            return ""
    elif not Path(path).expanduser().is_file():
        folder = Path(path).expanduser().parent
        beside = [str(file) for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
        raise UserError(f"{key}={path}: no such file{did_you_mean(path, beside)} (seen from {Path.cwd()})")
    lower = path.lower()
    for form in _FORMATS:
        if lower.endswith(form) or (lower.endswith(form + ".gz") and form != ".parquet"):
            return form
    if path.startswith(HUB):
        return ""
    raise UserError(f"{key}={path}: expects a file that ends in {', '.join(_FORMATS)} (all but .parquet: or .gz)")


def _hub_parts(path: str, key: str = "data.path") -> list[str]:
    """``hf://owner/name/rest`` or ``hf://datasets/owner/name/rest`` -> owner, name, and the rest if there is one."""
    parts = path.removeprefix(HUB).removeprefix("datasets/").strip("/").split("/", 2)
    if len(parts) < 2 or not all(parts):
        raise UserError(f"{key}={path}: expects hf://owner/name, hf://owner/name/configuration or a file in it")
    return parts


def _numbered(rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    for number, cells in enumerate(rows, 1):
        yield Row(f"row {number}", cells)


def _table_rows(lines: Iterable[str], *, is_tsv: bool) -> Iterator[Row]:
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
            yield Row(f"line {reader.line_num}", dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error} (a quote that is not closed or not doubled?)") from None


def _smiles_rows(lines: Iterable[str]) -> Iterator[Row]:
    """One SMILES a line, with whatever follows it as its ``name``; of a reaction ``a.b>c>d`` also its three parts."""
    for number, line in enumerate(lines, 1):
        text = _REACTION_ARROW.sub(">", line.strip())
        if not text or text.startswith("#"):
            continue
        smiles, *rest = text.split(maxsplit=1)
        cells = {"smiles": smiles, "name": rest[0] if rest else ""}
        sides = _REACTION_ARROW.split(smiles)
        if len(sides) == 3:
            cells |= dict(zip(("reactants", "agents", "products"), sides, strict=True))
        elif len(sides) > 1:
            raise ValueError(f"line {number}: {len(sides) - 1} `>`; a reaction is written a.b>c>d, or a.b>>d")
        yield Row(f"line {number}", cells)


def _json_rows(lines: Iterable[str]) -> Iterator[Row]:
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
        yield Row(place, item)


def _parsed(place: str, text: str) -> Any:
    try:
        return json.loads(text, parse_int=Spelt, parse_float=Spelt)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place} is not JSON: {error.msg} at character {error.pos + 1}") from None


def _lines(path: str) -> Iterator[str]:
    """The lines of a text file, their ends included."""
    if path.startswith(HUB):
        for row in _streamed("text", path, encoding="utf-8-sig", keep_linebreaks=True):
            yield row["text"]
        return
    place = Path(path).expanduser()
    opened = gzip.open if place.suffix.lower() == ".gz" else open
    with opened(place, "rt", encoding="utf-8-sig") as file:
        yield from file


def _hub_rows(path: str, key: str, part: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a part of a data set on the hub; for ``train`` of its first part where none has that name."""
    owner, name, *configuration = _hub_parts(path, key)
    parts = _library().load_dataset(f"{owner}/{name}", *configuration, streaming=True)
    found = next((parts[known] for known in _PARTS[part] if known in parts), None)
    if found is None and part != "train":
        raise UserError(f"{key}={path}: has no part `{part}` (it has {', '.join(parts)}); write {key}=null")
    return iter(next(iter(parts.values())) if found is None else found)


def _streamed(kind: str, path: str, **options: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of one file, as the library's ``text`` or ``parquet`` reader yields them."""
    _library()
    reader = importlib.import_module(f"datasets.packaged_modules.{kind}.{kind}")
    place = glob.escape(str(Path(path).expanduser().absolute()))
    if path.startswith(HUB):
        place = f"{HUB}datasets/{'/'.join(_hub_parts(path))}"
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
