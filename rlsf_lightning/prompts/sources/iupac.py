"""IUPAC names and structures of the PyPI package ``chemicals`` (PubChem compounds), checked name by name.

The package's file is read lazily and never copied; ``iupac_index.npz`` beside this file says which rows and which of
their names are good (see ``build_iupac_index``). No Java, no torch.
"""

import importlib.util
import itertools
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.splits import FOUR_WAY, splits_meant
from rlsf_lightning.records import Prompt

MAX_NAME_CHARS = 100
MAX_SMILES_CHARS = 80

_FILE = "Identifiers/chemical identifiers pubchem large.tsv"
_RELEASE = "1.5.2"  # the release of ``chemicals`` whose lines the index describes
_INDEX = Path(__file__).with_name("iupac_index.npz")
_FIRST_NAME_COLUMN = 7  # the IUPAC name; then the common name and the synonyms
_REGISTRY_NUMBER = re.compile(r"[\d\s.,:-]*|[a-z]{1,8}[\s-]?\d{3,}.*", re.ASCII)
# The letter first and the look-behind after it: three times as fast, as the search can leap to the letter.
_NITROGEN_LOCANT = re.compile(r"n(?<![a-z]n)(?='*(?:-|,[\dnosp]))", re.ASCII)
_OTHER_LOCANT = re.compile(r"[osp](?<![a-z][osp])(?='*(?:-|,[\dnosp]))", re.ASCII)
_ENDING_H = re.compile(r"h(?=[-,)\]])", re.ASCII)
_INDICATED_HYDROGEN = re.compile(r"(?<![a-z])(\d+[a-z]?)h(?=[-,)\]])", re.ASCII)


def source_path() -> Path:
    """The tab-separated file inside the installed ``chemicals`` package, which is located and not imported."""
    spec = importlib.util.find_spec("chemicals")
    path = Path(spec.origin).parent / _FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        problem = "is not installed" if path is None else f"has no {_FILE!r}"
        raise UserError(
            f"data.source=iupac reads the package chemicals, which {problem}\n"
            f'install it: pip install "chemicals=={_RELEASE}"'
        )
    return path


def spellings_of(name: str) -> list[str]:
    """The ways to undo the file's lower-casing of locants, the likeliest first; the name as it stands comes last.

    ``n-`` and ``2h-`` are nearly always ``N-`` and ``2H-``; ``o-``, ``s-`` and ``p-`` may be ortho, sec and para.

    >>> spellings_of("n,n-dimethyl-2h-indazole-3-carboxamide")[0]
    'N,N-dimethyl-2H-indazole-3-carboxamide'
    >>> spellings_of("o-xylene")
    ['o-xylene', 'O-xylene']
    """
    with_hydrogen = _INDICATED_HYDROGEN.sub(r"\1H", name) if _ENDING_H.search(name) else name
    restored = _NITROGEN_LOCANT.sub("N", with_hydrogen)
    return list(dict.fromkeys([restored, _OTHER_LOCANT.sub(lambda m: m[0].upper(), restored), name]))


def name_candidates(fields: list[str]) -> Iterator[tuple[int, str]]:
    """(column, name) of a row's names that are worth reading: no empty, long or repeated one, no registry number."""
    seen = set()
    for column, name in enumerate(fields[_FIRST_NAME_COLUMN:], _FIRST_NAME_COLUMN):
        if not 3 <= len(name) <= MAX_NAME_CHARS or name in seen or not (name.isascii() and name.isprintable()):
            continue
        seen.add(name)
        if not _REGISTRY_NUMBER.fullmatch(name):
            yield column, name


class _Row(NamedTuple):
    """What the index says about one molecule. The three last have one entry a verified name, in column order."""

    line: int
    checksum: int
    split: str
    columns: list[int]
    variants: list[int]
    targets: list[str]


def prompts(split: str, *, all_phrasings: bool = False) -> Iterator[Prompt]:
    """The molecules of one split in the file's order, read in one pass as they are asked for.

    ``split`` is ``warm`` (supervised training only), ``rl`` (or ``train``), ``validation``, ``test`` or ``all``.
    ``text`` is the molecule's first verified name (the IUPAC column's, where that is verified) and ``reference`` its
    SMILES as the file spells it. In the warm split ``target`` spells the molecule in the order of that very name.

    ``all_phrasings`` yields every verified name as a prompt of its own: the first as ``pubchem:CID``, the further ones
    as ``pubchem:CID#1``, ``pubchem:CID#2`` and so on.

    Raises UserError for an unknown split, and where the ``chemicals`` package is missing or of a quite other release.
    """
    wanted = splits_meant(split, FOUR_WAY, {"train": "rl"})
    return _read(source_path(), _index(wanted), all_phrasings)


def _index(wanted: frozenset[str]) -> Iterator[_Row]:
    """The index's rows of the wanted splits, in the order of the file's lines."""
    with np.load(_INDEX) as stored:
        lines, checksums, splits, counts = (stored[k].tolist() for k in ("line", "checksum", "split", "name_count"))
        columns, variants = stored["name_column"].tolist(), stored["name_variant"].tolist()
        packed = stored["spellings"].tobytes() if "warm" in wanted else None
    # Only the warm split has spellings, and unpacking them costs as much as all the rest.
    targets = zlib.decompress(packed).decode("ascii").split("\n") if packed is not None else [""] * len(columns)
    names_of_splits = list(FOUR_WAY)
    first = 0
    for line, checksum, position, count in zip(lines, checksums, splits, counts, strict=True):
        split, names = names_of_splits[position], slice(first, first + count)
        first += count
        if split in wanted:
            yield _Row(line, checksum, split, columns[names], variants[names], targets[names])


def _read(path: Path, index: Iterator[_Row], all_phrasings: bool) -> Iterator[Prompt]:
    """The prompts of the index's rows. A line that is not the one that was indexed is skipped and counted."""
    skipped = found = 0
    with open(path, "rb") as file:
        position = 0
        for row in index:
            raw = next(itertools.islice(file, row.line - position, None), b"")
            position = row.line + 1
            if zlib.crc32(raw) != row.checksum:
                skipped += 1
                continue
            found += 1
            yield from _molecule(raw, row, all_phrasings)
    if skipped and not found:
        raise UserError(
            f"data.source=iupac: no molecule in {path} is as release {_RELEASE} of chemicals has it\n"
            f'install that release: pip install "chemicals=={_RELEASE}"'
        )
    if skipped:
        warnings.warn(
            f"{skipped} of {skipped + found} molecules were left out: their lines are not as in chemicals {_RELEASE}.",
            stacklevel=2,
        )


def _molecule(raw: bytes, row: _Row, all_phrasings: bool) -> Iterator[Prompt]:
    """The prompts of one molecule: its first verified name, or all of them that differ."""
    fields = raw.decode("utf-8").rstrip("\n").split("\t")
    seen: set[str] = set()
    for column, variant, target in zip(row.columns, row.variants, row.targets, strict=True):
        text = spellings_of(fields[column])[variant]
        if text in seen:
            continue
        identity = f"pubchem:{fields[0]}" + (f"#{len(seen)}" if seen else "")
        yield Prompt(identity, text, reference=fields[4], target=target or None)
        if not all_phrasings:
            return
        seen.add(text)
