"""Progress of training: Lightning's bar on a terminal, plain lines in a log. What is shown is up to subclasses."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar, TQDMProgressBar

#: Seconds between two lines of a log.
LINE_EVERY = 10.0


class BarOrLines(TQDMProgressBar):
    """Where standard output is no terminal, a line every ten seconds and at the end of each epoch takes the bar's place."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        is_interactive = sys.stdout.isatty() or hasattr(sys, "ps1")  # the second: a notebook
        self.writes_lines = trainer.is_global_zero and not is_interactive
        self.last_line = float("-inf")
        if self.writes_lines:
            self.disable()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        now, done, total = time.monotonic(), batch_idx + 1, self.total_train_batches
        if self.writes_lines and (done == total or now - self.last_line >= LINE_EVERY):
            self.last_line = now
            metrics = self.get_metrics(trainer, pl_module)
            print(progress_line(trainer.current_epoch, done, total, metrics), flush=True)


def progress_line(epoch: int, done: int, total: float, metrics: Mapping[str, int | str | float | dict]) -> str:
    """``epoch 2, step 3 of 10: reward -0.25, kl 0.0312``; ``total`` may be infinite."""
    told = [f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in metrics.items()]
    of = f" of {total}" if total < float("inf") else ""
    return f"epoch {epoch}, step {done}{of}" + (f": {', '.join(told)}" if told else "")


def with_progress(callbacks: Sequence[Callback], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The trainer's ``callbacks`` and ``enable_progress_bar``, which Lightning wants to agree.

    Args:
        settings: the recipe's ``trainer``. ``enable_progress_bar: false`` drops a bar; without one there is none.
    """
    is_wanted = settings.get("enable_progress_bar") is not False
    kept = [callback for callback in callbacks if is_wanted or not isinstance(callback, ProgressBar)]
    return {"callbacks": kept, "enable_progress_bar": any(isinstance(callback, ProgressBar) for callback in kept)}
