"""The reward of the benchmark as a user's callback, and the gate between Lightning's batches."""

from __future__ import annotations

import torch

from rivals.gate import Gate
from rlsf_lightning.training.hooks import RLSFCallback

#: Set by the process that runs the recipe.
GATE: Gate | None = None


class TokenShare(RLSFCallback):
    """The share of tokens from the upper half of the vocabulary, as one reward on the last token."""

    def __init__(self, first: int, length: int) -> None:
        self.first, self.length = first, length

    def on_rewards_due(self, trainer, module, rollout) -> None:
        ids_BT = rollout.ids_BS[:, -rollout.is_action_BT.shape[1] :]
        share_B = ((ids_BT >= self.first) & rollout.is_action_BT).sum(1) / self.length
        reward_BT = torch.zeros(rollout.is_action_BT.shape, device=ids_BT.device)
        reward_BT.scatter_(1, rollout.length_B[:, None] - 1, share_B[:, None])
        rollout.add_reward("share", reward_BT)


class Turns(RLSFCallback):
    """Waits for its turn before each batch, and reports the batch behind it."""

    def on_train_start(self, trainer, module) -> None:
        assert GATE is not None
        GATE.ready()

    def on_rewards_due(self, trainer, module, rollout) -> None:
        self.tokens = int(rollout.is_action_BT.sum())

    def on_update_end(self, trainer, module, stats) -> None:
        self.reward = stats["reward"]
        self.stages = {name.removeprefix("seconds/"): v for name, v in stats.items() if name.startswith("seconds/")}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        assert GATE is not None
        GATE.done(tokens=self.tokens, reward=self.reward, stages=self.stages)
