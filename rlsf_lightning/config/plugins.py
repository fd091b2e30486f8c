"""Plugins at extension points: how the name in a recipe becomes an object of the package, or of the user's own.

One syntax for all of them. A *reference* is the name of what ships, ``package.module:name``, or a Python file beside the
recipe, ``mine.py:name`` (or ``mine:name``). ``check`` tells a wrong one from the source text alone, so that no module is
imported for it; ``resolve`` imports. Which extension points there are: ``extension_points``. Standard library only.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import sys
import traceback
import types
import typing
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean


class Entry(NamedTuple):
    """Something that ships: ``package.module:name``, and a line about it, or how to find one where it is asked for."""

    reference: str
    line: str | Callable[[], str]

    @property
    def summary(self) -> str:
        return self.line if isinstance(self.line, str) else self.line()


@dataclass(frozen=True)
class Kind:
    """An extension point: what one key of a recipe names."""

    #: The key, as messages spell it: ``algorithm.credit``.
    key: str
    #: What is named there: ``credit scheme``.
    noun: str
    #: What ships, by its short name. Asked anew each time, as some of it lies in the working directory.
    shipped: Callable[[], Mapping[str, Entry]]
    #: What a module must hold, in words: "a class with a method verify".
    wants: str = "a function"
    #: Whether an imported object is one.
    accepts: Callable[[Any], bool] = callable
    #: The name to take from a module for which the reference gives none; None: a reference gives one.
    default: str | None = None
    #: Finds the object in a module for which the reference gives no name, where it has no fixed one.
    find: Callable[[ModuleType], Any] | None = None


def check(kind: Kind, reference: str, key: str | None = None) -> None:
    """Raise UserError for a reference that names nothing, as far as the files say. Imports nothing.

    Args:
        key: stands in messages in place of ``kind.key``.
    """
    shipped = kind.shipped()
    if reference in shipped:
        return
    said = f"{key or kind.key}={reference}"
    module, name = _parts(kind, reference)
    source = _source(module) if ":" in reference or not _is_bare(module) else None
    if source is None:
        raise UserError(f"{said}: no such {kind.noun}{_advice(did_you_mean(reference, shipped), shipped)}")
    names = names_in(source)
    if name and names is not None and name not in names:
        hint = did_you_mean(name, sorted(names))
        raise UserError(f"{said}: {source} has no {kind.noun} `{name}`{_advice(hint, shipped)}")
    if not name and kind.find is None:
        raise UserError(f"{said}: which {kind.noun} of {source}? Write {reference}:NAME{_advice('', shipped)}")


def resolve(kind: Kind, reference: str, key: str | None = None) -> Any:
    """The object that the reference names. UserError: there is none, it is of another kind, or its module is broken."""
    check(kind, reference, key)
    shipped = kind.shipped()
    module_name, name = _parts(kind, shipped[reference].reference if reference in shipped else reference)
    try:
        module = import_module(module_name)
    except UserError:
        raise
    except Exception as error:
        if module_name.startswith("rlsf_lightning."):
            raise
        raise UserError(f"{key or kind.key}={reference}: cannot be imported: {reason_in_code(error)}") from error
    found = getattr(module, name, None) if name else kind.find(module) if kind.find else None
    if found is None or not kind.accepts(found):
        said = f"{key or kind.key}={reference}: {module_name} has no {kind.noun}{f' `{name}`' if name else ''}"
        raise UserError(f"{said}, which must be {kind.wants}{_advice('', shipped)}")
    return found


def construct(
    cls: Callable[..., Any],
    arguments: Mapping[str, Any],
    said: str,
    refusals: tuple[type[Exception], ...] = (TypeError, ValueError),
) -> Any:
    """``cls(**arguments)``.

    Args:
        said: the key of the recipe, for messages.
        refusals: errors by which it refuses arguments; any other one is a mistake in its code.

    Raises:
        UserError: it does not take these arguments, wants another type, or fails.
        ImportError: a package is missing.
    """
    told = f"(its arguments: {', '.join(inspect.signature(cls).parameters) or 'none'})"
    for name, expected in _plain_types(cls).items():
        if name in arguments and not _is_of(expected, value := arguments[name]):
            words = " or ".join(_TYPE_WORDS[each] for each in _TYPE_WORDS if each in expected)
            raise UserError(f"{said}: {name} expects {words}, got {value!r} {told}")
    try:
        return cls(**arguments)
    except (UserError, ImportError):
        raise
    except refusals as error:
        raise UserError(f"{said}: {' '.join(str(error).split())} {told}") from error
    except Exception as error:
        raise UserError(f"{said}: {reason_in_code(error)}") from error


_TYPE_WORDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _plain_types(cls: Any) -> dict[str, set[type]]:
    """The arguments that are annotated with nothing but plain types, or None."""
    try:
        hints = typing.get_type_hints(cls.__init__ if inspect.isclass(cls) else cls)
    except Exception:  # a name in them that is only there for a type checker
        return {}
    found = {}
    for name, hint in hints.items():
        is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
        members = set(typing.get_args(hint)) if is_union else {hint}
        if (plain := members - {types.NoneType}) and plain <= _TYPE_WORDS.keys():
            found[name] = plain
    return found


def _is_of(expected: set[type], value: Any) -> bool:
    if value is None:
        return True  # whoever does not take it says so
    allowed = expected | ({int} if float in expected else set())
    return type(value) in allowed


def reason_in_code(error: Exception) -> str:
    """What went wrong in somebody else's code, and on which line of it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}"
        return f"{type(error).__name__}: {error.msg} ({place})"
    if isinstance(error, ImportError) and frames:
        own = [frame for frame in frames if "importlib" not in frame.filename]
        place = f"{own[-1].filename}:{own[-1].lineno}" if own else place
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({place})"


def beside(kind: Kind, reference: str, folder: Path) -> str:
    """``reference``, with an absolute path where it means a Python file of this folder: ``mine.py:name`` or ``mine:name``.

    ``mine`` alone means the file too where the kind has a name to look for in it.
    """
    stem, colon, name = _split(reference)
    path = folder / Path(stem if stem.endswith(".py") else f"{stem}.py").expanduser()
    may_be_file = stem.endswith(".py") or (_is_bare(stem) and (bool(colon) or kind.default is not None))
    return f"{path.resolve()}{colon}{name}" if may_be_file and os.path.isfile(path) else reference


def import_module(name: str) -> ModuleType:
    """The module of that name, or the one in the file ``PATH.py``, which is executed once in a process."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    path = os.path.abspath(name)
    alias = f"rlsf_lightning_file_{zlib.crc32(path.encode()):08x}_{Path(path).stem}"
    if alias not in sys.modules:
        spec = importlib.util.spec_from_file_location(alias, path)
        assert spec is not None and spec.loader is not None
        sys.modules[alias] = module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[alias]
            raise
    return sys.modules[alias]


def files_as_entries(folders: Iterable[Path], package: str, attribute: str = "") -> dict[str, Entry]:
    """The modules (and packages) of some folders as entries, the first folder's first; names with ``_`` are left out."""
    found: dict[str, Entry] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            source = path / "__init__.py" if path.is_dir() else path
            if path.stem[0] not in "_." and source.suffix == ".py" and source.is_file():
                reference = f"{package}.{path.stem}" + (f":{attribute}" if attribute else "")
                found.setdefault(path.stem, Entry(reference, partial(summary_of, source)))
    return dict(sorted(found.items()))


@cache
def summary_of(source: Path, name: str | None = None) -> str:
    """The first line of the docstring of a module, or of a function or class in it; "" where there is none."""
    tree = _parsed(source)
    nodes = [] if tree is None else [tree] if name is None else tree.body
    for node in nodes:
        if name is None or getattr(node, "name", None) == name:
            doc = ast.get_docstring(node) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) else None
            return (doc or "").partition("\n")[0].replace("``", "`")
    return ""


@cache
def names_in(source: Path) -> frozenset[str] | None:
    """What a module defines or imports at its top level; None where its text alone does not say."""
    tree = _parsed(source)
    names: set[str] = set()
    waiting: list[ast.AST] = [] if tree is None else list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            names |= {node.id} if isinstance(node.ctx, ast.Store) else set()
        elif not isinstance(node, ast.expr) or isinstance(node, ast.Tuple):
            waiting += ast.iter_child_nodes(node)
    return None if tree is None or names & {"*", "__getattr__"} else frozenset(names)


def _parsed(source: Path) -> ast.Module | None:
    """The file's syntax tree; None where it is no Python that can be read (whoever imports it is told)."""
    try:
        return ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _split(reference: str) -> tuple[str, str, str]:
    stem, colon, name = reference.rpartition(":")
    return (stem, colon, name) if colon else (reference, "", "")


def _parts(kind: Kind, reference: str) -> tuple[str, str]:
    """Module or file, and the name in it, "" where there is none."""
    module, _, name = _split(reference)
    return module, name or kind.default or ""


def _is_bare(module: str) -> bool:
    return "." not in module


def _source(module: str) -> Path | None:
    """The file of a module; nothing is imported. None: there is no such module (or it has no Python source)."""
    if module.endswith(".py"):
        return Path(module) if os.path.isfile(module) else None
    spec, place = None, list[str]()
    parts = module.split(".")
    for number in range(1, len(parts) + 1):
        loaded = sys.modules.get(".".join(parts[:number]))
        if number < len(parts) and loaded is not None and hasattr(loaded, "__path__"):
            place = list(loaded.__path__)  # which the package may have changed
            continue
        try:  # finding a package by its own name imports nothing
            found = (
                importlib.util.find_spec(parts[0])
                if number == 1
                else PathFinder.find_spec(".".join(parts[:number]), place)
            )
        except (ImportError, ValueError):
            found = None
        if found is None:
            return None
        spec, place = found, list(found.submodule_search_locations or [])
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _advice(hint: str, shipped: Mapping[str, Entry]) -> str:
    """The end of a message: the nearest name, if one is near, and everything that could be written."""
    names = f"one of {', '.join(shipped)}, " if shipped else ""
    return f"{hint}{' Write' if hint else '; write'} {names}package.module:name, or mine.py:name for a file beside the recipe"
