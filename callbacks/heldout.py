"""Measures the policy on held-out prompts before and after training, prints the table and writes ``summary.json``.

Which prompts, and how many samples of each: the recipe's ``evaluation`` block. With ``evaluation.every_epochs`` the
validation split is measured during training too (``validation/...`` in the metrics). Every rank takes its share.
"""

import json
import sys
import time
from pathlib import Path

import torch

from rlsf_lightning.errors import UserError
from rlsf_lightning.evaluation.metrics import suite_for
from rlsf_lightning.evaluation.policy_report import evaluate_policy, progress_on_stderr
from rlsf_lightning.evaluation.report import Report, compare, table
from rlsf_lightning.prompts import recipe_prompts
from rlsf_lightning.prompts.lengths import PromptLengths, fitting
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.loader import find_verifier
from rlsf_lightning.training.datamodule import say_once
from rlsf_lightning.training.hooks import RLSFCallback
from rlsf_lightning.training.run.folder import SUMMARY_FILE
from rlsf_lightning.training.run.writing import write_json

BEFORE_FILE = "before.json"


class HeldOut(RLSFCallback):
    """Before: when training starts (a resumed run reads what the first start measured). After: when it ends.

    The end is that of the last epoch, before its checkpoint is written: a run that is killed while it is measured trains
    its last epoch again and measures again. Lightning calls nothing in a run that has no epoch left.
    """

    writes_rewards = False

    def check_recipe(self, recipe) -> None:
        for key, split in self.splits(recipe).items():
            try:
                next(recipe_prompts(recipe, split), None)
            except UserError as error:
                raise UserError(f"{key}={split}: {error}") from None

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        return ("validation/*",) if recipe.evaluation.every_epochs else ()

    @staticmethod
    def splits(recipe) -> dict[str, str]:
        """The splits that are measured, by the key that asks for them."""
        settings = recipe.evaluation
        asked = {} if settings.split is None else {"evaluation.split": settings.split}
        return asked | ({"evaluation.every_epochs": "validation"} if settings.every_epochs else {})

    def on_train_start(self, trainer, module) -> None:
        self.started, self.is_measured = time.time(), False
        settings = module.recipe.evaluation
        if settings.split is None:
            return
        self.prompts = self.read(module, settings.split, settings.limit)
        if not self.prompts:
            self.say(trainer, f"no prompt in the split {settings.split}: no table; evaluation.split=null skips this")
            return
        path = Path(module.run_dir) / BEFORE_FILE
        saved = json.loads(path.read_text(encoding="utf-8")) if path.exists() and module.steps_done else None
        if saved is None or saved["prompt_ids"] != [p.id for p in self.prompts]:
            report = self.measure(trainer, module, self.prompts, settings.samples, "before: ")
            saved = report.to_saved()
            if trainer.is_global_zero:
                write_json(path, saved)
                self.warn_if_untaught(module.recipe, report)
        self.before = saved

    def on_train_epoch_end(self, trainer, module) -> None:
        every, epoch = module.recipe.evaluation.every_epochs, trainer.current_epoch + 1
        if every and epoch % every == 0:
            self.validate(trainer, module)
        if epoch == trainer.max_epochs:
            self.conclude(trainer, module)

    def on_train_end(self, trainer, module) -> None:
        if not self.is_measured:  # stopped before its last epoch
            self.conclude(trainer, module)

    def validate(self, trainer, module) -> None:
        settings = module.recipe.evaluation
        prompts = self.read(module, "validation", settings.validation_limit)
        if prompts:
            report = self.measure(trainer, module, prompts, settings.samples, "validation: ")
            for name, found in report.metrics.items():
                module.log(f"validation/{name}", found.value, rank_zero_only=False, sync_dist=True)

    @staticmethod
    def read(module, split: str, limit: int) -> list:
        """The prompts of a split that are measured: those for which the model's context has room."""
        recipe = module.recipe
        lengths = PromptLengths(module.encode, module.policy.context_length, recipe.rollout.max_new_tokens)
        prompts = recipe_prompts(recipe, split, limit=limit)
        kept, line = fitting(lengths, prompts, recipe.data.too_long, f"the split {split}")
        say_once(line)
        return kept

    def conclude(self, trainer, module) -> None:
        self.is_measured = True
        summary = {
            "recipe": module.recipe.recipe,
            "steps": module.steps_done,
            "seconds": round(time.time() - self.started, 1),
        }
        if getattr(self, "before", None):
            after = self.measure(trainer, module, self.prompts, module.recipe.evaluation.samples, "after: ")
            before = Report.from_saved(self.before, like=after)
            self.say(
                trainer, f"\n{module.recipe.evaluation.split} split, before and after training\n{table(before, after)}"
            )
            changes = {name: change.to_dict() for name, change in compare(before, after).items()}
            measured = {
                "before": before.to_dict()["metrics"],
                "after": after.to_dict()["metrics"],
                "difference": changes,
            }
            summary |= {"split": module.recipe.evaluation.split, "n": after.n} | measured
        if trainer.is_global_zero:
            write_json(Path(module.run_dir) / SUMMARY_FILE, summary)
            self.say(trainer, f"written to {module.run_dir}")

    def measure(self, trainer, module, prompts: list, samples: int, label: str) -> Report:
        """The report on all prompts; each rank measures every world_size-th and all ranks put them together."""
        recipe = module.recipe
        mine = prompts[trainer.global_rank :: trainer.world_size]
        report = None
        if mine:
            with torch.no_grad(), VerifierPool.from_recipe(recipe) as pool:
                report = evaluate_policy(
                    module.policy,
                    mine,
                    pool,
                    encode=module.encode,
                    max_new_tokens=recipe.rollout.max_new_tokens,
                    samples=samples,
                    batch_size=recipe.evaluation.batch_size,
                    seed=recipe.seed + trainer.global_rank,
                    metrics=recipe.evaluation.metrics,
                    progress=progress_on_stderr(label) if trainer.is_global_zero else None,
                )
        reports = [report]
        if trainer.world_size > 1:
            reports = [None] * trainer.world_size
            torch.distributed.all_gather_object(reports, report)
        return Report.joined([found for found in reports if found is not None], [p.id for p in prompts])

    @staticmethod
    def warn_if_untaught(recipe, report: Report) -> None:
        """Tell of a policy that gets nothing right before training: it has nothing to start from."""
        suite = suite_for(find_verifier(recipe.verifier.name), recipe.evaluation.metrics)
        values = {name: found.value for name, found in report.metrics.items()}
        is_right = any(values.get(name, 0.0) != 0 for name in (suite.success, f"sampled_{suite.success}"))
        if is_right or values.get("abstained") == 1:  # without verdicts nothing is known of the policy
            return
        samples = f" or in {recipe.evaluation.samples} samples each" if recipe.evaluation.samples else ""
        known = "; it was taught IUPAC name -> SMILES alone" if recipe.policy.name == "embedded" else ""
        print(
            f"warning: before training the policy has no right answer to any of {report.n} prompts, greedy{samples}: was it "
            f"ever taught this task? (policy.name={recipe.policy.name}{known}) Reinforcement learning needs some right answers "
            f"to start from: warm it up on known ones (python -m rlsf_lightning.sft recipe={recipe.recipe}), or take another "
            "policy.name",
            file=sys.stderr,
            flush=True,
        )

    @staticmethod
    def say(trainer, text: str) -> None:
        if trainer.is_global_zero:
            print(text, file=sys.stderr if text.startswith("no prompt") else sys.stdout, flush=True)
