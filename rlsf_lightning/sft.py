"""Supervised warm start: teach a policy the task from known answers, before reinforcement learning.

    python -m rlsf_lightning.sft recipe=chem_iupac
    python -m rlsf_lightning.sft recipe=chem_iupac sft.architecture=null policy.name=DIR trainer.max_epochs=1

With sft.architecture a new model of that shape and its tokenizer are made and trained from random weights; without it
policy.name is fine-tuned. Written to RUN_DIR/model: a Hugging Face folder that policy.name takes.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rlsf_lightning import cli

if TYPE_CHECKING:
    from rlsf_lightning.schema import Recipe


def run(recipe: Recipe, options: None = None) -> None:
    from rlsf_lightning.prompts import check_source, load_prompts

    check_source(recipe.data)
    if recipe.sft.architecture is None:
        from rlsf_lightning.policy.load import check_policy

        check_policy(recipe.policy)

    from rlsf_lightning.supervised import group_names

    prompts = chain.from_iterable(load_prompts(recipe.data, s, all_names=True) for s in recipe.sft.splits)
    items = group_names(prompt for prompt in prompts if prompt.reference is not None)
    if not items:
        raise cli.UserError(f"no prompt with a known answer in the splits {list(recipe.sft.splits)}; set sft.splits")
    train(recipe, items, cli.open_run(recipe))


def train(recipe: Recipe, items: list, run_dir: Path) -> None:
    """Train on ``items`` (each the prompts of one answer) and write ``run_dir/model``."""
    import torch
    from lightning import Trainer, seed_everything
    from lightning.pytorch.callbacks import ModelCheckpoint
    from torch.utils.data import DataLoader

    from rlsf_lightning import supervised
    from rlsf_lightning.loggers import build_loggers

    seed_everything(recipe.seed, verbose=False)
    model, tokenizer = supervised.model_and_tokenizer(recipe, items)
    pairs = supervised.encode(tokenizer, items, recipe.data.template)
    data = supervised.Pairs(pairs, recipe.sft.batch_size, recipe.sft.synonyms, recipe.seed)
    tokens = sum(len(prompt) + len(answer) for names in pairs for prompt, answer in names[:1]) / len(pairs)
    print(f"{len(pairs)} items, {tokens:.1f} tokens each, {model.num_parameters() / 1e6:.2f} M parameters", flush=True)
    trainer = Trainer(
        **dict(recipe.trainer) | {"limit_train_batches": None},
        logger=build_loggers(recipe, run_dir),
        callbacks=[ModelCheckpoint(run_dir / "checkpoints", save_last=True)],
        enable_model_summary=False,
    )
    steps = trainer.max_epochs * data.batches_an_epoch() if trainer.max_epochs > 0 else 0
    module = supervised.SupervisedModule(model, recipe.sft, steps)
    loader = DataLoader(data, batch_size=None, collate_fn=supervised.collate)
    trainer.fit(module, loader, ckpt_path=cli.checkpoint_to_resume(recipe, run_dir))
    if trainer.is_global_zero:
        model.to(torch.bfloat16).save_pretrained(run_dir / "model")
        tokenizer.save_pretrained(run_dir / "model")
        print(f"policy.name={run_dir / 'model'}")


if __name__ == "__main__":
    cli.main(__doc__, run)
