"""The algorithm: generate, verify, score, compute advantages, update. It holds the order of the steps and no mathematics.

Never here: chemistry (``symbolic/``), formulas (``rl/``), weights (``policy/``).
"""

from __future__ import annotations

import random
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from rlsf_lightning.config.estimator_specs import find_estimator
from rlsf_lightning.config.extension_points import CREDIT, ENGINE, SPLITTER
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.checkpoint import ADAPTER_CONFIG, adapter_config
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.logprob import ActionScores, score_actions
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.prompts import PromptEncoder
from rlsf_lightning.records import Prompt
from rlsf_lightning.rl import estimators, kl
from rlsf_lightning.rl.loss_weights import has_mixed_outcomes, loss_weights
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.training.batching import micro_batches, minibatches, tokens_at_a_time
from rlsf_lightning.training.hooks import emit
from rlsf_lightning.training.loss import has_kl_loss, losses_of
from rlsf_lightning.training.optimizer import build_optimizer, build_schedule, clipped_step, has_loss_scale
from rlsf_lightning.training.rollout import Part, Rollout, StepValues, collect, token_credit
from rlsf_lightning.training.step_values import value_steps

#: Statistics of an optimiser step that are 0 in the first one on a rollout; logged as NAME_first_minibatch.
UNMOVED = ("ratio_deviation", "clip_fraction", "approx_kl")

#: Metrics that the progress bar shows, in its order; ``mixed_prompts`` where prompts are chosen by it.
ON_BAR = ("reward", "pass_rate", "exact_match", "validity", "kl", "mixed_prompts")

#: What a checkpoint holds of the module beside its weights.
_STATE = ("steps_done", "kl_beta", "kl_seen")


class RLSFModule(LightningModule):
    """Fine-tunes ``recipe.policy`` with the reward channels that callbacks write.

    Manual optimisation: a training step is one rollout and ``algorithm.epochs x algorithm.minibatches`` optimiser steps.
    """

    policy: Policy

    def __init__(self, recipe: Recipe, run_dir: str | None = None, verifier_pool: VerifierPool | None = None) -> None:
        super().__init__()
        self.recipe, self.run_dir = recipe, run_dir
        self.automatic_optimization = False
        self.strict_loading = False  # checkpoints hold what is trained, not the frozen base
        self.estimator, self.spec = find_estimator(recipe.algorithm.advantage)
        #: ``(certificates, spans, is_finished_B, rng=) -> (reward_BT, is_credited_BT)``
        self.token_credit = partial(
            token_credit,
            scheme=resolve(CREDIT, recipe.algorithm.credit),
            truncated=recipe.algorithm.truncated,
            outside=recipe.algorithm.credit_thinking,
        )
        self.engine = resolve(ENGINE, recipe.rollout.engine)
        beta = recipe.algorithm.kl.beta
        self.kl_beta = self.spec.kl_beta if beta is None else beta
        self.verifier_pool = verifier_pool  # None: the callback that verifies hands over its own
        self.kl_seen: float | None = None  # KL to the reference when it was last measured
        self.steps_done = 0
        self.stats: dict[str, float] = {}

    # --- the step ---------------------------------------------------------------------------------------------------

    def training_step(self, batch: Sequence[Prompt], batch_idx: int) -> None:
        self.stats = {}
        with self.timed("generate"):
            rollout = self.generate(batch)
        emit(self.trainer, "on_rollout_end", rollout)
        with self.timed("score"):
            self.score(rollout)
        with self.timed("verify"):
            emit(self.trainer, "on_rewards_due", rollout)
        if self.spec.needs_rollouts:
            with self.timed("continue"):
                rollout.steps = self.value_steps(rollout)
        self.compute_advantages(rollout)
        emit(self.trainer, "on_advantages_ready", rollout)
        with self.timed("update"):
            self.update(rollout)
        self.report(rollout)
        emit(self.trainer, "on_update_end", self.stats)
        self.steps_done += 1

    def generate(self, batch: Sequence[Prompt]) -> Rollout:
        """Sample ``samples_per_prompt`` completions of every prompt."""
        settings = self.recipe.rollout
        prompt_ids = [self.encode(prompt) for prompt in batch]
        with_values = self.policy.value_head is not None and self.old_scores_are_sampled()
        sampled = self.engine(
            self.policy,
            prompt_ids,
            samples=settings.samples_per_prompt,
            max_new_tokens=settings.max_new_tokens,
            temperature=settings.temperature,
            batch_size=settings.decode_batch_size,
            generator=torch.Generator(self.device).manual_seed(self.step_seed("sample")),
            **({"with_values": True} if with_values else {}),
        )
        return collect(self.policy, batch, prompt_ids, sampled, settings.samples_per_prompt)

    @torch.no_grad()
    def score(self, rollout: Rollout) -> None:
        """Log-probabilities under policy and reference, and values: no more than is needed and not known from sampling.

        A single optimiser step without critic and penalty is its own old policy.
        """
        everyone = torch.arange(len(rollout.prompts))
        rollout.value_BT = rollout.sampled_value_BT
        if self.needs_old_scores() and self.old_scores_are_sampled():
            rollout.logp_BT = rollout.sampled_logp_BT
        elif self.needs_old_scores():
            rollout.logp_BT = torch.zeros_like(rollout.sampled_logp_BT)
            rollout.value_BT = torch.zeros_like(rollout.sampled_value_BT)
            with self.policy.merged(learning=True):
                for part, scores in self.forward_passes(rollout, everyone):
                    rollout.logp_BT[part.rows, : part.width] = scores.logp_BT
                    if scores.value_BT is not None:
                        rollout.value_BT[part.rows, : part.width] = scores.value_BT
        logp_BT = rollout.sampled_logp_BT if rollout.logp_BT is None else rollout.logp_BT
        watched = self.watched_rows(rollout)
        rollout.ref_logp_BT, rollout.kl_BT = torch.zeros_like(logp_BT), torch.zeros_like(logp_BT)
        if len(watched):
            with self.policy.reference():
                for part, scores in self.forward_passes(rollout, watched):
                    rollout.ref_logp_BT[part.rows, : part.width] = scores.logp_BT
                    kl_BT = kl.k1(part.of(logp_BT), scores.logp_BT, part.is_used_BT)
                    rollout.kl_BT[part.rows, : part.width] = kl_BT
            # Of all ranks: they must agree on it, as a checkpoint holds one number and a penalty may be steered by it.
            self.kl_seen = float(self.sum_over_ranks(rollout.kl_BT[watched].sum(1).mean()) / self.trainer.world_size)
        if self.kl_seen is not None:
            self.log_step({"kl": self.kl_seen})

    def watched_rows(self, rollout: Rollout) -> Tensor:
        """The completions on which the KL to the reference is measured: all, or to log it one per prompt every N steps."""
        everyone = torch.arange(len(rollout.prompts))
        if self.kl_beta > 0:
            return everyone
        every = self.recipe.algorithm.kl.watch_every
        return everyone[:: rollout.group_size] if every and self.steps_done % every == 0 else everyone[:0]

    def needs_old_scores(self) -> bool:
        """Whether anything is computed from the policy's scores before the update."""
        settings = self.recipe.algorithm
        return settings.epochs * settings.minibatches > 1 or self.kl_beta > 0 or self.policy.value_head is not None

    def old_scores_are_sampled(self) -> bool:
        """Whether the numbers that the sampler computed on its way serve as the policy's scores before the update."""
        chosen = self.recipe.algorithm.old_scores
        is_exact = self.recipe.rollout.engine == "native" and self.policy.samples_as_it_scores
        return chosen == "sampler" or (chosen == "auto" and is_exact)

    def value_steps(self, rollout: Rollout) -> StepValues:
        """Monte Carlo values of the states before the reasoning steps of every completion."""
        settings = self.recipe.algorithm

        if self.verifier_pool is None:
            raise UserError(
                f"algorithm.advantage={settings.advantage} asks for verdicts, and no callback has handed over a verifier; "
                "add the line `callbacks.verifier: {}` to the recipe"
            )
        return value_steps(
            self.policy,
            rollout,
            self.verifier_pool,
            partial(self.token_credit, rng=random.Random(self.step_seed("credit of continuations"))),
            splitter=resolve(SPLITTER, settings.vine.splitter),
            most_steps=settings.vine.steps,
            samples=settings.vine.rollouts,
            max_new_tokens=self.recipe.rollout.max_new_tokens,
            temperature=self.recipe.rollout.temperature,
            generator=torch.Generator(self.device).manual_seed(self.step_seed("continue")),
        )

    def compute_advantages(self, rollout: Rollout) -> None:
        """Token rewards and the penalty for leaving the reference become advantages and returns."""
        settings = self.recipe.algorithm
        self.log_step({"reward": rollout.mean_over_judged(rollout.total_reward_BT())})
        if settings.kl.form == "k1" and not self.spec.folds_kl:
            rollout.add_reward("kl", -self.kl_beta * rollout.kl_BT)
        is_mixed_B = has_mixed_outcomes(rollout.passed_B, rollout.is_credited_BT.any(1), rollout.group_size)
        self.log_step({"mixed_prompts": float(is_mixed_B.view(-1, rollout.group_size).any(1).float().mean())})
        if self.recipe.rollout.keep == "mixed":
            rollout.is_credited_BT = rollout.is_credited_BT & is_mixed_B[:, None]
        numbers = estimators.Settings(
            settings.gamma, settings.lam, settings.value_lam, self.kl_beta, self.sum_over_ranks
        )
        advantage_BT, rollout.return_BT = self.estimator(rollout.estimator_inputs(), numbers)
        rollout.advantage_BT = estimators.normalise(
            settings.normalise, advantage_BT, rollout.is_credited_BT, self.sum_over_ranks
        )

    def update(self, rollout: Rollout) -> None:
        """PPO: several passes over the experience, each in a few optimiser steps."""
        settings, skipped = self.recipe.algorithm, 0
        for epoch in range(settings.epochs):
            generator = torch.Generator().manual_seed(self.step_seed(f"shuffle {epoch}"))
            for number, rows in enumerate(minibatches(rollout, settings.minibatches, generator)):
                stats, is_taken = self.optimizer_step_on(rollout, rows)
                skipped += not is_taken
                if epoch == number == 0:  # nothing has moved yet: 0, or old and new do not come from one computation
                    self.log_step({f"{name}_first_minibatch": stats[name] for name in UNMOVED})
            if settings.stop_kl is not None and stats["approx_kl"] > settings.stop_kl:
                break
        self.log_step(stats | ({"skipped_steps": skipped} if has_loss_scale(self.trainer) else {}))

    def optimizer_step_on(self, rollout: Rollout, rows: Tensor) -> tuple[dict[str, float], bool]:
        """One step on these rows. The loss is a mean over their credited tokens on all ranks, however they are cut.

        Returns its statistics, and whether it was taken: with a loss scale it is skipped where a gradient overflows.
        """
        settings = self.recipe.algorithm
        weight_BT = torch.zeros_like(rollout.sampled_logp_BT, dtype=torch.float32)
        weight_BT[rows] = loss_weights(
            rollout.is_credited_BT[rows],
            settings.loss_mean or self.spec.loss_mean,
            max_length=self.recipe.rollout.max_new_tokens,
            stats_reduce=self.sum_over_ranks,
        )
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer) and isinstance(schedule, LambdaLR)
        optimizer.zero_grad()
        rows = self.rows_that_teach(rollout, rows)
        with self.policy.merged(learning=True):
            sums = self.gradients_from(rollout, rows, weight_BT)
        groups = {"policy": self.policy.adapter_parameters(), "value": self.policy.value_parameters()}
        norms = clipped_step(optimizer, groups, settings.max_grad_norm)
        if norms is not None:
            schedule.step()
        names = sorted(sums)
        values = self.sum_over_ranks(torch.tensor([sums[name] for name in names], dtype=torch.float64))
        totals = dict(zip(names, values.tolist(), strict=True))
        seen = max(1.0, float(totals.pop("tokens")))
        stats = {n: total if n.startswith("loss/") else total / seen for n, total in totals.items()}
        return (norms or {}) | stats, norms is not None

    def gradients_from(self, rollout: Rollout, rows: Tensor, weight_BT: Tensor) -> Counter[str]:
        """Gradient accumulation: add the gradients of these rows' loss, part by part. Returns the sums of what is logged.

        Args:
            weight_BT: of each token of the rollout in the step's mean loss.
        """
        settings = self.recipe.algorithm
        sums: Counter[str] = Counter()
        for part in micro_batches(
            rollout, rollout.is_credited_BT, rows, tokens_at_a_time(settings, self.device), self.most_over_ranks
        ):
            loss, part_sums = losses_of(
                settings,
                rollout,
                part,
                part.of(weight_BT),
                self.forward_pass(part, with_entropy=True),
                kl_beta=self.kl_beta,
                only_critic=self.steps_done < settings.value_warmup_steps,
            )
            # Strategies average gradients over ranks: times the world size it is the sum again.
            self.manual_backward(loss * self.trainer.world_size)
            sums.update({name: float(value) for name, value in part_sums.items()})
        return sums

    def rows_that_teach(self, rollout: Rollout, rows: Tensor) -> Tensor:
        """The rows whose loss has a gradient: without critic and entropy bonus, those with an advantage; at least one.

        All rows where there are several ranks: each must cut its rows into equally many parts, or they wait for ever.
        """
        settings = self.recipe.algorithm
        has_other_losses = self.policy.value_head is not None or settings.entropy_coef != 0
        has_other_losses |= has_kl_loss(settings, self.kl_beta)
        if has_other_losses or self.trainer.world_size > 1:
            return rows
        has_advantage = rollout.advantage_BT.ne(0).any(1).cpu()[rows]
        return rows[has_advantage] if has_advantage.any() else rows[:1]

    def forward_passes(self, rollout: Rollout, rows: Tensor) -> Iterator[tuple[Part, ActionScores]]:
        """Scores of all tokens of these rows, one micro-batch at a time."""
        tokens = tokens_at_a_time(self.recipe.algorithm, self.device)
        for part in micro_batches(rollout, rollout.is_action_BT, rows, tokens):
            yield part, self.forward_pass(part)

    def forward_pass(self, part: Part, *, with_entropy: bool = False) -> ActionScores:
        """One forward pass at the sampling temperature."""
        return score_actions(
            self.policy,
            part.ids_BS,
            part.is_real_BS,
            part.is_used_BT,
            temperature=self.recipe.rollout.temperature,
            with_entropy=with_entropy,
            detach_entropy=self.recipe.algorithm.entropy_coef == 0,
            with_value=self.policy.value_head is not None,
            detach_value=not self.recipe.algorithm.value_reaches_backbone,
        )

    # --- bookkeeping ------------------------------------------------------------------------------------------------

    def log_step(self, metrics: Mapping[str, float]) -> None:
        """Metrics of this step; at its end they are averaged over ranks and logged."""
        self.stats.update(metrics)

    def report(self, rollout: Rollout) -> None:
        """Log the step: every reward channel under its name, and the metrics given to ``log_step``."""
        for name, reward_BT in rollout.rewards.items():
            self.log_step({f"reward/{name}": rollout.mean_over_judged(reward_BT)})
        self.log_step(
            {
                "length": float(rollout.length_B.float().mean()),
                "truncated": 1 - float(rollout.is_finished_B.float().mean()),
                "credited": float(rollout.is_credited_BT.sum() / rollout.is_action_BT.sum()),
                "kl_beta": self.kl_beta,
                "lr": self.trainer.optimizers[0].param_groups[0]["lr"],
            }
        )
        on_bar = set(ON_BAR) - ({"mixed_prompts"} if self.recipe.rollout.keep == "all" else set())
        for name, value in self.stats.items():
            self.log(
                name,
                value,
                prog_bar=name in on_bar,
                sync_dist=True,
                batch_size=len(rollout.prompts),
                rank_zero_only=False,
            )

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Log the wall time of a stage as ``seconds/STAGE``, with what a GPU still has to do when the last call returns."""
        start = time.perf_counter()
        yield
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.log_step({f"seconds/{stage}": time.perf_counter() - start})

    def step_seed(self, purpose: str) -> int:
        """A seed that depends on nothing but the run's seed, the rank, the step and the purpose: no generator to save."""
        return zlib.crc32(f"{self.recipe.seed} {self.global_rank} {self.steps_done} {purpose}".encode())

    def sum_over_ranks(self, x: Tensor) -> Tensor:
        return self.trainer.strategy.reduce(x.to(self.device), reduce_op="sum")

    def most_over_ranks(self, n: int) -> int:
        return int(self.trainer.strategy.reduce(torch.tensor(n, device=self.device), reduce_op="max"))

    # --- Lightning --------------------------------------------------------------------------------------------------

    def configure_model(self) -> None:
        if not hasattr(self, "policy"):
            self.policy = load_policy(
                self.recipe.policy,
                with_value=self.spec.needs_values,
                with_critic=self.recipe.algorithm.critic == "adapter",
                device=self.trainer.strategy.root_device,
                seed=self.recipe.seed,
                half=torch.float16 if self.trainer.precision == "16-mixed" else torch.bfloat16,
                is_mixed=str(self.trainer.precision).endswith("-mixed"),
                stop=list(self.recipe.rollout.stop),
            )

        self.encode = PromptEncoder(self.recipe, self.policy.tokenizer, self.policy.encode_prompt)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        settings = self.recipe.algorithm
        can_fuse = "mixed" not in str(self.trainer.precision)
        optimizer = build_optimizer(self.policy.parameter_groups(), settings, can_fuse=can_fuse)
        batches = (self.trainer.max_epochs or 1) * self.trainer.num_training_batches
        schedule = build_schedule(optimizer, settings, batches * settings.epochs * settings.minibatches)
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint |= {name: getattr(self, name) for name in _STATE}
        checkpoint[ADAPTER_CONFIG] = adapter_config(self.policy.backbone)
        trained = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k in trained}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        for name in _STATE:
            setattr(self, name, checkpoint[name])
