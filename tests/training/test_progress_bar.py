"""Progress in a log, on a terminal, and switched off."""

import sys

import pytest
from lightning import Callback, Trainer
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.demos.boring_classes import BoringModel

from callbacks.progress import Progress
from rlsf_lightning.training import progress_bar
from rlsf_lightning.training.progress_bar import BarOrLines, progress_line, with_progress


class Logs(BoringModel):
    def training_step(self, batch, batch_idx):
        self.log_dict({"reward": -0.25, "length": 7.0}, prog_bar=True)
        return super().training_step(batch, batch_idx)


def train(folder, bar, epochs=2, batches=3):
    Trainer(
        max_epochs=epochs,
        limit_train_batches=batches,
        limit_val_batches=0,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=[bar],
        default_root_dir=folder,
    ).fit(Logs())


def test_a_log_has_lines_and_no_carriage_returns(tmp_path, capfd):
    train(tmp_path, BarOrLines())
    out = capfd.readouterr().out
    assert "\r" not in out
    assert [line for line in out.splitlines() if line.startswith("epoch")] == [
        "epoch 0, step 1 of 3: reward -0.25, length 7",
        "epoch 0, step 3 of 3: reward -0.25, length 7",
        "epoch 1, step 3 of 3: reward -0.25, length 7",
    ]


def test_a_bar_is_good_for_a_second_run(tmp_path, capfd):
    bar = BarOrLines()
    train(tmp_path, bar, epochs=1)
    first = capfd.readouterr().out
    train(tmp_path, bar, epochs=1)
    assert capfd.readouterr().out == first


def test_a_line_every_so_many_seconds(tmp_path, capfd, monkeypatch):
    clock = iter(range(0, 100, 4))
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: next(clock))
    train(tmp_path, Progress(), epochs=1, batches=8)
    steps = [line.partition(":")[0] for line in capfd.readouterr().out.splitlines() if line.startswith("epoch")]
    assert steps == [f"epoch 0, step {step} of 8" for step in (1, 4, 7, 8)]


@pytest.mark.parametrize("kind", ["terminal", "notebook"])
def test_a_terminal_has_the_bar(tmp_path, capfd, monkeypatch, kind):
    if kind == "terminal":
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    else:
        monkeypatch.setattr(sys, "ps1", "In [1]: ", raising=False)
    train(tmp_path, Progress(), epochs=1)
    out = capfd.readouterr().out
    assert "\r" in out and "3/3" in out and "reward=-0.25" in out and "length" not in out


def test_a_line():
    assert (
        progress_line(2, 3, 10, {"reward": -0.25, "kl": 0.031249}) == "epoch 2, step 3 of 10: reward -0.25, kl 0.03125"
    )
    assert progress_line(0, 1, float("inf"), {"v_num": "x"}) == "epoch 0, step 1: v_num x"
    assert progress_line(0, 1, 1, {}) == "epoch 0, step 1 of 1"


@pytest.mark.parametrize(
    ("settings", "has_bar"),
    [({}, True), ({"enable_progress_bar": True}, True), ({"enable_progress_bar": False}, False)],
)
def test_one_key_switches_the_bar_off(settings, has_bar, tmp_path):
    other = Callback()
    chosen = with_progress([other, Progress()], settings)
    assert chosen["enable_progress_bar"] is has_bar and other in chosen["callbacks"]
    assert any(isinstance(callback, ProgressBar) for callback in chosen["callbacks"]) is has_bar
    assert with_progress([other], settings) == {"callbacks": [other], "enable_progress_bar": False}
    trainer = Trainer(**{**settings, **chosen}, accelerator="cpu", logger=False, default_root_dir=tmp_path)
    assert (trainer.progress_bar_callback is not None) is has_bar
