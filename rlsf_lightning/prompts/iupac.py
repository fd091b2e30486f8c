"""IUPAC names and structures of the PyPI package ``chemicals`` (PubChem compounds), checked name by name.

The package's file is read lazily and never copied; ``iupac_index.npz`` beside this file says which rows and which of
their names are good (see ``build_iupac_index``). No Java, no torch.
"""

import importlib.resources
import re
from collections.abc import Iterator
from pathlib import Path

MAX_NAME_CHARS = 100
MAX_SMILES_CHARS = 80

_FILE = "Identifiers/chemical identifiers pubchem large.tsv"
_FIRST_NAME_COLUMN = 7  # the IUPAC name; then the common name and the synonyms
_REGISTRY_NUMBER = re.compile(r"[\d\s.,:-]*|[a-z]{1,8}[\s-]?\d{3,}.*", re.ASCII)
_NITROGEN_LOCANT = re.compile(r"(?<![a-z])n(?='*(?:-|,[\dnosp]))", re.ASCII)
_OTHER_LOCANT = re.compile(r"(?<![a-z])[osp](?='*(?:-|,[\dnosp]))", re.ASCII)
_INDICATED_HYDROGEN = re.compile(r"(?<![a-z])(\d+[a-z]?)h(?=[-,)\]])", re.ASCII)


def source_path() -> Path:
    """The tab-separated file inside the installed ``chemicals`` package."""
    return Path(str(importlib.resources.files("chemicals"))) / _FILE


def spellings_of(name: str) -> list[str]:
    """The ways to undo the file's lower-casing of locants, the likeliest first; the name as it stands comes last.

    ``n-`` and ``2h-`` are nearly always ``N-`` and ``2H-``; ``o-``, ``s-`` and ``p-`` may as well be ortho, sec and para.

    >>> spellings_of("n,n-dimethyl-2h-indazole-3-carboxamide")[0]
    'N,N-dimethyl-2H-indazole-3-carboxamide'
    >>> spellings_of("o-xylene")
    ['o-xylene', 'O-xylene']
    """
    restored = _NITROGEN_LOCANT.sub("N", _INDICATED_HYDROGEN.sub(r"\1H", name))
    return list(dict.fromkeys([restored, _OTHER_LOCANT.sub(lambda m: m[0].upper(), restored), name]))


def name_candidates(fields: list[str]) -> Iterator[tuple[int, str]]:
    """(column, name) of a row's names that are worth reading: not empty, not too long, no registry number, no repeat."""
    seen = set()
    for column, name in enumerate(fields[_FIRST_NAME_COLUMN:], _FIRST_NAME_COLUMN):
        if not 3 <= len(name) <= MAX_NAME_CHARS or name in seen or not (name.isascii() and name.isprintable()):
            continue
        seen.add(name)
        if not _REGISTRY_NUMBER.fullmatch(name):
            yield column, name
