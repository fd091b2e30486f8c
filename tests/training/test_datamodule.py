"""Training order, shards and resuming: against slices of a plainly built sequence, then under Lightning itself."""

import ast
import itertools
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning import LightningModule, Trainer
from lightning.pytorch.plugins.precision import DoublePrecision
from omegaconf import OmegaConf
from torch.utils.data import DataLoader

from rlsf_lightning.config.schema import Data, Recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import load_prompts
from rlsf_lightning.prompts.generated import Generated, Task
from rlsf_lightning.records import Prompt
from rlsf_lightning.training import datamodule as data_module
from rlsf_lightning.training.datamodule import Batch, Buffered, Permuted, PromptDataModule, Shard, endless_prompts

PROMPTS = [Prompt(str(number), f"name {number}") for number in range(23)]


def ids(prompts: Any) -> list[str]:
    return [prompt.id for prompt in prompts]


def take(count: int, items: Any) -> list[Any]:
    return list(itertools.islice(items, count))


class OpenPass:
    """A stream of so many prompts; a class so that it pickles."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self) -> Iterator[Prompt]:
        return iter(PROMPTS[: self.count])


def sequences(count: int, seed: int) -> list[Permuted | Buffered]:
    return [Permuted(PROMPTS[:count], seed), Buffered(OpenPass(count), seed, buffer_size=5)]


# --- the endless sequence ---------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(count=st.integers(1, 23), seed=st.integers(0, 2**32 - 1))
def test_each_pass_holds_every_prompt_once(count: int, seed: int) -> None:
    for sequence in sequences(count, seed):
        seen = ids(take(4 * count, sequence.since(0)))
        for start in range(0, 4 * count, count):
            assert sorted(seen[start : start + count]) == sorted(ids(PROMPTS[:count]))


@settings(deadline=None)
@given(count=st.integers(1, 23), seed=st.integers(0, 99), position=st.integers(0, 100))
def test_the_sequence_can_be_entered_anywhere(count: int, seed: int, position: int) -> None:
    for sequence in sequences(count, seed):
        straight = ids(take(position + 30, sequence.since(0)))
        assert ids(take(30, sequence.since(position))) == straight[position:]


def test_passes_and_seeds_differ_and_the_same_seed_repeats() -> None:
    for one, same, other in zip(sequences(23, 1), sequences(23, 1), sequences(23, 2), strict=True):
        first, second = ids(take(23, one.since(0))), ids(take(23, one.since(23)))
        assert len({tuple(first), tuple(second), tuple(ids(take(23, other.since(0)))), tuple(ids(PROMPTS))}) == 4
        assert ids(take(46, same.since(0))) == first + second


def test_a_stream_without_prompts_does_not_spin_for_ever() -> None:
    with pytest.raises(UserError, match="no prompts"):
        next(Buffered(OpenPass(0), 0).since(0))


# --- shards -----------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    count=st.integers(1, 23),
    batch_size=st.integers(1, 6),
    world=st.integers(1, 4),
    start=st.integers(0, 60),
    buffered=st.booleans(),
)
def test_ranks_share_the_sequence_without_gap_or_repeat(
    count: int, batch_size: int, world: int, start: int, buffered: bool
) -> None:
    sequence = sequences(count, 7)[buffered]
    steps = 5
    shards = [take(steps, iter(Shard(sequence, start, batch_size, rank, world))) for rank in range(world)]
    assert all(len(batch) == batch_size for shard in shards for batch in shard)
    dealt = [prompt for step in range(steps) for rank in range(world) for prompt in shards[rank][step]]
    expected = take(start + steps * world * batch_size, sequence.since(0))[start:]
    assert ids(dealt) == ids(expected)


@settings(deadline=None)
@given(batch_size=st.integers(1, 6), world=st.integers(1, 4), done=st.integers(0, 12), world_then=st.integers(1, 4))
def test_resuming_after_any_step_equals_the_straight_run(
    batch_size: int, world: int, done: int, world_then: int
) -> None:
    for sequence in sequences(17, 3):
        served = done * world * batch_size
        for rank in range(world):
            straight = take(done + 4, iter(Shard(sequence, 0, batch_size, rank, world)))
            assert take(4, iter(Shard(sequence, served, batch_size, rank, world))) == straight[done:]
        # On another number of ranks it is the same sequence from the same place.
        first = next(iter(Shard(sequence, served, batch_size, 0, world_then)))
        assert ids(first) == ids(take(batch_size, sequence.since(served)))


def assert_workers_change_nothing(sequence: Permuted | Buffered, context: str, rank: int) -> None:
    shard = Shard(sequence, 11, batch_size=3, rank=rank, world=2)
    loader = DataLoader(shard, batch_size=None, num_workers=2, multiprocessing_context=context)
    assert take(9, loader) == take(9, shard)


@pytest.mark.parametrize("rank", [0, 1])
def test_workers_change_nothing(rank: int) -> None:
    for sequence in sequences(23, 5):
        assert_workers_change_nothing(sequence, "fork", rank)


@pytest.mark.slow
def test_spawned_workers_change_nothing() -> None:
    assert_workers_change_nothing(sequences(23, 5)[0], "spawn", rank=1)


def test_shards_pickle(tmp_path: Path) -> None:
    sequence = Buffered(data_module._TrainSplit(a_recipe(tmp_path), None), 0)
    for shard in (Shard(sequence, 3, 2), Shard(sequences(23, 5)[0], 3, 2)):
        assert take(3, pickle.loads(pickle.dumps(shard))) == take(3, shard)


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_is_sized_indexed_and_iterable() -> None:
    batch = Batch(iter(PROMPTS[:3]))
    assert len(batch) == 3 and batch[1] is PROMPTS[1] and list(batch) == PROMPTS[:3]
    assert batch == Batch(PROMPTS[:3]) and batch != Batch(PROMPTS[:2]) and batch != PROMPTS[:3]


def test_lightning_leaves_a_batch_alone_where_it_would_refuse_a_list() -> None:
    batch = Batch(PROMPTS[:3])
    assert DoublePrecision().convert_input(batch) is batch
    with pytest.raises(ValueError, match="frozen dataclass"):
        DoublePrecision().convert_input(PROMPTS[:3])


# --- the data module --------------------------------------------------------------------------------------------------


def a_recipe(folder: Path, rows: int = 40, **rollout: int) -> Any:
    path = folder / "pairs.csv"
    path.write_text("prompt,reference\n" + "".join(f"name {n},answer {n}\n" for n in range(rows)))
    recipe = OmegaConf.structured(Recipe)
    recipe.data.path, recipe.verifier.name = str(path), "smiles"
    recipe.seed = 4
    recipe.rollout.batch_size = rollout.get("batch_size", 3)
    return recipe


class Recorder(LightningModule):
    """Writes down which prompts it was given; fails, or saves a checkpoint, after so many steps."""

    def __init__(self, save_after: int = -1, folder: Path | None = None, fail_in: int = -1) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.layer_norm = torch.nn.LayerNorm(1)
        self.steps: list[list[str]] = []
        self.save_after, self.folder, self.fail_in = save_after, folder, fail_in

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        if len(self.steps) == self.fail_in:
            assert self.folder is not None
            self.trainer.save_checkpoint(self.folder / "saved.ckpt")
            raise RuntimeError("stopped")
        self.steps.append(ids(batch))

    def on_train_batch_end(self, *args: Any) -> None:
        if len(self.steps) == self.save_after:
            assert self.folder is not None
            self.trainer.save_checkpoint(self.folder / "saved.ckpt")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(module: Recorder, datamodule: PromptDataModule, **options: Any) -> Trainer:
    checkpoint = options.pop("ckpt_path", None)
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        **{"max_epochs": 3, "limit_train_batches": 4} | options,
    )
    trainer.fit(module, datamodule, ckpt_path=checkpoint, weights_only=True)
    return trainer


def expected_steps(recipe: Any, count: int) -> list[list[str]]:
    prompts = take(count * 3, Permuted(list(load_prompts(recipe.data, "train")), 4).since(0))
    return [ids(prompts[i : i + 3]) for i in range(0, count * 3, 3)]


def test_lightning_epochs_go_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path)
    module, datamodule = Recorder(), PromptDataModule(recipe)
    fit(module, datamodule)
    assert module.steps == expected_steps(recipe, 12)
    assert datamodule.prompts_served == 36
    # Without a shuffle the first pass would be in the file's order.
    assert list(itertools.chain(*module.steps))[:20] != ids(take(20, load_prompts(recipe.data, "train")))


@pytest.mark.parametrize("saved_after, workers", [(1, 0), (4, 0), (6, 0), (11, 0), (6, 2)])
def test_resumed_run_sees_what_the_straight_run_would_have_seen(tmp_path: Path, saved_after: int, workers: int) -> None:
    recipe = a_recipe(tmp_path)
    recipe.data.workers = workers
    straight = Recorder(save_after=saved_after, folder=tmp_path)
    fit(straight, PromptDataModule(recipe))
    resumed = Recorder()
    datamodule = PromptDataModule(recipe)
    fit(resumed, datamodule, ckpt_path=tmp_path / "saved.ckpt")
    assert straight.steps == expected_steps(recipe, 12)
    assert resumed.steps == straight.steps[saved_after:]
    assert datamodule.prompts_served == 36


def test_the_batch_of_a_failed_step_is_served_again(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path)
    with pytest.raises(RuntimeError, match="stopped"):
        fit(Recorder(fail_in=5, folder=tmp_path), PromptDataModule(recipe))
    resumed = Recorder()
    fit(resumed, PromptDataModule(recipe), ckpt_path=tmp_path / "saved.ckpt")
    assert resumed.steps[0] == expected_steps(recipe, 12)[5]


def test_one_data_module_serves_several_trainers_in_turn(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path)
    datamodule = PromptDataModule(recipe)
    first, second = Recorder(), Recorder()
    fit(first, datamodule, max_epochs=1)
    fit(second, datamodule, max_epochs=1)
    assert first.steps + second.steps == expected_steps(recipe, 8)


def test_longer_sources_are_streamed_by_one_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = a_recipe(tmp_path)
    train = ids(load_prompts(recipe.data, "train"))
    monkeypatch.setattr(data_module, "IN_MEMORY", len(train) + 1)
    assert isinstance(endless_prompts(recipe), Permuted)
    monkeypatch.setattr(data_module, "IN_MEMORY", len(train))
    assert isinstance(endless_prompts(recipe), Buffered)
    recipe.data.workers = 2
    module = Recorder()
    fit(module, PromptDataModule(recipe), max_epochs=4)
    served = list(itertools.chain(*module.steps))
    assert sorted(served[: len(train)]) == sorted(train)


def test_made_prompts_are_entered_where_training_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = a_recipe(tmp_path)
    made = Generated("sums", lambda rng: Task(f"{rng.randrange(10**6)}"), "train")
    monkeypatch.setattr(data_module, "generated_prompts", lambda recipe, split: made)
    sequence = endless_prompts(recipe)
    assert ids(take(5, sequence.since(1000))) == ids(take(5, made.since(1000, recipe.seed)))


def test_hub_data_sets_are_streamed_without_reading_ahead() -> None:
    recipe = OmegaConf.structured(Recipe(data=Data(path="hf://owner/name")))
    assert isinstance(endless_prompts(recipe), Buffered)


def test_empty_train_split_is_an_error(tmp_path: Path) -> None:
    # SHA-256 of "file CO" is fbaa...: its one molecule is in the test split.
    recipe = a_recipe(tmp_path)
    Path(recipe.data.path).write_text("prompt,reference\nmethanol,CO\n")
    with pytest.raises(UserError, match=r"the train split of .*pairs\.csv has no prompts"):
        PromptDataModule(recipe).train_dataloader()


def test_loading_draws_no_random_number_of_the_run(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path)
    for workers in (0, 1):
        recipe.data.workers = workers
        before = torch.get_rng_state()
        take(3, PromptDataModule(recipe).train_dataloader())
        assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_two_processes_share_the_prompts(tmp_path: Path) -> None:
    script = """
        import os, sys
        from pathlib import Path
        sys.path[:0] = [{tests!r}, {root!r}]
        from test_datamodule import Recorder, a_recipe, fit
        from rlsf_lightning.training.datamodule import PromptDataModule

        folder = Path({folder!r})
        module, datamodule = Recorder(), PromptDataModule(a_recipe(folder))
        trainer = fit(module, datamodule, devices=2, strategy="ddp_find_unused_parameters_true")
        assert datamodule.prompts_served == 72, datamodule.prompts_served
        (folder / f"rank{{trainer.global_rank}}").write_text(repr(module.steps))
    """
    root = Path(__file__).parents[2]
    values = {"tests": str(root / "tests" / "training"), "root": str(root), "folder": str(tmp_path)}
    (tmp_path / "two.py").write_text(textwrap.dedent(script).format(**values))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "two.py")],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    ranks = [ast.literal_eval((tmp_path / f"rank{rank}").read_text()) for rank in (0, 1)]
    recipe = a_recipe(tmp_path)
    assert [ranks[rank][step] for step in range(12) for rank in (0, 1)] == expected_steps(recipe, 24)
