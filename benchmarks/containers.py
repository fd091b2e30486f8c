"""The main job and the fast tests inside the limits that containers and clusters set.

    python benchmarks/containers.py pythons=PYTHON,PYTHON,... [cells=CELL,CELL,...] [tests=VERSION:CELL,...]
        [paths=PATH,PATH,...] [checkout=FOLDER] [results=FOLDER]

Each ``PYTHON`` is that of an environment into which the wheel was installed. In every cell it takes the main job's first ten
steps, in an empty folder; the tests of ``checkout`` (what the README says: ``python -m pytest``) run in the cells named by
``tests``, as ``3.12:quota+user``; all of them, or those of ``paths``. A cell is one of these, or several joined by ``+``:

- ``plain``: as it is.
- ``core``: one core, by affinity.
- ``quota``: 1.5 cores, by a control group of this machine where that can be made; else by one that only seems to be
  there (``bwrap`` mounts its files), which is told.
- ``user``: not root, but the user 65534, who owns nothing and whose home does not exist.
- ``readonly``: the environment, its Python and the checkout are mounted read-only.
- ``homeless``: HOME is unset. ``lost``: HOME=/nonexistent.

``user`` and ``readonly`` need root and bwrap. Writes benchmarks/results/containers_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from steps_common import load_now, machine, settings_of, write

CELLS = "plain,core,quota,user,readonly,homeless,lost,quota+user,user+readonly+homeless"
DEFAULTS = {
    "pythons": sys.executable,
    "cells": CELLS,
    "tests": "",
    "paths": "",
    "checkout": str(Path(__file__).parent.parent),
}
STEPS = [
    *("recipe=chem_iupac", "trainer.max_epochs=1", "trainer.limit_train_batches=10", "rollout.batch_size=4"),
    *("rollout.samples_per_prompt=2", "evaluation.limit=20", "evaluation.samples=1"),
]
QUOTA, PERIOD = 150_000, 100_000  # microseconds
NOBODY = 65534
GROUPS = Path("/sys/fs/cgroup")
#: Seconds for the ten steps, and for the tests.
LIMITS = {"steps": 600, "tests": 5400}
TALE = 1500  # characters of a failure's output that are kept


@dataclass
class Outcome:
    """One job in one cell."""

    python: str
    cell: str
    job: str
    status: int
    seconds: float
    #: What the job says of itself: the cores and threads that it takes, or how many tests passed.
    said: str
    #: How the quota was set; empty where there is none.
    quota: str = ""
    #: The end of the output of what failed.
    tale: str = ""


@dataclass
class Surroundings:
    """How a command is started in a cell."""

    wrapper: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    cores: set[int] = field(default_factory=lambda: os.sched_getaffinity(0))
    tasks: Path | None = None  # of the control group to join
    quota: str = ""

    def enter(self) -> None:
        """In the child, before it becomes the command."""
        os.sched_setaffinity(0, self.cores)
        if self.tasks is not None:
            self.tasks.write_text(str(os.getpid()))


def run(python: Path, cell: str, job: str, checkout: Path, paths: Sequence[str] = ()) -> Outcome:
    """One job in one cell; its folder is a new one that the cell's user may write to."""
    folder = Path(tempfile.mkdtemp(prefix="containers"))
    folder.chmod(0o777)
    try:
        with surroundings(cell.split("+"), python, checkout, folder) as around:
            start = time.monotonic()
            command = {
                "steps": ["-m", "rlsf_lightning.fit", *STEPS],
                "tests": ["-m", "pytest", "-q", "--tb=short", *paths],
            }[job]
            around.environment["TMPDIR"] = str(folder)
            status, output = ended(
                [*around.wrapper, str(python), *command],
                cwd=folder if job == "steps" else checkout,
                env=around.environment,
                timeout=LIMITS[job],
                preexec_fn=around.enter,
            )
            seconds = time.monotonic() - start
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tale = "" if status == 0 else output[-TALE * (10 if job == "tests" else 1) :]
    name = job if not paths else f"{job} of {' '.join(paths)}"
    return Outcome(version(python), cell, name, status, round(seconds, 1), told(output, job), around.quota, tale)


def ended(command: Sequence[str], **options: Any) -> tuple[int, str]:
    """Exit status and output of a command; 124 where it was ended for its time."""
    whole = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
    try:
        done = subprocess.run(command, text=True, errors="replace", **whole)
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        return 124, output if isinstance(output, str) else output.decode(errors="replace")
    return done.returncode, done.stdout


def told(output: str, job: str) -> str:
    """The line that counts."""
    pattern = r"^cores: .*$" if job == "steps" else r"^\d+ (?:passed|failed).*$"
    found = re.findall(pattern, output, re.MULTILINE)
    return found[-1] if found else ""


def version(python: Path) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def surroundings(parts: Sequence[str], python: Path, checkout: Path, folder: Path) -> Iterator[Surroundings]:
    """The cell made of these parts, until it is left."""
    around = Surroundings()
    around.environment.pop("OMP_NUM_THREADS", None)
    around.environment.pop("PYTHONPATH", None)
    mounts: list[str] = []
    if unknown := set(parts) - {"plain", "core", "quota", "user", "readonly", "homeless", "lost"}:
        sys.exit(f"no such cell: {'+'.join(sorted(unknown))}")
    if "core" in parts:
        around.cores = {min(around.cores)}
    if "homeless" in parts:
        around.environment.pop("HOME", None)
    if "lost" in parts or ("user" in parts and "homeless" not in parts):
        around.environment["HOME"] = "/nonexistent"
    if "user" in parts:
        mounts += opened(python)
    if "readonly" in parts:
        own = [str(base_of(python)), str(python.parent.parent), str(checkout)]
        mounts += [word for place in own for word in ("--ro-bind", place, place)]
    with quota_group(folder) if "quota" in parts else no_quota() as (tasks, pretended):
        if "quota" in parts:
            around.tasks, around.quota = tasks, "pretended" if tasks is None else "control group"
        mounts += pretended
        if mounts:
            around.wrapper = ["bwrap", "--dev-bind", "/", "/", *mounts, "--cap-add", "ALL", "--"]
        if "user" in parts:
            around.wrapper += ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        yield around


def base_of(python: Path) -> Path:
    """The installation that an environment was made from."""
    code = "import sys; print(sys.base_prefix)"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def opened(python: Path) -> list[str]:
    """Mounts by which every user reaches the Python, though it may lie in root's home."""
    base = base_of(python)
    closed = [parent for parent in base.parents if not parent.stat().st_mode & 0o001]
    if not closed:
        return []
    between = [parent for parent in reversed(base.parents) if closed[-1] in parent.parents]
    made = [word for parent in between for word in ("--perms", "0755", "--dir", str(parent))]
    return ["--perms", "0755", "--tmpfs", str(closed[-1]), *made, "--ro-bind", str(base), str(base)]


@contextmanager
def no_quota() -> Iterator[tuple[None, list[str]]]:
    yield None, []


@contextmanager
def quota_group(folder: Path) -> Iterator[tuple[Path | None, list[str]]]:
    """A control group of 1.5 cores: its file of tasks; or None, and mounts by which there seems to be one."""
    name = f"rlsf_containers_{os.getpid()}"
    is_second = (GROUPS / "cgroup.controllers").exists()
    group = GROUPS / name if is_second else GROUPS / "cpu" / name
    try:
        group.mkdir()
    except OSError:
        yield None, pretended(folder)
        return
    try:
        try:
            if is_second:
                (group / "cpu.max").write_text(f"{QUOTA} {PERIOD}")
            else:
                (group / "cpu.cfs_period_us").write_text(str(PERIOD))
                (group / "cpu.cfs_quota_us").write_text(str(QUOTA))
        except OSError:
            yield None, pretended(folder)
        else:
            yield group / ("cgroup.procs" if is_second else "tasks"), []
    finally:
        time.sleep(0.5)  # until the last process has left it
        group.rmdir()


def pretended(folder: Path) -> list[str]:
    """A ``/sys/fs/cgroup`` of version 2 with the quota in it, and nothing that would keep to it."""
    fake = folder / "cgroup"
    fake.mkdir()
    (fake / "cpu.max").write_text(f"{QUOTA} {PERIOD}\n")
    memberships = folder / "memberships"
    memberships.write_text("0::/\n")
    return ["--ro-bind", str(fake), str(GROUPS), "--ro-bind", str(memberships), "/proc/self/cgroup"]


def table(outcomes: Sequence[Outcome]) -> str:
    """In Markdown: a row a job."""
    columns = ("Python", "cell", "job", "outcome", "seconds", "it says")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for each in outcomes:
        quota = f" ({each.quota})" if each.quota else ""
        outcome = "passes" if each.status == 0 else f"status {each.status}"
        cells = (each.python, each.cell + quota, each.job, outcome, f"{each.seconds:.0f}", each.said)
        lines.append(f"| {' | '.join(cells)} |")
    failed = [f"\n{each.python} {each.cell} {each.job}:\n```\n{each.tale}\n```" for each in outcomes if each.status]
    return "\n".join(lines + failed)


def measure(settings: Mapping[str, Any]) -> Iterator[Outcome]:
    checkout = Path(settings["checkout"]).resolve()
    pythons = [Path(os.path.abspath(word)) for word in settings["pythons"].split(",")]
    tests = [tuple(word.split(":")) for word in settings["tests"].split(",") if word]
    for python in pythons:
        for cell in filter(None, settings["cells"].split(",")):
            yield run(python, cell, "steps", checkout)
        for _, cell in [test for test in tests if test[0] == version(python)]:
            yield run(python, cell, "tests", checkout, [path for path in settings["paths"].split(",") if path])


def main() -> int:
    settings = settings_of(sys.argv[1:], DEFAULTS)
    load, outcomes = load_now(), []
    for outcome in measure(settings):
        outcomes.append(outcome)
        print(outcome, file=sys.stderr, flush=True)
    configuration = {"cells": settings["cells"], "tests": settings["tests"], "steps": STEPS, "machine": machine(load)}
    configuration["settings"] = {}
    result = {"configuration": configuration, "outcomes": [asdict(each) for each in outcomes]}
    write("containers", result, table(outcomes), settings["results"])
    return int(any(each.status for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
