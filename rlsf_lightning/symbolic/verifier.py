"""The protocol of a verifier, and how a recipe's name becomes one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from typing import Any, Protocol

from rlsf_lightning.errors import UserError
from rlsf_lightning.keys import did_you_mean
from rlsf_lightning.records import Certificate, Prompt

_ROOM = "rlsf_lightning.symbolic"


class Verifier(Protocol):
    """A symbolic tool behind one method. It never raises on a completion, whatever that holds.

    A verifier may also have ``invalid_kinds`` (the kinds that mean "no object at all"), ``viable(prompt, prefix) -> bool |
    None`` (whether some continuation passes; None: cannot tell) and ``recheck(certificate, prompt, completion) -> bool``.
    """

    #: The closed list of what its findings can be.
    kinds: frozenset[str]

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """What is wrong with the completion, and where; ABSTAIN where the tool itself failed."""
        ...


def load_verifier(name: str, options: Mapping[str, Any]) -> Verifier:
    """The verifier of ``symbolic/NAME/`` (its ``VERIFIER``) or of ``package.module:Class``, with its options.

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
    """The class that ``name`` stands for."""
    module_name, _, class_name = name.partition(":")
    if not class_name and "." not in module_name:
        module_name = f"{_ROOM}.{module_name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name and not module_name.startswith(f"{error.name}."):
            raise
        raise UserError(f"verifier.name={name}: no such verifier{did_you_mean(name, shipped())}{_known()}") from None
    cls = getattr(module, class_name or "VERIFIER", None)
    if not inspect.isclass(cls) or not callable(getattr(cls, "verify", None)):
        wanted = f"class {class_name} with a method verify" if class_name else "VERIFIER"
        raise UserError(f"verifier.name={name}: {module.__name__} has no {wanted}{_known()}")
    return cls


def shipped() -> list[str]:
    """The verifiers of this room: each has a package of its own."""
    import rlsf_lightning.symbolic as room

    return sorted(found.name for found in pkgutil.iter_modules(room.__path__) if found.ispkg)


def _known() -> str:
    return f"\nverifiers: {', '.join(shipped())} (or package.module:Class)"
