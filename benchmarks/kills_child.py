"""One run of kills.py: it writes to a log, and tells in a file in which stage it is. As a program: FOLDER key=value ..."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lightning import Callback

STAGE_FILE = "stage"


class Stages(Callback):
    """Writes the stage of training to STAGE_FILE beside the run."""

    writes_rewards = False

    def logged_metrics(self, recipe: object) -> tuple[str, ...]:
        return ()

    def tell(self, module: object, stage: str) -> None:
        Path(module.run_dir, "..", STAGE_FILE).write_text(stage)  # type: ignore[attr-defined]

    def on_train_start(self, trainer: object, pl_module: object) -> None:
        self.tell(pl_module, "measuring")

    def on_train_batch_start(self, trainer: object, pl_module: object, batch: object, batch_idx: int) -> None:
        self.tell(pl_module, "sampling")

    def on_rollout_end(self, trainer: object, module: object, rollout: object) -> None:
        self.tell(module, "scoring and verifying")

    def on_advantages_ready(self, trainer: object, module: object, rollout: object) -> None:
        self.tell(module, "updating")

    def on_update_end(self, trainer: object, module: object, stats: object) -> None:
        self.tell(module, "logging and saving")

    def on_train_epoch_end(self, trainer: object, pl_module: object) -> None:
        self.tell(pl_module, "end of epoch")


def run_fit(words: list[str], folder: str) -> None:
    """``fit`` with these words; its output goes to FOLDER/log."""
    Path(folder).mkdir(exist_ok=True)
    log = os.open(Path(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = ["fit.py", *words]

    from rlsf_lightning import fit

    Path(folder, STAGE_FILE).write_text("loading")
    fit.main(words)


if __name__ == "__main__":
    run_fit(sys.argv[2:], sys.argv[1])
