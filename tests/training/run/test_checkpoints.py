"""When checkpoints are written, which of them a run goes on from, and that a run that is stopped equals the straight one."""

from __future__ import annotations

import csv
import errno
import os
import signal

import pytest
import torch
from lightning import Callback
from training_cases import LikesShort, fit, parameters

from rlsf_lightning.config.schema import Checkpoint
from rlsf_lightning.errors import Stopped
from rlsf_lightning.training.run.checkpoints import AtomicCheckpointIO, RunCheckpoints, newest_first
from rlsf_lightning.training.run.folder import find_run


class Asks(Callback):
    """Sends a signal to its own process inside step ``step``."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if pl_module.steps_done == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


def names(folder):
    return [path.name for path in newest_first(folder / "checkpoints")]


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if not k.startswith("seconds/")} for row in csv.DictReader(file)]


@pytest.fixture
def handlers():
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.mark.usefixtures("handlers")
def test_every_so_many_steps_before_the_last_of_an_epoch_and_at_its_end(make_recipe, tmp_path):
    fit(make_recipe(), tmp_path, LikesShort(), RunCheckpoints(Checkpoint(every_n_steps=2, keep=9)), steps=5)
    assert names(tmp_path) == [f"step-{n:06d}.ckpt" for n in (5, 4, 2)]
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.usefixtures("handlers")
def test_the_oldest_go_but_not_those_of_others(make_recipe, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.ckpt").write_bytes(b"")
    fit(make_recipe(), tmp_path, LikesShort(), RunCheckpoints(Checkpoint(every_n_steps=1, keep=2)), steps=4)
    assert names(tmp_path) == ["step-000004.ckpt", "step-000003.ckpt", "best.ckpt"]


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(("step", "kept"), [(1, 1), (2, 2), (4, 3)])
def test_a_run_that_is_stopped_goes_on_as_the_straight_one(make_recipe, tmp_path, step, kept):
    recipe, settings = make_recipe("algorithm.epochs=2"), Checkpoint(every_n_steps=10)
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    whole = fit(recipe, straight, LikesShort(), RunCheckpoints(settings), steps=4)
    with pytest.raises(Stopped) as ended:
        fit(recipe, stopped, LikesShort(), Asks(step), RunCheckpoints(settings), steps=4)
    assert ended.value.code == 143 and names(stopped)[0] == f"step-{kept:06d}.ckpt"
    newest = next(newest_first(stopped / "checkpoints"))
    again = fit(recipe, stopped, LikesShort(), RunCheckpoints(settings), steps=4, ckpt_path=newest, first_step=kept)
    assert torch.equal(parameters(whole), parameters(again)) and rows(straight) == rows(stopped)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(("write", "kept"), [(1, 3), (2, 3)])  # before the last step of the epoch, and at its end
def test_a_signal_that_meets_a_checkpoint_being_written_waits_for_its_end(
    make_recipe, tmp_path, monkeypatch, write, kept
):
    save, whole = torch.save, []

    def interrupted(*arguments):
        if len(whole) + 1 == write:
            os.kill(os.getpid(), signal.SIGTERM)
        save(*arguments)
        whole.append(arguments)

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(Stopped) as ended:
        fit(make_recipe(), tmp_path, LikesShort(), RunCheckpoints(Checkpoint(every_n_steps=10)), steps=4)
    assert ended.value.code == 143 and len(whole) == write
    assert names(tmp_path) == [f"step-{kept:06d}.ckpt"] and not list(tmp_path.rglob("*.partial"))


@pytest.mark.usefixtures("handlers")
def test_a_damaged_checkpoint_is_skipped_and_told(make_recipe, tmp_path):
    recipe = make_recipe()
    fit(recipe, tmp_path / "run", LikesShort(), RunCheckpoints(Checkpoint(every_n_steps=1)), steps=3)
    newest, before, *_ = newest_first(tmp_path / "run" / "checkpoints")
    os.truncate(newest, newest.stat().st_size // 2)
    recipe.run_dir, recipe.resume = str(tmp_path / "run"), "auto"
    found = find_run(recipe)
    assert (found.checkpoint, found.first_step) == (before, 2)
    assert found.notes[0].split(" ")[:3] == [str(newest), "is", "damaged:"]
    assert found.notes[-1] == f"goes on from {before} (2 steps are done)"


def test_a_checkpoint_that_fails_leaves_the_old_one_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "a.ckpt"
    AtomicCheckpointIO().save_checkpoint({"n": 1}, target)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        AtomicCheckpointIO().save_checkpoint({"n": 2}, target)
    assert torch.load(target, weights_only=True) == {"n": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]
