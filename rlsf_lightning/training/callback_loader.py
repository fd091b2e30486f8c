"""The recipe's ``callbacks:`` block as objects: drop-in files, and classes of any package."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from lightning import Callback

from rlsf_lightning.errors import UserError
from rlsf_lightning.training.hooks import HOOKS


def check_hooks(callbacks: Iterable[Callback]) -> None:
    """Refuse a callback with an ``on_*`` method that nobody will ever call: most likely it is misspelt."""
    known = {name for name in dir(Callback) if name.startswith("on_")} | set(HOOKS)
    for callback in callbacks:
        for name in dir(type(callback)):
            if name.startswith("on_") and name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
                raise UserError(
                    f"{type(callback).__name__} has a method `{name}`, which is no hook and would never be called; "
                    f"did you mean `{near}`? (a helper method must not start with on_)"
                )


def build_callbacks(entries: Mapping[str, Mapping[str, Any] | None]) -> list[Callback]:
    """The recipe's ``callbacks:`` block as objects: ``name: {arguments}``; an entry that is null is switched off."""
    built = []
    for name, arguments in entries.items():
        if arguments is None:
            continue
        cls = find_callback(name)
        try:
            built.append(cls(**arguments))
        except TypeError as error:
            accepted = ", ".join(inspect.signature(cls).parameters) or "none"
            raise UserError(f"callbacks.{name}: {error} (its arguments: {accepted})") from None
    check_hooks(built)
    return built


def find_callback(name: str) -> type[Callback]:
    """The callback class of ``callbacks/NAME.py`` (the working directory first), or of ``package.module:Class``."""
    module_name, _, class_name = name.partition(":")
    if "." not in module_name:
        module_name = f"rlsf_lightning.callbacks.{module_name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        raise UserError(
            f"no callback `{name}`: looked for callbacks/{name}.py in the working directory and among the shipped ones "
            f"({', '.join(shipped_callbacks())}); a class elsewhere is written `package.module:Class`"
        ) from None
    classes = [
        cls
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, Callback) and cls.__module__ == module.__name__
    ]
    if class_name:
        classes = [cls for cls in classes if cls.__name__ == class_name]
    if len(classes) != 1:
        found = ", ".join(cls.__name__ for cls in classes) or "none"
        raise UserError(f"callback `{name}`: {module.__file__} must define exactly one callback class, found {found}")
    return classes[0]


def shipped_callbacks() -> list[str]:
    """The names that can be used without writing a file."""
    import pkgutil

    import rlsf_lightning.callbacks as room

    return sorted(found.name for found in pkgutil.iter_modules(room.__path__))
