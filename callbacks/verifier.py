"""Turns certificates into token rewards: the reward channel ``verifier``.

Completions go to the worker pool as soon as they are sampled and come back when the rewards are due, so that the tool
works while the model scores. A completion whose tool abstained (crash, timeout) is left out of the loss and counted.
"""

import random

import torch

from rlsf_lightning.evaluation.metrics import suite_for
from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.loader import find_verifier
from rlsf_lightning.training.hooks import RLSFCallback


class VerifierReward(RLSFCallback):
    """``certificate -> one reward per token`` with the recipe's ``verifier`` and ``algorithm.credit``."""

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        success = self.success(recipe, find_verifier(recipe.verifier.name))
        return (success, "validity", "score", "abstained", "verify_wait", "cache_hits")

    def setup(self, trainer, module, stage: str) -> None:
        if stage == "fit":
            self.rank = trainer.global_rank
            self.pool = module.verifier_pool or VerifierPool.from_recipe(module.recipe)
            module.verifier_pool = self.pool  # for estimators that ask for verdicts themselves

    def teardown(self, trainer, module, stage: str) -> None:
        if stage == "fit":
            self.pool.close()

    def state_dict(self) -> dict[str, list[str]]:
        """What each rank's pool knows. Called on all ranks."""
        known = [self.pool.known()]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            known *= torch.distributed.get_world_size()
            torch.distributed.all_gather_object(known, self.pool.known())
        return {"known": known}

    def load_state_dict(self, state_dict: dict[str, list[str]]) -> None:
        for known in state_dict["known"][self.rank : self.rank + 1]:  # none, where there were fewer ranks
            self.pool.expect(known)

    def on_rollout_end(self, trainer, module, rollout) -> None:
        self.pending = self.pool.submit(list(zip(rollout.prompts, rollout.completions, strict=True)))

    def on_rewards_due(self, trainer, module, rollout) -> None:
        rollout.certificates = self.pending.result()
        rng = random.Random(module.step_seed("credit"))
        reward_BT, is_credited_BT = module.token_credit(
            rollout.certificates, rollout.spans, rollout.is_finished_B, rng=rng
        )
        rollout.add_reward("verifier", reward_BT)
        rollout.is_credited_BT = rollout.is_credited_BT & is_credited_BT.to(rollout.is_credited_BT.device)
        self.log_verdicts(module, rollout)

    @staticmethod
    def success(recipe, verifier_class: type) -> str:
        """``exact_match`` where a reference is equalled, else ``pass_rate``."""
        suite = suite_for(verifier_class, recipe.evaluation.metrics)
        return "exact_match" if suite.success == "exact_match" else "pass_rate"

    def log_verdicts(self, module, rollout) -> None:
        """Shares of the sampled completions; those on which the tool abstained count for none but ``abstained``."""
        judged = [c for c in rollout.certificates if c.verdict is not Verdict.ABSTAIN]
        invalid = self.pool.invalid_kinds
        n = max(1, len(judged))
        module.log_step(
            {
                self.success(module.recipe, self.pool.verifier_class): float(rollout.passed_B.sum()) / n,
                "validity": sum(not any(f.kind in invalid for f in c.findings) for c in judged) / n,
                "score": sum(c.score for c in judged) / n,
                "abstained": 1 - len(judged) / len(rollout.certificates),
                "verify_wait": self.pending.seconds,
                "cache_hits": self.pending.hits / len(rollout.certificates),
            }
        )
