"""Processor cores that this process may use: its affinity, and the CPU quota of its control groups (version 1 and 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: Where version 1 mounts its CPU controller.
_V1_MOUNTS = ("cpu", "cpu,cpuacct", "cpuacct,cpu")


def cores(root: Path = Path("/")) -> int:
    """Whole cores, at least one.

    A quota is rounded down: 1.5 cores are one. A group that has used up its quota stands still as a whole until the next
    period, so a second thread would halt the first one with it, and what is left over serves the verifier and the logger.

    Args:
        root: of the file system, in which ``proc`` and ``sys`` lie.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(root)
    return usable if quota is None else max(1, min(usable, int(quota)))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Cores that the control groups of this process grant, the tightest of the group and those around it; None: no limit."""
    return min(_quotas(root), default=None)


def _quotas(root: Path) -> Iterator[float]:
    groups = root / "sys" / "fs" / "cgroup"
    for controllers, path in _memberships(root):
        if controllers == "":
            folders, read = [groups], _v2_quota
        elif "cpu" in controllers.split(","):
            folders, read = [groups / name for name in _V1_MOUNTS], _v1_quota
        else:
            continue
        # In a container the path may be the host's, which is not there: the container's own group is then the mount's root.
        for part in (path, *path.parents):
            for folder in folders:
                quota = read(folder / part.relative_to("/"))
                if quota is not None and quota > 0:
                    yield quota


def _memberships(root: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """``(controllers, path)`` of each hierarchy; version 2 has no controllers here."""
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path.startswith("/") and ".." not in path.split("/"):  # "..": outside of what is mounted here
            yield controllers, PurePosixPath(path)


def _v2_quota(folder: Path) -> float | None:
    """``cpu.max``: microseconds, or ``max``, in each period of microseconds."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _v1_quota(folder: Path) -> float | None:
    """``cpu.cfs_quota_us``, negative without a limit, in each ``cpu.cfs_period_us``."""
    try:
        quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return quota / period
    except (OSError, ValueError, ZeroDivisionError):
        return None
