"""Adaptive KL coefficient: keeps the policy's divergence from the reference near ``target`` nats a completion.

    callbacks.kl_control='{target: 0.5, horizon: 10000}'

Ziegler et al. 2019 (arXiv 1909.08593), section 2.2. Its state is in the checkpoint.
"""

from typing import Any

from rlsf_lightning.config.estimator_specs import find_estimator
from rlsf_lightning.errors import UserError
from rlsf_lightning.rl.kl import adapt_beta
from rlsf_lightning.training.hooks import RLSFCallback


class KlControl(RLSFCallback):
    """After each step beta grows or shrinks by at most 20 % x samples / horizon."""

    writes_rewards = False

    def __init__(self, target: float, horizon: int = 10_000) -> None:
        if target <= 0 or horizon <= 0:
            raise TypeError(f"target and horizon must be positive, got {target} and {horizon}")
        self.target, self.horizon = target, horizon
        self.beta: float | None = None

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        return ()

    def check_recipe(self, recipe) -> None:
        beta = recipe.algorithm.kl.beta
        if (find_estimator(recipe.algorithm.advantage)[1].kl_beta if beta is None else beta) == 0:
            raise UserError("callbacks.kl_control has nothing to control: write algorithm.kl.beta=0.05")

    def on_train_start(self, trainer, module) -> None:
        if self.beta is not None:  # resumed
            module.kl_beta = self.beta

    def on_rollout_end(self, trainer, module, rollout) -> None:
        self.samples = len(rollout.completions) * trainer.world_size

    def on_update_end(self, trainer, module, stats) -> None:
        module.kl_beta = adapt_beta(
            module.kl_beta, stats["kl"], target=self.target, samples=self.samples, horizon=self.horizon
        )
        self.beta = module.kl_beta

    def state_dict(self) -> dict[str, Any]:
        return {"beta": self.beta}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.beta = state_dict["beta"]
