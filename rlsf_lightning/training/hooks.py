"""The hooks of a training step, the base class of callbacks that have them, and the recipe's ``callbacks:`` as objects.

Lightning knows its own hooks only, so the module calls ``emit`` inside ``training_step`` (where ``self.log`` works and
autocast is on). The order of callbacks is the recipe's order.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lightning import Callback, LightningModule, Trainer

from rlsf_lightning.config.extension_points import CALLBACK
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import nearest_of

if TYPE_CHECKING:
    from rlsf_lightning.training.rollout import Rollout


class RLSFCallback(Callback):
    """A Lightning callback that also hears of the reinforcement learning step. Every hook may be left out."""

    #: False for callbacks that only watch or steer: with these alone there is nothing to learn from.
    writes_rewards: ClassVar[bool] = True

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
