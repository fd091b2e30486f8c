"""A run's loggers: ``metrics.csv`` always, others by the recipe's ``logger:`` block."""

from __future__ import annotations

import csv
import inspect
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning.pytorch.loggers.logger import rank_zero_experiment

from rlsf_lightning.config.extension_points import LOGGER
from rlsf_lightning.config.plugins import construct, resolve
from rlsf_lightning.errors import UserError, install_hint
from rlsf_lightning.training.hooks import REFUSALS
from rlsf_lightning.training.run.writing import write_atomically

#: Extras that bring the packages of Lightning's loggers.
_EXTRAS = {"TensorBoardLogger": "tensorboard", "WandbLogger": "wandb"}


class _ContinuingWriter(ExperimentWriter):
    """Keeps the rows before ``first_step`` of a file that is there, where Lightning's deletes all of them.

    Rows are appended; where the whole file is written anew, it is beside its place: a run may be killed at any moment.
    """

    def __init__(self, log_dir: str, first_step: int) -> None:
        self.first_step = first_step
        super().__init__(log_dir)

    def _check_log_dir_exists(self) -> None:
        path = Path(self.metrics_file_path)
        if not path.exists():
            return
        whole = path.read_text(encoding="utf-8").rpartition("\n")[0]  # without a row that was never finished
        rows = [row for row in csv.DictReader(io.StringIO(whole)) if (row.get("step") or "").isdigit()]
        kept = [
            {key: value for key, value in row.items() if key and value}
            for row in rows
            if int(row["step"]) < self.first_step
        ]
        self.metrics_keys = sorted(set().union(*kept))
        self._write(kept)

    def _rewrite_with_new_header(self, fieldnames: list[str]) -> None:
        with open(self.metrics_file_path, newline="", encoding="utf-8") as file:
            self._write(list(csv.DictReader(file)))

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """The file of these rows; none where there are no rows, as the header comes with the first."""
        path = Path(self.metrics_file_path)
        if not rows:
            path.unlink(missing_ok=True)
            return
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, fieldnames=self.metrics_keys)
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(path, text.getvalue())


class RunCSVLogger(CSVLogger):
    """Lightning's CSVLogger, written straight to ``RUN_DIR/metrics.csv`` after every step; a resumed run continues it."""

    def __init__(self, run_dir: Path, first_step: int = 0) -> None:
        super().__init__(save_dir=run_dir, name="", version="", flush_logs_every_n_steps=1)
        self.first_step = first_step

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        if self._experiment is None:
            self._experiment = _ContinuingWriter(self.root_dir, self.first_step)
        assert isinstance(self._experiment, ExperimentWriter)
        return self._experiment


def build_loggers(entries: Mapping[str, Mapping[str, Any] | None], run_dir: Path, first_step: int = 0) -> list[Logger]:
    """``metrics.csv`` and every ``NAME: {arguments}`` entry; a null entry is switched off.

    NAME: a logger that ships with Lightning, or ``package.module:Class``.
    """
    loggers: list[Logger] = [RunCSVLogger(run_dir, first_step)]
    for name, arguments in entries.items():
        if arguments is None:
            continue
        cls = resolve(LOGGER, name)
        accepted = inspect.signature(cls).parameters
        # Loggers of Lightning call it save_dir, LitLogger root_dir.
        place = {"root_dir" if "root_dir" in accepted else "save_dir": str(run_dir)}
        try:
            loggers.append(construct(cls, place | dict(arguments), f"logger.{name}", REFUSALS))
        except ImportError as error:
            hint = f"\n{install_hint(_EXTRAS[cls.__name__])}" if cls.__name__ in _EXTRAS else ""
            raise UserError(f"logger.{name}: {' '.join(str(error).split())}{hint}") from None
    return loggers
