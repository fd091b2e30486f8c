"""The recipe's ``callbacks:`` block as objects: drop-in files, and classes of any package."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from lightning import Callback

from rlsf_lightning.config.extension_points import CALLBACK
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import nearest_of
from rlsf_lightning.training.hooks import HOOKS


def build_callbacks(entries: Mapping[str, Mapping[str, Any] | None]) -> list[Callback]:
    """The recipe's ``callbacks:`` block as objects: ``name: {arguments}``; an entry that is null is switched off."""
    built = []
    for name, arguments in entries.items():
        if arguments is None:
            continue
        cls = resolve(CALLBACK, name)
        try:
            built.append(cls(**arguments))
        except TypeError as error:
            accepted = ", ".join(inspect.signature(cls).parameters) or "none"
            raise UserError(f"callbacks.{name}: {error} (its arguments: {accepted})") from None
    check_hooks(built)
    return built


def check_hooks(callbacks: Iterable[Callback]) -> None:
    """Refuse a callback with an ``on_*`` method that nobody will ever call: most likely it is misspelt."""
    known = {name for name in dir(Callback) if name.startswith("on_")} | set(HOOKS)
    for callback in callbacks:
        for name in dir(type(callback)):
            if name.startswith("on_") and name not in known:
                raise UserError(
                    f"{type(callback).__name__} has a method `{name}`, which is no hook and would never be called; "
                    f"did you mean `{nearest_of(name, known)}`? (a helper method must not start with on_)"
                )


def check_rewards(callbacks: Iterable[Callback]) -> None:
    """Raise UserError if no callback can write a reward: there must be the verifier, or one of the user's own."""
    if not any(getattr(callback, "writes_rewards", hasattr(callback, "on_rewards_due")) for callback in callbacks):
        raise UserError(
            "nothing would reward the model: the recipe has no verifier callback; "
            "add `callbacks: {verifier: {}}` to it, or callbacks.verifier={} to the command line"
        )
