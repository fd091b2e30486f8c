"""The ``lightning.Trainer`` of a recipe's ``trainer:`` block. It starts nothing and writes nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lightning import Callback, Trainer
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.callbacks import ProgressBar
from omegaconf import OmegaConf

from rlsf_lightning.config.schema_fields import as_yaml
from rlsf_lightning.errors import UserError
from rlsf_lightning.training.progress_bar import with_progress
from rlsf_lightning.training.run.checkpoints import AtomicCheckpointIO

#: On a CPU: with more processes than this a run would only be slow, and most likely the number is a slip.
RANKS_A_CORE = 8


def build_trainer(arguments: Mapping[str, Any], callbacks: Sequence[Callback], **own: Any) -> Trainer:
    """The Trainer, without the summary of the model and as yet without loggers: they need a run's folder.

    Args:
        arguments: the recipe's.
        own: those that the command sets itself.

    Raises:
        UserError: a value that Lightning refuses, or that this machine does not have.
    """
    plain = {name: OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for name, v in arguments.items()}
    shown: dict[str, Any] = with_progress(callbacks, plain)
    _check_bars(shown["callbacks"])
    plugins = plain.pop("plugins", None) or []
    plugins = [*(plugins if isinstance(plugins, list) else [plugins]), AtomicCheckpointIO()]
    try:
        with _log_held_back():
            trainer = Trainer(**{**plain, **shown}, **own, plugins=plugins, logger=False, enable_model_summary=False)
    except Exception as error:  # TypeError, ValueError, RuntimeError, its own and others, depending on the argument
        reason = " ".join(str(error).split()) or type(error).__name__
        if plain.get("accelerator", "auto") not in ("auto", "cpu"):
            reason += " Write trainer.accelerator=auto for what this machine has."
        seen = " ".join(f"trainer.{name}={as_yaml(value)}" for name, value in plain.items())
        raise UserError(f"trainer: {reason[:1000]}\nseen: {seen}") from None
    most = RANKS_A_CORE * (os.cpu_count() or 1)
    if isinstance(trainer.accelerator, CPUAccelerator) and trainer.num_devices > most:
        raise UserError(
            f"trainer.devices={trainer.num_devices}: each is a process, and this machine has {os.cpu_count()} cores"
        )
    return trainer


def _check_bars(callbacks: Sequence[Callback]) -> None:
    bars = [type(callback).__name__ for callback in callbacks if isinstance(callback, ProgressBar)]
    if len(bars) > 1:
        raise UserError(f"the callbacks {' and '.join(bars)} draw a bar each: write callbacks.progress=null")


@contextmanager
def _log_held_back() -> Iterator[None]:
    """Lightning says what the machine has while a Trainer is built: after it is, so that an error stands alone."""
    log, held = logging.getLogger("lightning.pytorch.utilities.rank_zero"), list[logging.LogRecord]()

    def hold(record: logging.LogRecord) -> bool:
        held.append(record)
        return False

    log.addFilter(hold)
    try:
        yield
    finally:
        log.removeFilter(hold)
    for record in held:
        log.handle(record)
