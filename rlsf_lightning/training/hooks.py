"""The hooks of a training step, and the base class of callbacks that have them.

Lightning knows its own hooks only, so the module calls ``emit`` inside ``training_step`` (where ``self.log`` works and
autocast is on). The order of callbacks is the recipe's order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lightning import Callback, LightningModule, Trainer

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.training.rollout import Rollout


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
