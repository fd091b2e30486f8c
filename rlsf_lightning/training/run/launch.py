"""The launch that a process belongs to, where a launcher may start it again: torchrun or SLURM."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """A launch of torchrun or a job of SLURM, as its rank 0 sees it."""

    #: The same when the launch is started again, and that of no other one.
    name: str
    is_restart: bool


def launch_of(environment: Mapping[str, str] = os.environ) -> Launch | None:
    """The launch that started this process; None where nobody would start it again."""
    if environment.get("SLURM_JOB_ID") and environment.get("SLURM_NTASKS"):
        name = f"slurm {environment['SLURM_JOB_ID']}.{environment.get('SLURM_STEP_ID', '')}"
        return Launch(name, int(environment.get("SLURM_RESTART_COUNT") or 0) > 0)
    if environment.get("TORCHELASTIC_RUN_ID"):
        name = f"torchrun {environment['TORCHELASTIC_RUN_ID']} {os.getppid()}"  # the agent outlives its workers
        return Launch(name, int(environment.get("TORCHELASTIC_RESTART_COUNT") or 0) > 0)
    return None
