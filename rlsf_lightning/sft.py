"""Supervised warm start: teach a policy the task from known answers, before reinforcement learning.

    python -m rlsf_lightning.sft recipe=chem_iupac
    python -m rlsf_lightning.sft recipe=chem_iupac sft.architecture=null policy.name=DIR sft.epochs=1

With sft.architecture a new model of that shape and its tokenizer are made and trained from random weights; without it
policy.name is fine-tuned. Written to RUN_DIR/model: a Hugging Face folder that policy.name takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from rlsf_lightning.config import cli
from rlsf_lightning.errors import UserError

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.records import Prompt

#: Prompts of an endless source where sft.limit is null.
FROM_ENDLESS = 50_000


def run(recipe: Recipe, options: None = None) -> None:
    from rlsf_lightning.prompts import check_source, split_key_of

    check_source(recipe.data, split_key_of(recipe))
    if recipe.sft.architecture is None:
        from rlsf_lightning.evaluation.lengths import encoder_of
        from rlsf_lightning.policy.preflight import check_policy

        check_policy(recipe.policy)
        encoder_of(recipe)  # raises where the tokenizer does not suit the data block
    elif recipe.data.chat == "true":
        raise UserError(
            "data.chat=true: the tokenizer of a new architecture has no chat template; write data.chat=auto"
        )

    from rlsf_lightning.training.supervised import check_architecture, group_by_answer

    if recipe.sft.architecture is not None:
        check_architecture(recipe.sft)

    prompts = chain.from_iterable(_prompts(recipe, split) for split in recipe.sft.splits)
    items = group_by_answer(prompt for prompt in prompts if prompt.reference is not None)
    if not items:
        raise UserError(f"no prompt with a known answer in the splits {list(recipe.sft.splits)}; set sft.splits=[...]")
    train(recipe, items)


def _prompts(recipe: Recipe, split: str) -> Iterator[Prompt]:
    from rlsf_lightning.prompts import generated_prompts, recipe_prompts

    generated = generated_prompts(recipe, split)
    is_endless = generated is not None and generated.is_endless
    limit = FROM_ENDLESS if is_endless and recipe.sft.limit is None else recipe.sft.limit
    return islice(recipe_prompts(recipe, split, all_phrasings=True), limit)


def train(recipe: Recipe, items: list) -> None:
    """Train on ``items`` (each the prompts of one answer) and write ``RUN_DIR/model``."""
    from lightning import seed_everything
    from torch.utils.data import DataLoader

    from rlsf_lightning.training import supervised
    from rlsf_lightning.training.loggers import build_loggers
    from rlsf_lightning.training.memory_estimate import limit_threads
    from rlsf_lightning.training.progress_bar import BarOrLines
    from rlsf_lightning.training.run.checkpoints import EpochCheckpoints
    from rlsf_lightning.training.run.endings import told_in_a_line
    from rlsf_lightning.training.run.ranks import join_run, start_run
    from rlsf_lightning.training.trainer import build_trainer

    limit_threads()
    seed_everything(recipe.seed, verbose=False)
    # A run's length is sft.epochs or sft.minutes: the recipe's trainer.* lengths are those of reinforcement learning.
    trainer = build_trainer(
        {name: value for name, value in recipe.trainer.items() if name not in ("max_epochs", "limit_train_batches")},
        callbacks=[BarOrLines(), EpochCheckpoints(recipe.checkpoint)],
        max_epochs=-1 if recipe.sft.minutes is not None else recipe.sft.epochs,
    )
    found = join_run(trainer, recipe, prefix="sft-")
    trainer.loggers = build_loggers(recipe.logger, found.folder, found.first_step)
    start_run(trainer, recipe, found)
    model, tokenizer = supervised.model_and_tokenizer(recipe, items)
    pairs = supervised.encode(recipe, tokenizer, items)
    data = supervised.Pairs(pairs, recipe.sft.batch_size, recipe.sft.synonyms, recipe.seed)
    tokens = sum(len(prompt) + len(answer) for names in pairs for prompt, answer in names[:1]) / len(pairs)
    print(
        f"{len(pairs)} items of {tokens:.1f} tokens, {model.num_parameters() / 1e6:.2f} M parameters", file=sys.stderr
    )
    data.epoch = found.first_epoch
    module = supervised.SupervisedModule(
        model, recipe.sft, recipe.sft.epochs * data.batches_an_epoch(), str(found.folder)
    )
    loader = DataLoader(data, batch_size=None, collate_fn=supervised.collate)
    with told_in_a_line(trainer, found):
        trainer.fit(module, loader, ckpt_path=found.checkpoint, weights_only=True)
    if trainer.is_global_zero:
        folder = found.folder / "model"
        model.bfloat16().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        print(f"written to {folder}: use it with policy.name={folder}")


def main(argv: Sequence[str] | None = None) -> None:
    """The command; ``argv`` defaults to the process's arguments."""
    cli.main(__doc__, run, argv=argv)


if __name__ == "__main__":
    main()
