"""The events of a training step, and how callbacks hear of them.

Lightning knows its own hooks only, so the module calls ``emit`` inside ``training_step`` (where ``self.log`` works and
autocast is on). The order of callbacks is the recipe's order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lightning import Callback, LightningModule, Trainer

from rlsf_lightning.records import Certificate, Prompt

if TYPE_CHECKING:
    from rlsf_lightning.training.rollout import Rollout


@dataclass
class Questions:
    """Prompts and completions on which the module wants verdicts beside the rollout's own."""

    pairs: list[tuple[Prompt, str]]
    #: Their certificates, in the same order, written by the callback that has the verifier.
    certificates: list[Certificate] | None = None


class RLSFCallback(Callback):
    """A Lightning callback that also hears of the reinforcement learning step. Every hook may be left out."""

    def on_rollout_end(self, trainer: Trainer, module: LightningModule, rollout: Rollout) -> None:
        """Completions are sampled, nothing is scored yet: the moment to start work that runs beside the scoring."""

    def on_rewards_due(self, trainer: Trainer, module: LightningModule, rollout: Rollout) -> None:
        """Write reward channels now: ``rollout.add_reward(name, reward_BT)``."""

    def on_verdicts_due(self, trainer: Trainer, module: LightningModule, questions: Questions) -> None:
        """Write ``questions.certificates`` now: an estimator values states by what becomes of them."""

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
