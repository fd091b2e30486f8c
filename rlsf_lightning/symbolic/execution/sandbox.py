"""A process sandbox for untrusted programs: one shell script, files in, one bounded output out. Linux only.

Covered, with ``kind="bubblewrap"``:
- no network, no view of other processes, no System V or POSIX objects of the host (all namespaces are new);
- no file of the host but ``/usr`` and the folders that are passed in, read-only; one writable folder, an in-memory
  ``/w`` of limited size that is gone afterwards; no environment variables; no terminal;
- an unprivileged user id (when the caller is root: one that no account has, else the caller's own), no capabilities,
  no core files; limits on processor time, wall time, address space, resident memory of all processes together,
  file size, open files and processes; all processes end with the sandbox, which ends with the caller;
- output goes to a file of limited size that has no name, never through a pipe into the caller's memory.

Not covered: kernel vulnerabilities (there is no seccomp filter); memory that belongs to no process (detached System V
segments, until the sandbox ends); how a program spends its own limits. A script and the programs that it starts share a
user id, so a program can disturb its own run: the output is as untrusted as the input.

``kind="none"`` keeps only the limits and the user id, and ends only the script's process group. Programs then read and
write what that user may, and use the network: for machines that are a sandbox themselves.

Never here: a program's purpose, and the meaning of its output.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import warnings
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.verifier import program

KINDS = ("bubblewrap", "none")
INSTALL = {
    "bwrap": "apt-get install bubblewrap   (Fedora: dnf install bubblewrap)",
    "prlimit": "apt-get install util-linux",
    "tar": "apt-get install tar",
}
TOOLS = tuple(program(name, line) for name, line in INSTALL.items())
#: User ids that no account has by default (above the dynamic ones of systemd). One a calling process, so that the limit
#: on processes counts one sandbox at a time.
FIRST_UID, UIDS = 70_000, 5_000
#: Seconds between two measurements of resident memory.
WATCH_SECONDS = 0.05
#: Bytes of a page, in which /proc counts resident memory.
PAGE = os.sysconf("SC_PAGE_SIZE")
_MAX_ERRORS = 10_000


@dataclass(frozen=True)
class Limits:
    """Limits of a whole sandbox, except those "per process". Bytes and seconds."""

    wall_seconds: float
    #: Processor time per process.
    cpu_seconds: int
    #: Resident memory of all processes together.
    memory: int
    #: Address space per process; None where a sanitizer reserves terabytes that it never uses.
    address_space: int | None
    #: Largest file, the output included.
    file_size: int
    #: All files in the writable folder together.
    disk: int
    processes: int = 32


@dataclass(frozen=True)
class Outcome:
    """The result of a script. ``ended_by`` is "" if it ended by itself, else the limit that ended it: "time" or "memory"."""

    returncode: int
    output: bytes
    errors: str
    ended_by: str = ""


class Sandbox:
    """Runs shell scripts, each in a sandbox of its own.

    Args:
        kind: "bubblewrap", or "none" for the limits alone (warns).

    Raises:
        ValueError: another kind.
        UserError: a program that it needs is missing or does not work here; the message says how to install it.
    """

    def __init__(self, kind: str = "bubblewrap") -> None:
        if kind not in KINDS:
            raise ValueError(f"sandbox={kind}: must be one of {', '.join(KINDS)}")
        self.kind, self._shows_processes = kind, True
        for needed in ("prlimit", "tar") if kind == "none" else ("prlimit", "tar", "bwrap"):
            require(needed)
        if kind == "none":
            warnings.warn(
                "sandbox: none: programs written by the model run on this machine itself, and can read, write and delete "
                "files and use the network. Only use it where the whole machine is a sandbox.",
                stacklevel=2,
            )
            return
        limits = Limits(20.0, 5, 1 << 30, None, 1 << 20, 1 << 20)
        # Some containers allow no new /proc: then nobody in the sandbox sees processes.
        self._shows_processes = self.run("exit 7", limits=limits, see_own_processes=True).returncode == 7
        probe = self.run("exit 7", limits=limits)
        if probe.returncode != 7:
            raise UserError(
                f"bubblewrap does not work here: {probe.errors.strip()[:300] or f'exit code {probe.returncode}'}\n"
                "it needs unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, and in a container "
                "--security-opt seccomp=unconfined); or write verifier.options.sandbox=none where the machine itself "
                "is a sandbox"
            )

    def run(
        self,
        script: str,
        *,
        limits: Limits,
        files: Mapping[str, bytes] | None = None,
        shared: Mapping[str, Path] | None = None,
        see_own_processes: bool = False,
    ) -> Outcome:
        """Run ``script`` with ``sh`` in a folder with ``files``; returns its stdout, cut at ``limits.file_size``.

        Args:
            files: name -> content; plain names without folders.
            shared: name -> folder of the host, mounted read-only; its path is in the script's variable of that name.
            see_own_processes: mount ``/proc`` with the sandbox's own processes, where that is possible (sanitizers read it).
        """
        shared = shared or {}
        with contextlib.ExitStack() as stack:
            archive = stack.enter_context(tempfile.TemporaryFile())
            output = stack.enter_context(tempfile.TemporaryFile())
            errors = stack.enter_context(tempfile.TemporaryFile())
            archive.write(_packed(files or {}))
            archive.seek(0)
            place = stack.enter_context(tempfile.TemporaryDirectory()) if self.kind == "none" else None
            script = f"tar -xf - && exec </dev/null\n{script}"
            own = see_own_processes and self._shows_processes
            process = self._started(script, limits, shared, own, place, stdin=archive, stdout=output, stderr=errors)
            ended_by = _watch(process, limits)
            output.seek(0)
            errors.seek(0)
            text = errors.read(_MAX_ERRORS).decode("utf-8", "replace")
            return Outcome(process.returncode, output.read(limits.file_size), text, ended_by)

    def start(
        self, script: str, *, limits: Limits, shared: Mapping[str, Path] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start ``script`` with ``sh`` in an empty folder, its input and output being pipes of the process that is returned.

        The caller bounds what it reads and for how long, and ends it with ``end``: of ``limits`` those of time and resident
        memory of all processes together are not watched. With ``kind="none"`` the folder is left behind if the caller dies.
        """
        place = tempfile.TemporaryDirectory() if self.kind == "none" else None
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        process = self._started(
            script, limits, shared or {}, False, place.name if place else None, stdin=pipe, stdout=pipe, stderr=nothing
        )
        if place is not None:
            weakref.finalize(process, place.cleanup)
        return process

    def _started(
        self, script: str, limits: Limits, shared: Mapping[str, Path], own: bool, place: str | None, **files: Any
    ) -> subprocess.Popen[bytes]:
        """``place``: the folder to run in where there is no sandbox around it. ``files``: standard input, output and errors."""
        uid = _uid()
        if place and uid:
            os.chown(place, uid["user"], uid["group"])
        return subprocess.Popen(
            self._command(script, limits, shared, own),
            cwd=place or "/",
            env={"PATH": "/usr/bin:/bin"} | ({k: str(v) for k, v in shared.items()} if place else {}),
            start_new_session=True,
            user=uid.get("user"),
            group=uid.get("group"),
            extra_groups=[] if uid else None,
            **files,
        )

    def _command(self, script: str, limits: Limits, shared: Mapping[str, Path], own: bool) -> list[str]:
        bounded = [
            "prlimit",
            "--core=0",
            "--nofile=256",
            f"--nproc={limits.processes + _tasks_of(_uid().get('user', os.geteuid()))}",
            f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}",
            f"--fsize={limits.file_size}",
        ]
        if limits.address_space is not None:
            bounded.append(f"--as={limits.address_space}")
        # The shell stays to the end: a program in its place would be PID 1, which ignores most signals.
        shell = ["sh", "-c", f"{script}\nexit $?"]
        return [*bounded, *shell] if self.kind == "none" else [*bounded, *_bubblewrap(limits.disk, shared, own), *shell]


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of ``Sandbox.start`` with all of its group, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def require(program: str, install: str | None = None) -> str:
    """The path of a program; UserError with the line that installs it where it is missing."""
    found = shutil.which(program)
    if found is None:
        way_out = install or INSTALL[program]
        none = " (or verifier.options.sandbox=none where the machine itself is a sandbox)" if program == "bwrap" else ""
        raise UserError(f"the program `{program}` is missing; install it: {way_out}{none}")
    return found


def _bubblewrap(disk: int, shared: Mapping[str, Path], own: bool) -> list[str]:
    # The shell is PID 1 in there: it cannot be killed from inside, and bubblewrap waits for it.
    command = ["bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--new-session"]
    command += ["--cap-drop", "ALL", "--clearenv"]
    command += ["--setenv", "PATH", "/usr/bin:/bin", "--ro-bind", "/usr", "/usr", "--dev", "/dev"]
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif Path("/", name).is_dir():
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    if Path("/etc/alternatives").is_dir():  # where /usr/bin/c++, ld and others may point
        command += ["--ro-bind", "/etc/alternatives", "/etc/alternatives"]
    for name, folder in shared.items():
        command += ["--ro-bind", str(folder), f"/{name}", "--setenv", name, f"/{name}"]
    if own:
        command += ["--proc", "/proc"]
    # bubblewrap's own "/" and "/dev" are in memory too, without a size limit: they must not be writable.
    return [
        *command,
        "--size",
        str(disk),
        "--tmpfs",
        "/w",
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        "/w",
    ]


def _uid() -> dict[str, int]:
    """User and group id of the sandbox; empty: the caller's. The kernel ignores the limit on processes for root."""
    if os.geteuid() != 0:
        return {}
    uid = FIRST_UID + os.getpid() % UIDS
    return {"user": uid, "group": uid}


def _tasks_of(uid: int) -> int:
    """Threads that already count against the user's limit on processes, on kernels that count over all namespaces.

    Where a limit kills bubblewrap, its inner process is left for init to reap. Where init does not, as in a container whose
    PID 1 is this process, such zombies count for ever.
    """
    count = 0
    for status in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if status.stat().st_uid == uid:
                count += sum(1 for _ in (status / "task").iterdir())
    return count


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            assert "/" not in name and name not in ("", ".", ".."), f"file name {name!r}"
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> str:
    """Wait for the process, and kill its group at the end or at a limit. Returns the limit, or ""."""
    deadline = time.monotonic() + limits.wall_seconds
    ended_by = ""
    try:
        with open(os.pidfd_open(process.pid), closefd=True) as handle:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            while not ended_by and not poll.poll(1000 * WATCH_SECONDS):
                if time.monotonic() > deadline:
                    ended_by = "time"
                elif _resident(process.pid) > limits.memory:
                    ended_by = "memory"
    finally:  # also when the caller is interrupted
        end(process)
    return ended_by


def _resident(pid: int) -> int:
    """Resident memory in bytes of a process and its descendants; shared pages count once per process."""
    total, waiting = 0, [pid]
    while waiting:
        folder = f"/proc/{waiting.pop()}"
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"{folder}/statm") as statm:
                total += PAGE * int(statm.read().split()[1])
            for task in os.listdir(f"{folder}/task"):
                with open(f"{folder}/task/{task}/children") as children:
                    waiting += map(int, children.read().split())
    return total
