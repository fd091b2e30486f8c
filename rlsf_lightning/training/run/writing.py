"""Files of a run are written beside their place and moved there, so that each is either whole or absent."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: The ending of what is being written.
PARTIAL = "partial"


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Where to write a file or a folder before it is moved to ``path``; what is left there afterwards is removed."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{PARTIAL}")
    try:
        yield partial
    finally:
        _remove(partial)


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that a reader never sees half of it."""
    with beside(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    """``value`` as indented JSON, written atomically."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def remove_partial(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left in a folder."""
    for path in folder.glob(f".*.{PARTIAL}"):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
