"""The recipe's ``callbacks:`` block as objects: drop-in files, and classes of any package."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lightning import Callback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from rlsf_lightning.config.extension_points import CALLBACK
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean, nearest_of
from rlsf_lightning.training.hooks import HOOKS

#: Metrics that training itself logs, some of them only with a critic, a penalty or a loss scale; ``*`` for any text.
METRICS = (
    *("reward", "reward/*", "kl", "kl_beta", "mixed_prompts", "length", "truncated", "credited", "lr", "seconds/*"),
    *("ratio", "ratio_deviation", "clip_fraction", "approx_kl", "entropy", "sampler_deviation", "skipped_steps"),
    *("ratio_deviation_first_minibatch", "clip_fraction_first_minibatch", "approx_kl_first_minibatch"),
    *("loss/policy", "loss/value", "loss/kl", "loss/entropy", "grad_norm/policy", "grad_norm/value"),
)


def build_callbacks(entries: Mapping[str, Mapping[str, Any] | None]) -> list[Callback]:
    """The recipe's ``callbacks:`` block as objects: ``name: {arguments}``; an entry that is null is switched off."""
    built = []
    for name, arguments in entries.items():
        if arguments is None:
            continue
        cls = resolve(CALLBACK, name)
        try:
            built.append(cls(**arguments))
        except ImportError as error:
            raise UserError(f"callbacks.{name}: {' '.join(str(error).split())}") from None
        except (TypeError, ValueError, MisconfigurationException) as error:
            accepted = ", ".join(inspect.signature(cls).parameters) or "none"
            raise UserError(f"callbacks.{name}: {' '.join(str(error).split())} (its arguments: {accepted})") from None
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


def check_callbacks(callbacks: Sequence[Callback], recipe: Recipe) -> None:
    """Raise UserError where a callback cannot work with the recipe, or would wait for a metric that nobody logs."""
    for callback in callbacks:
        if hasattr(callback, "check_recipe"):
            callback.check_recipe(recipe)
    known = _metrics_of(callbacks, recipe)
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if known is None or not isinstance(monitor, str) or not getattr(callback, "strict", True):
            continue
        if not any(fnmatchcase(monitor, name) for name in (*known, "epoch", "step")):
            raise UserError(
                f"{type(callback).__name__}: monitor={monitor}: nothing logs this metric"
                f"{did_you_mean(monitor, known)}. Write one of {', '.join(known)}"
            )


def _metrics_of(callbacks: Iterable[Callback], recipe: Recipe) -> list[str] | None:
    """The names of all metrics of a run; None where a callback of the user's own may log others."""
    names = list(METRICS)
    for callback in callbacks:
        if type(callback).__module__.partition(".")[0] in ("lightning", "pytorch_lightning"):
            continue  # they log to the loggers alone
        own = callback.logged_metrics(recipe) if hasattr(callback, "logged_metrics") else None
        if own is None:
            return None
        names += own
    return names


def check_rewards(callbacks: Iterable[Callback]) -> None:
    """Raise UserError if no callback can write a reward: there must be the verifier, or one of the user's own."""
    if not any(getattr(callback, "writes_rewards", hasattr(callback, "on_rewards_due")) for callback in callbacks):
        raise UserError(
            "nothing would reward the model: the recipe has no verifier callback; "
            "add `callbacks: {verifier: {}}` to it, or callbacks.verifier={} to the command line"
        )
