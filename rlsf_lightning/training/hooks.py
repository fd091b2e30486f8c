"""The hooks of a training step, the base class of callbacks that have them, and the recipe's ``callbacks:`` as objects.

Lightning knows its own hooks only, so the module calls ``emit`` inside ``training_step`` (where ``self.log`` works and
autocast is on). The order of callbacks is the recipe's order.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from rlsf_lightning.config.extension_points import CALLBACK
from rlsf_lightning.config.plugins import construct, resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean, nearest_of

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.training.rollout import Rollout

#: Errors by which callbacks and loggers of Lightning's refuse their arguments.
REFUSALS = (TypeError, ValueError, MisconfigurationException)

#: Metrics that training itself logs, some of them only with a critic, a penalty or a loss scale; ``*`` for any text.
METRICS = (
    *("reward", "reward/*", "kl", "kl_beta", "mixed_prompts", "length", "truncated", "credited", "lr", "seconds/*"),
    *("ratio", "ratio_deviation", "clip_fraction", "approx_kl", "entropy", "sampler_deviation", "skipped_steps"),
    *("ratio_deviation_first_minibatch", "clip_fraction_first_minibatch", "approx_kl_first_minibatch"),
    *("loss/policy", "loss/value", "loss/kl", "loss/entropy", "grad_norm/policy", "grad_norm/value"),
)


class RLSFCallback(Callback):
    """A Lightning callback that also hears of the reinforcement learning step. Every hook may be left out."""

    #: False for callbacks that only watch or steer: with these alone there is nothing to learn from.
    writes_rewards: ClassVar[bool] = True

    def check_recipe(self, recipe: Recipe) -> None:
        """Called before a model is loaded. Raise UserError for a recipe with which this callback cannot work."""

    def logged_metrics(self, recipe: Recipe) -> Collection[str] | None:
        """Names of the metrics that it logs, ``*`` in them for any text; None: it does not say."""
        return None

    def on_rollout_end(self, trainer: Trainer, module: LightningModule, rollout: Rollout) -> None:
        """Completions are sampled, nothing is scored yet: the moment to start work that runs beside the scoring."""

    def on_rewards_due(self, trainer: Trainer, module: LightningModule, rollout: Rollout) -> None:
        """Write reward channels now: ``rollout.add_reward(name, reward_BT)``."""

    def on_advantages_ready(self, trainer: Trainer, module: LightningModule, rollout: Rollout) -> None:
        """Rewards, penalty and advantages are final; nothing is learnt from them yet."""

    def on_update_end(self, trainer: Trainer, module: LightningModule, stats: Mapping[str, float]) -> None:
        """The policy has been updated; ``stats`` are the step's metrics."""


HOOKS = tuple(name for name in vars(RLSFCallback) if name.startswith("on_"))


def emit(trainer: Trainer, hook: str, *args: Any) -> None:
    """Call ``hook`` on every callback that has it, in the recipe's order."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        handler = getattr(callback, hook, None)
        if handler is not None:
            handler(trainer, trainer.lightning_module, *args)


def build_callbacks(entries: Mapping[str, Mapping[str, Any] | None]) -> list[Callback]:
    """The recipe's ``callbacks:`` block as objects: ``name: {arguments}``; an entry that is null is switched off."""
    built = []
    for name, arguments in entries.items():
        if arguments is None:
            continue
        try:
            built.append(construct(resolve(CALLBACK, name), arguments, f"callbacks.{name}", REFUSALS))
        except ImportError as error:
            raise UserError(f"callbacks.{name}: {' '.join(str(error).split())}") from None
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
        place = getattr(callback, "dirpath", None)
        if place is not None and not os.path.isdir(place) and os.path.exists(place):
            raise UserError(f"{type(callback).__name__}: dirpath={place} is a file; name a folder")
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
