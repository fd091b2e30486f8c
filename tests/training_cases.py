"""What tests of training share: callbacks that reward without a tool, and a run of a few steps."""

import torch
from lightning import Trainer

from rlsf_lightning.config.extension_points import CREDIT
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.credit import assign
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.training.datamodule import PromptDataModule
from rlsf_lightning.training.hooks import RLSFCallback
from rlsf_lightning.training.loggers import RunCSVLogger
from rlsf_lightning.training.module import RLSFModule


class LikesShort(RLSFCallback):
    """+1 on the last token of a completion that ends by itself, -1 on the last token of any other."""

    def on_rewards_due(self, trainer, module, rollout):
        reward_BT = torch.zeros(rollout.is_action_BT.shape)
        last_B = rollout.length_B.cpu() - 1
        reward_BT[torch.arange(len(last_B)), last_B] = torch.where(rollout.is_finished_B.cpu(), 1.0, -1.0)
        rollout.add_reward("short", reward_BT)


class Keeps(RLSFCallback):
    """Keeps what a test wants to look at."""

    def __init__(self):
        self.rollouts, self.stats = [], []

    def on_advantages_ready(self, trainer, module, rollout):
        self.rollouts.append(rollout)

    def on_update_end(self, trainer, module, stats):
        self.stats.append(dict(stats))


def fit(recipe, run_dir, *callbacks, steps=2, epochs=1, **trainer):
    module = RLSFModule(recipe, run_dir=str(run_dir))
    made = Trainer(
        max_epochs=epochs,
        limit_train_batches=steps,
        accelerator=trainer.pop("accelerator", "cpu"),
        logger=RunCSVLogger(run_dir, trainer.pop("first_step", 0)),
        callbacks=list(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        default_root_dir=run_dir,
        **{key: value for key, value in trainer.items() if key != "ckpt_path"},
    )
    made.fit(module, PromptDataModule(recipe), ckpt_path=trainer.get("ckpt_path"))
    return module


def parameters(module):
    return torch.cat([p.detach().flatten() for p in module.policy.adapter_parameters()])


def certificate_of(text: str) -> Certificate:
    """PASS for a text of even length; the first character is what is wrong with any other."""
    if len(text) % 2 == 0:
        return Certificate(Verdict.PASS, score=1.0)
    return Certificate(Verdict.FAIL, (Finding("odd", "odd", (Span(0, 1),)),), dead_from=0)


class LikesEvenLength(RLSFCallback):
    """A verifier without workers, and a policy that ends often: every fifth token ends a completion."""

    kinds = frozenset({"odd"})

    def __init__(self, scheme="viable_prefix"):
        self.scheme = resolve(CREDIT, scheme)

    def verify(self, prompt, completion):
        return certificate_of(completion)

    def setup(self, trainer, module, stage):
        module.verifier_pool = VerifierPool.of(self)

    def on_train_start(self, trainer, module):
        module.policy.eos_token_ids = list(range(0, module.policy.vocabulary_size, 5))

    def on_rewards_due(self, trainer, module, rollout):
        rollout.certificates = [certificate_of(text) for text in rollout.completions]
        reward_BT = torch.zeros(rollout.is_action_BT.shape)
        for row, certificate in enumerate(rollout.certificates):
            spans, ended = rollout.spans[row], bool(rollout.is_finished_B[row])
            rewards = assign(certificate, spans, scheme=self.scheme, is_finished=ended).rewards
            reward_BT[row, : len(spans)] = torch.tensor(rewards)
        rollout.add_reward("verifier", reward_BT)
