"""A run that ends before its time, said in a line: by a signal, a full disk, a full memory, or another rank that failed."""

from __future__ import annotations

import errno
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning import Trainer
from lightning.fabric.plugins.environments import LightningEnvironment

from rlsf_lightning.config.stop_signals import stops_alone
from rlsf_lightning.errors import Stopped, UserError
from rlsf_lightning.training.run.checkpoints import FOLDER, newest_first
from rlsf_lightning.training.run.folder import Run

#: Bytes below which a disk counts as full: what failed to be written may have been small.
_FULL = 1 << 20
#: Of errors of gloo and NCCL where the process at the other end is gone.
_LOST = (
    "connection closed by peer",
    "connection reset by peer",
    "broken pipe",
    "remote process exited",
    "timed out waiting",
)


@contextmanager
def told_in_a_line(trainer: Trainer, run: Run) -> Iterator[None]:
    """Inside, errors that are nobody's mistake in the code become one message that says what was kept.

    Raises:
        Stopped: a signal; on the further ranks of Lightning's own launcher with status 0, for it kills all when one fails.
        UserError: no space on the disk, no memory, or a rank that is gone.
    """
    try:
        with stops_alone():
            yield
    except Stopped as stop:
        if not trainer.is_global_zero:
            is_child = isinstance(getattr(trainer.strategy, "cluster_environment", None), LightningEnvironment)
            raise SystemExit(0 if is_child else stop.code) from None
        raise Stopped(stop.signum, told=_kept(run)) from None
    except torch.OutOfMemoryError as error:
        reason = str(error).partition(". ")[0]
        raise UserError(
            f"no memory is left: {reason}. Write smaller rollout.decode_batch_size (completions at a time) and "
            "algorithm.micro_batch_tokens, policy.gradient_checkpointing=true or policy.quantize=nf4, and resume=auto"
        ) from error
    except Exception as error:
        if _is_disk_full(error, run):
            raise UserError(f"no space is left on the disk of {run.folder}; {_kept(run)}") from error
        if trainer.world_size > 1 and any(sign in str(error).lower() for sign in _LOST):
            raise UserError(f"rank {trainer.global_rank} has lost another rank, which says why; {_kept(run)}") from None
        raise


def _kept(run: Run) -> str:
    newest = next(newest_first(run.folder / FOLDER), None)
    if newest is None:
        return f"before the first checkpoint: nothing is kept in {run.folder} but its recipe"
    said = [word for word in sys.argv[1:] if not word.startswith(("run_dir=", "resume="))]
    program = (
        ["rlsf"] if Path(sys.argv[0]).name == "rlsf" else ["python", "-m", f"rlsf_lightning.{Path(sys.argv[0]).stem}"]
    )
    command = shlex.join([*program, *said, f"run_dir={run.folder}", "resume=auto"])
    return f"with {newest} written; go on by\n  {command}"


def _is_disk_full(error: BaseException | None, run: Run) -> bool:
    """Whether an error, or one that it came from, is for want of space; torch and safetensors wrap the system's."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(error):
            return True
        if isinstance(error, RuntimeError) and "write" in str(error) and shutil.disk_usage(run.folder).free < _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
