"""From the name in a recipe to a verifier: ``verifier.name`` and ``verifier.options``."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean
from rlsf_lightning.symbolic.verifier import Verifier

_ROOM = "rlsf_lightning.symbolic.verifiers"


def load_verifier(name: str, options: Mapping[str, Any]) -> Verifier:
    """The verifier that ``name`` stands for (see ``find_verifier``), with its options.

    Raises UserError for an unknown name, or for options that it does not take.
    """
    cls = find_verifier(name)
    accepted = inspect.signature(cls).parameters
    for option in options:
        if option not in accepted:
            hint = did_you_mean(option, accepted)
            raise UserError(
                f"verifier.options.{option}: {name} has no such option{hint} (it has {', '.join(accepted) or 'none'})"
            )
    try:
        verifier: Verifier = cls(**options)
    except (TypeError, ValueError) as error:
        raise UserError(f"verifier.options of {name}: {error}") from None
    return verifier


def find_verifier(name: str) -> type:
    """The class ``VERIFIER`` of ``symbolic/verifiers/NAME/``, of ``package.module`` or of the file ``PATH.py``.

    ``:Class`` after a module or a file names another class than its ``VERIFIER``.
    """
    module_name, _, class_name = name.partition(":")
    if not class_name and "." not in module_name:
        module_name = f"{_ROOM}.{module_name}"
    try:
        module = _module_of_file(module_name) if module_name.endswith(".py") else importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name and not module_name.startswith(f"{error.name}."):
            raise
        raise UserError(f"verifier.name={name}: no such verifier{did_you_mean(name, shipped())}{_known()}") from None
    cls = getattr(module, class_name or "VERIFIER", None)
    if not inspect.isclass(cls) or not callable(getattr(cls, "verify", None)):
        wanted = f"class {class_name} with a method verify" if class_name else "VERIFIER"
        raise UserError(f"verifier.name={name}: {module.__name__} has no {wanted}{_known()}")
    return cls


def _module_of_file(path: str) -> ModuleType:
    """The module in the file; it is executed once in a process."""
    if not os.path.isfile(path):
        raise UserError(f"verifier.name={path}: no such file (seen from {os.getcwd()})")
    name = f"rlsf_lightning_verifier_{hashlib.blake2b(os.path.abspath(path).encode(), digest_size=6).hexdigest()}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def shipped() -> list[str]:
    """The verifiers of this room: each has a package of its own."""
    import rlsf_lightning.symbolic.verifiers as room

    return sorted(found.name for found in pkgutil.iter_modules(room.__path__) if found.ispkg)


def _known() -> str:
    return f"\nverifiers: {', '.join(shipped())} (or package.module:Class, or a file beside the recipe)"
