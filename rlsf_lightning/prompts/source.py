"""``data.path`` or ``data.source`` of a recipe -> prompts. It knows no domain and no file format."""

from __future__ import annotations

import hashlib
import heapq
import importlib
import importlib.util
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import files
from rlsf_lightning.records import Prompt
from rlsf_lightning.suggest import did_you_mean

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Data

_ROOM = "rlsf_lightning.prompts"
#: A limited subset is drawn from this many prompts at the front of a split, so that it ends on a huge stream too.
SAMPLED_FROM = 200_000


def load_prompts(data: Data, split: str, *, limit: int | None = None, all_names: bool = False) -> Iterator[Prompt]:
    """The prompts of one split, in the source's order, read as they are asked for.

    ``split``: ``train``, ``validation``, ``test`` or ``all``; sources may have more (``warm`` for supervised training,
    ``rl``). ``all_names``: where a source knows several names of one thing, each is a prompt of its own.

    ``limit`` does not take the first prompts, which in most files are the simplest ones, but those with the smallest
    hash of their id among the first ``SAMPLED_FROM``, in that order: the same in every run, representative, and the
    ten of ``limit=10`` are the first of the twenty of ``limit=20``.

    Raises UserError for a path, source or split that does not exist, and while reading, for what cannot be read.
    """
    assert limit is None or limit >= 0, f"limit must be >= 0, got {limit}"
    if data.path is not None:
        prompts = files.prompts(data.path, data.columns, split)
    else:
        source = _find_source(data)
        takes_all_names = "all_names" in inspect.signature(source).parameters
        prompts = source(split, all_names=True) if all_names and takes_all_names else source(split)
    return iter(prompts) if limit is None else _representative(prompts, limit)


def check_source(data: Data) -> None:
    """Raise UserError unless a first training prompt can be read. Cheap: called before any model is loaded."""
    if data.path is not None:
        files.check(data.path, data.columns)
        return
    first = next(iter(_find_source(data)("train")), None)
    if first is None:
        raise UserError(f"data.source={data.source}: its train split is empty")
    if not isinstance(first, Prompt):
        raise UserError(f"data.source={data.source}: must yield rlsf_lightning.Prompt, got a {type(first).__name__}")


def _representative(prompts: Iterator[Prompt], limit: int) -> Iterator[Prompt]:
    yield from heapq.nsmallest(limit, itertools.islice(prompts, SAMPLED_FROM), key=lambda prompt: _hash(prompt.id))


def _hash(identity: str) -> bytes:
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _find_source(data: Data) -> Callable[..., Iterator[Prompt]]:
    """The ``prompts`` function of the module that ``data.source`` names."""
    name = data.source
    module = name if "." in name else f"{_ROOM}.{name}"
    if not _exists(module):
        known = _sources()
        raise UserError(
            f"data.source={name}: no such source{did_you_mean(name, known)}\n"
            f"sources: {', '.join(known)} (or package.module, where that module has a function prompts(split))"
        )
    source = _source_in(module)
    if source is None:
        raise UserError(f"data.source={name}: {module} has no function prompts(split)")
    return source


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):  # the package around it is missing, or the name is not one
        return False


def _source_in(module: str) -> Callable[..., Iterator[Prompt]] | None:
    found = getattr(importlib.import_module(module), "prompts", None)
    if not callable(found) or next(iter(inspect.signature(found).parameters), None) != "split":
        return None
    return found


def _sources() -> list[str]:
    room = importlib.import_module(_ROOM)
    names = [found.name for found in pkgutil.iter_modules(room.__path__)]
    return [name for name in names if _source_in(f"{_ROOM}.{name}")]
