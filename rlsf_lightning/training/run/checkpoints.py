"""Checkpoints of a run: when they are written, how, and which of them a run goes on from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins.environments import SLURMEnvironment
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies.launchers.subprocess_script import _SubprocessScriptLauncher

from rlsf_lightning.config import schema
from rlsf_lightning.config.stop_signals import ASKING, StopSignals
from rlsf_lightning.errors import Stopped, stop_behind
from rlsf_lightning.policy.checkpoint import load_checkpoint
from rlsf_lightning.training.run.writing import PARTIAL, beside

FOLDER = "checkpoints"
ADAPTER = "adapter"
_NAME = re.compile(r"step-(\d+)\.ckpt")


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it: whoever is killed meanwhile leaves the one before it whole."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | os.PathLike, storage_options: Any = None) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside(target) as partial:
            with partial.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)


class EpochCheckpoints(Checkpoint):
    """Writes ``checkpoints/step-N.ckpt`` at the end of each epoch, and ends the run where a signal asks for it.

    The module says where and when: ``run_dir`` and ``steps_done``. A checkpoint takes its place when training goes on:
    loggers write a step's row after every callback was called, and a resumed run could not write it again.
    """

    def __init__(self, settings: schema.Checkpoint) -> None:
        self.settings = settings
        self.signals = StopSignals()
        self.requeue_signal: int | None = None
        self.waiting: Path | None = None  # a checkpoint that is written and not in its place

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        environment = getattr(trainer.strategy, "cluster_environment", None)
        if isinstance(environment, SLURMEnvironment) and environment.auto_requeue:
            self.requeue_signal = environment.requeue_signal
        more = () if self.requeue_signal is None else (self.requeue_signal,)
        self.signals = StopSignals((*ASKING, *more), is_told=trainer.is_global_zero)
        self.signals.install()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.signals.install()  # Lightning has put its own handlers in place since

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self.publish(trainer, pl_module)
        self.signals.in_step = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.stop_if_asked(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.signals.in_step = True  # torch.save makes an error of its own of what interrupts it
        self.write(trainer, pl_module)
        self.stop_if_asked(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.publish(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.publish(trainer, pl_module)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self.waiting is not None:
            self.waiting.unlink(missing_ok=True)
        stop = stop_behind(exception)
        if stop is not None and isinstance(trainer.strategy.launcher, _SubprocessScriptLauncher):
            trainer.strategy.launcher.kill(stop.signum)  # the further ranks, which this process has started

    def stop_if_asked(self, trainer: Trainer) -> None:
        """Signals no longer wait; end the run where one did. Called on all ranks."""
        signum = _agreed(trainer, self.signals.asked)
        self.signals.in_step = False
        if signum is not None:
            self.stop(trainer, signum)

    def stop(self, trainer: Trainer, signum: int) -> None:
        """End the run. Called on all ranks after the same step."""
        if signum == self.requeue_signal and trainer.is_global_zero:
            _requeue()
        raise Stopped(signum)

    def write(self, trainer: Trainer, module: Any) -> None:
        """Write a checkpoint beside its place. Called on all ranks.

        Raises:
            OSError: the disk is full; what was there before is whole.
        """
        name = f"step-{module.steps_done:06d}.ckpt"
        self.waiting = Path(module.run_dir) / FOLDER / f".{name}.{PARTIAL}"
        trainer.save_checkpoint(self.waiting, weights_only=False)

    def publish(self, trainer: Trainer, module: Any) -> None:
        """Move a checkpoint that waits to its place, and remove the oldest ones."""
        if self.waiting is None:
            return
        if trainer.is_global_zero:
            name = self.waiting.name.removeprefix(".").removesuffix(f".{PARTIAL}")
            self.waiting.replace(self.waiting.with_name(name))
            for old in list(newest_first(self.waiting.parent))[self.settings.keep :]:
                if _NAME.fullmatch(old.name):  # not what a ModelCheckpoint of the user's keeps
                    old.unlink(missing_ok=True)
        self.waiting = None


class RunCheckpoints(EpochCheckpoints):
    """Every ``every_n_steps`` steps too, and where a run is stopped; with each checkpoint the adapter, in ``adapter/``.

    An epoch's last step cannot be saved by itself: Lightning would not come back to the end of that epoch, where other
    callbacks measure. So the step before it is saved, and a run that is stopped in an epoch's last step drops that step.
    """

    stopped_by: int | None = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_start(trainer, pl_module, batch, batch_idx)
        if self.stopped_by is not None:
            self.stop(trainer, self.stopped_by)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.stopped_by = _agreed(trainer, self.signals.asked)
        left = trainer.num_training_batches - (batch_idx + 1)
        if left == 0 and self.stopped_by is not None:
            self.stop(trainer, self.stopped_by)
        is_due = self.stopped_by is not None or left == 1 or pl_module.steps_done % self.settings.every_n_steps == 0  # type: ignore[operator]
        if left > 0 and is_due:
            self.write(trainer, pl_module)
        self.signals.in_step = self.stopped_by is not None  # then the step ends where its checkpoint is in place

    def publish(self, trainer: Trainer, module: Any) -> None:
        if self.waiting is not None and trainer.is_global_zero:
            save_adapter(module.policy, Path(module.run_dir) / ADAPTER)
        super().publish(trainer, module)


def save_adapter(policy: Any, folder: Path) -> None:
    """``policy.save_adapter``, file by file beside its place and moved there."""
    with beside(folder) as partial:
        policy.save_adapter(partial)
        folder.mkdir(exist_ok=True)
        for file in partial.iterdir():
            file.replace(folder / file.name)


def newest_first(folder: Path) -> Iterator[Path]:
    """The folder's checkpoints, those with the most steps first; others, of the user's own callbacks, by their time."""

    def age(path: Path) -> tuple[int, float]:
        numbered = _NAME.fullmatch(path.name)
        return (int(numbered[1]) if numbered else -1, path.stat().st_mtime)

    yield from sorted(folder.glob("*.ckpt"), key=age, reverse=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, with nothing but tensors and plain values allowed in it.

    Raises:
        UserError: it cannot be read, or is none of a run.
    """
    advice = f"start from another one of {path.parent} with resume=PATH, or anew with resume=never"
    return load_checkpoint(path, ("state_dict", "steps_done", "epoch"), told=str(path), advice=advice)


def _agreed(trainer: Trainer, signum: int | None) -> int | None:
    """The signal that any rank was asked to stop by: all stop after the same step."""
    if trainer.world_size == 1:
        return signum
    asked = torch.tensor(signum or 0, device=trainer.strategy.root_device)
    return int(trainer.strategy.reduce(asked, reduce_op="max")) or None


def _requeue() -> None:
    """Ask SLURM to start this job again, as Lightning does; but the checkpoint is whole by now."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f"{array}_{task}" if array else os.environ.get("SLURM_JOB_ID", "")
    try:
        subprocess.run(["scontrol", "requeue", job], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", None) or error
        print(f"warning: SLURM job {job} could not be requeued: {str(detail).strip()}", file=sys.stderr)
