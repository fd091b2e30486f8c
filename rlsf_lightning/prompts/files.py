"""A user's own prompts: the rows of a file, or of one file a split, as prompts in splits that share no group.

What stands in a cell, without blanks at its ends, is what the prompt gets. Formats are ``readers``' concern, columns are
``columns``'.
"""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.columns import RowReader, cell
from rlsf_lightning.prompts.expressions import row_filter
from rlsf_lightning.prompts.readers import HUB, Row, rows
from rlsf_lightning.prompts.splits import THREE_WAY, assign_split, splits_meant
from rlsf_lightning.records import Prompt
from rlsf_lightning.suggest import did_you_mean

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Data

#: Reference -> what decides on a row's split: equal for answers that mean the same.
SplitKey = Callable[[str], str]

#: Rows of each reason to drop one that are named.
SHOWN = 3
_ALIASES = {"warm": "train", "rl": "train"}
#: The split that a cell of ``data.split_column`` names.
_SPELLINGS = {
    "dev": "validation",
    "valid": "validation",
    "val": "validation",
    "eval": "validation",
    "training": "train",
}


class _File(NamedTuple):
    """A file, the key that names it, and the split that it is, if it is one."""

    path: str
    key: str
    split: str | None

    @property
    def told(self) -> str:
        return f"{self.key}={self.path}"


def files_of(data: Data) -> list[_File]:
    """The files of ``data.path`` or ``data.paths``."""
    given = [_File(path, f"data.paths.{split}", split) for split in THREE_WAY if (path := getattr(data.paths, split))]
    if given and data.path is not None:
        raise UserError(
            f"data.path={data.path} and {given[0].told}: write one of the two, data.path=null for the other"
        )
    return given if data.path is None else [_File(data.path, "data.path", None)]


def prompts(data: Data, split: str, split_key: SplitKey | None = None) -> Iterator[Prompt]:
    """The prompts of one split, in the files' order; a prompt's id is the file's name and its row, from 1.

    A row's split is that of its file (``data.paths``) or what ``data.split_column`` names. Else it is a hash of its group: of
    the column ``data.split_by``, or of its answer, both as ``split_key`` spells them (a verifier gives answers that mean the
    same one key), or of the prompt where there is none. So equal answers never stand in two splits. ``split`` is ``train``
    (80 %, or ``data.fractions``; ``warm`` and ``rl`` mean the same here), ``validation`` or ``test`` (10 % each), or ``all``.
    Rows with an empty cell are skipped and counted.

    Raises UserError: unknown split at once; a missing file or column, an empty file, a malformed row when it is met.
    """
    wanted = splits_meant(split, THREE_WAY, _ALIASES)
    splitter = _Splitter(data, split_key or str)
    left_out = _groups_of_other_splits(data, wanted, splitter) if data.overlap == "drop" and splitter.is_given else {}
    return (
        prompt
        for prompt, place in _read(data, splitter, wanted)
        if left_out.get(splitter.group_of(prompt, place)) is None
    )


@dataclass
class RowCount:
    """Rows that were read, and those of them that became no prompt, by reason."""

    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    #: The first rows of each reason.
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, identity: str) -> None:
        """Count a row."""
        self.dropped[reason] += 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < SHOWN:
            shown.append(identity)


class Placed(NamedTuple):
    """A prompt, its split, and the group by which splits are kept apart; empty where that is the prompt itself."""

    prompt: Prompt
    split: str
    group: str


def placed(data: Data, rows: RowCount, split_key: SplitKey | None = None) -> Iterator[Placed]:
    """The prompts of all splits, in one pass over the files; ``rows`` is counted up. Splits that are given may share groups.

    Raises UserError as ``prompts``.
    """
    splitter, order = _Splitter(data, split_key or str), list(THREE_WAY)
    last: dict[str, int] = {}
    if data.overlap == "drop" and splitter.is_given:
        for prompt, place in _read(data, splitter, frozenset(THREE_WAY)):
            group, number = splitter.group_of(prompt, place), order.index(splitter.split_of(prompt, place))
            last[group] = max(number, last.get(group, 0))
    for prompt, place in _read(data, splitter, frozenset(THREE_WAY), rows):
        group, split = splitter.group_of(prompt, place), splitter.split_of(prompt, place)
        if order.index(split) < last.get(group, 0):
            rows.drop(f"its group is in {order[last[group]]}, too (data.overlap=drop)", prompt.id)
        else:
            yield Placed(prompt, split, group if splitter.has_group(prompt) else "")


def check(data: Data, split_key: SplitKey | None = None) -> None:
    """Raise UserError unless the files' first rows can be read and have the columns, and given splits share no group."""
    splitter = _Splitter(data, split_key or str)
    for file in files_of(data):
        next(_checked_rows(data, file))
    if splitter.is_given and data.overlap == "refuse" and not any(file.path.startswith(HUB) for file in files_of(data)):
        _check_disjoint(data, splitter)


class _Splitter:
    """Which split a row belongs to, and the group by which splits are kept apart."""

    def __init__(self, data: Data, split_key: SplitKey) -> None:
        self.data, self.split_key = data, split_key
        self.shares = _shares(data.fractions)
        files = files_of(data)
        self.is_given = data.split_column is not None or any(file.split for file in files)
        if data.split_column is not None and any(file.split for file in files):
            raise UserError(
                f"data.split_column={data.split_column}: data.paths names the splits already; remove one of them"
            )
        if data.fractions and self.is_given:
            raise UserError(
                "data.fractions: the splits are given by data.paths or data.split_column; remove one of them"
            )

    def split_of(self, prompt: Prompt, place: _Place) -> str:
        if place.file.split is not None:
            return place.file.split
        if self.data.split_column is None:
            return split_of(self.group_of(prompt, place), self.shares)
        named = cell(place.file.told, place.row, self.data.split_column).lower()
        named = _SPELLINGS.get(named, named)
        if named not in THREE_WAY:
            raise UserError(
                f"{place.file.told}: {place.row.place}: `{self.data.split_column}` is {named!r}: expects one of "
                f"{', '.join(THREE_WAY)}{did_you_mean(named, list(THREE_WAY))}"
            )
        return named

    def group_of(self, prompt: Prompt, place: _Place) -> str:
        """Equal for rows that must not stand in two splits."""
        if self.data.split_by is not None:
            return self.split_key(cell(place.file.told, place.row, self.data.split_by))
        return self.split_key(str(prompt.reference)) if self.has_group(prompt) else prompt.text

    def has_group(self, prompt: Prompt) -> bool:
        """Whether the group is anything but the prompt's text."""
        if self.data.split_by is not None:
            return True
        # Two tasks may share an answer such as 42: where splits are given, only what a verifier calls the same counts.
        return prompt.reference is not None and not (self.is_given and self.split_key is str)


class _Place(NamedTuple):
    file: _File
    row: Row


def split_of(key: str, shares: Mapping[str, float] = THREE_WAY) -> str:
    """The split of a group. Salted: rows taken from one split of the built-in pairs still fall into all three."""
    return assign_split(f"file {key}", shares)


def _shares(fractions: Mapping[str, float]) -> Mapping[str, float]:
    shares = dict(fractions)
    if not shares:
        return THREE_WAY
    example = "such as data.fractions={train: 0.9, validation: 0.05, test: 0.05}"
    for name, share in shares.items():
        if (
            name not in THREE_WAY
            or isinstance(share, bool)
            or not isinstance(share, int | float)
            or not 0 <= share <= 1
        ):
            raise UserError(f"data.fractions.{name}={share}: expects shares of {', '.join(THREE_WAY)}, {example}")
    if not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6):
        raise UserError(f"data.fractions: the shares add up to {sum(shares.values()):g}, not to 1, {example}")
    return {name: shares[name] for name in THREE_WAY if shares.get(name)}


def _read(
    data: Data, splitter: _Splitter, wanted: frozenset[str], counted: RowCount | None = None
) -> Iterator[tuple[Prompt, _Place]]:
    for file in files_of(data):
        if file.split is None or file.split in wanted:
            yield from _read_file(data, file, splitter, wanted, counted or RowCount())


def _read_file(
    data: Data, file: _File, splitter: _Splitter, wanted: frozenset[str], counted: RowCount
) -> Iterator[tuple[Prompt, _Place]]:
    reader, keeps = RowReader(data), row_filter(data.keep)
    name = file.path.removeprefix(HUB) if file.path.startswith(HUB) else Path(file.path).name
    name = name if file.split is None else f"{file.split}/{name}"
    skipped = number = 0
    for number, row in enumerate(_checked_rows(data, file), 1):
        counted.read += 1
        identity, place = f"{name}:{number}", _Place(file, row)
        if not keeps(f"{file.told}: {row.place}", row.cells):
            counted.drop(f"data.keep={data.keep}", identity)
            continue
        prompt = reader.prompt(identity, file.told, row)
        if prompt is None:
            skipped += 1
            counted.drop(f"an empty cell in `{reader.empty_column(file.told, row)}`", identity)
        elif wanted == THREE_WAY.keys() or splitter.split_of(prompt, place) in wanted:
            yield prompt, place
    if skipped:
        warnings.warn(f"{file.told}: {skipped} of {number} rows were skipped, their cells are empty", stacklevel=2)


def _checked_rows(data: Data, file: _File) -> Iterator[Row]:
    """The rows, of which there is at least one; the first has the columns."""
    read = rows(file.path, file.key, file.split or "train")
    first = next(read, None)
    if first is None:
        raise UserError(f"{file.told}: has no rows")
    RowReader(data).check(file.told, first)
    yield first
    yield from read


def _check_disjoint(data: Data, splitter: _Splitter) -> None:
    """Raise UserError with an example where two given splits share a group."""
    seen: dict[int, tuple[str, str]] = {}
    for prompt, place in _read(data, splitter, frozenset(THREE_WAY)):
        group, split = splitter.group_of(prompt, place), splitter.split_of(prompt, place)
        other, identity = seen.setdefault(hash(group), (split, prompt.id))
        if other != split:
            raise UserError(
                f"the splits {other} and {split} share rows: {identity} and {prompt.id} both have {json.dumps(group)[:80]}; "
                "write data.overlap=drop to leave them out of the earlier split, or data.split_by=COLUMN if they differ"
            )


def _groups_of_other_splits(data: Data, wanted: frozenset[str], splitter: _Splitter) -> dict[str, str]:
    """The groups that stand in a later split than the wanted one, which keeps them."""
    order = list(THREE_WAY)
    later = frozenset(order[order.index(next(iter(wanted))) + 1 :]) if len(wanted) == 1 else frozenset()
    found = _read(data, splitter, later) if later else ()
    return {splitter.group_of(prompt, place): prompt.id for prompt, place in found}
