"""What do hostile completions do to a verifier, and to who calls it? Each is verified in a guarded process.

    RLSF_DATA=folder python benchmarks/hostile.py [verifiers=game24,sql] [fuzzed=20000] [limit=10] [seed=0]

For each verifier: the corpus's own hostile completions and ``fuzzed`` ones, made from correct and wrong ones by edits, cuts,
splices, nesting and repetition, and noise. A child process verifies them, twice: in order, and in a fresh process
with other hashes in the opposite order. Its working folder, home and temporary folder are empty but for a file with a secret.

Watched by an audit hook in the child: files opened for writing or changed, files opened that are not Python's own,
connections, programs started. What the verifier does for correct completions is its ordinary work; everything else
counts. Watched by the parent: crashes and hangs (the child is ended, and another one goes on), files left, files that
completions name, processes left (they are adopted by this one), memory. What native code opens shows in what is left only.

Writes benchmarks/results/hostile_<machine>_<date>.json and .md. Linux only.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import hostile_child
from corpora import Case
from edits import mutated
from hostile_child import SECRET, example
from verifiers_common import EXAMPLES, Bench, adopting, injections, run

DEFAULTS = {"fuzzed": 20_000, "limit": 10.0, "megabytes": 1024}
ABOUT = """
Hostile completions and fuzzed ones, in a guarded process. *crashes*: ended that process. *raised*: exceptions out of
`verify`. *over the limit*: calls that took longer (`LIMIT` of a corpus, else 10 s). *unequal*: another certificate in a
second process that went through them in the opposite order, seconds left aside (abstentions by the clock are counted
behind it). *foreign*: files opened, connections made or programs started that correct completions do not need. *left*:
new or changed files, and processes. *leaks*: certificates with the text of a file. *growth*: of memory over what the
verifier has after correct completions; *children*: the largest child's memory.
"""
_PATH = re.compile(r"(?<![\w.])/(?:tmp|var|home|root|etc)/[\w./-]{1,80}|\brlsf_[\w.]{1,40}")


def measure(bench: Bench) -> dict[str, Any]:
    """All numbers of one verifier. In it ``limit`` is of one call, in seconds."""
    limit = float(getattr(bench.corpus, "LIMIT", None) or bench.settings["limit"])
    with adopting():
        return _measure(bench, limit)


def _measure(bench: Bench, limit: float) -> dict[str, Any]:
    cases = inputs(bench)
    before = _children()  # with what the corpus itself has started
    named = {path for case in cases for path in _PATH.findall(case.completion) if len(case.completion) < 10_000}
    absent = [path for path in named if path.startswith("/") and not os.path.exists(path)]
    first, second = (Guard(bench, cases, limit, order) for order in ("forward", "backward"))
    for guard in (first, second):
        guard.run()
    left = sorted({*first.left, *second.left, *(path for path in absent if os.path.exists(path))})
    processes = _gone(before)
    unequal, abstained = _compared(first.certificates, second.certificates)
    done = first.certificates.values()
    failures = first.failures + second.failures
    kinds = Counter(failure["failure"] for failure in failures)
    return {
        "inputs": len(cases),
        "hostile": len(cases) - bench.settings["fuzzed"],
        "limit": limit,
        "verdicts": dict(Counter(one["certificate"]["verdict"] for one in done)),
        "slowest": round(max((one["seconds"] for one in done), default=0.0), 3),
        "crashes": kinds["crash"],
        "raised": kinds["raised"],
        "over_limit": kinds["over the limit"],
        "unequal": len(unequal),
        "abstained_once": abstained,
        "foreign": dict(first.foreign + second.foreign),
        "ordinary": sorted(first.ordinary | second.ordinary),
        "leaks": kinds["leak"],
        "files_left": left,
        "processes_left": processes,
        "growth_mb": max(first.growth, second.growth),
        "growth_bounded": max(first.growth, second.growth) <= bench.settings["megabytes"],
        "children_mb": max(first.children, second.children),
        "examples": _few(failures) + [example(cases[at], "unequal") for at in unequal[:EXAMPLES]],
        "why": bench.why("hostile", *bench.fewer),
    }


def inputs(bench: Bench) -> list[Case]:
    """The hostile completions and the fuzzed ones."""
    rng = bench.rng("fuzzed")
    cases: list[Case] = bench.corpus.hostile()
    sources = bench.corpus.correct(min(200, bench.settings["fuzzed"]), rng)
    sources += [
        Case(case.prompt, injected.completion, injected.edit)
        for case, injected in injections(bench, sources, len(sources) // 2, rng)
    ]
    texts = [case.completion for case in sources]
    for number in range(bench.settings["fuzzed"]):
        case = sources[number % len(sources)]
        cases.append(Case(case.prompt, mutated(case.completion, texts, rng), f"fuzzed {number}"))
    return cases


class Guard:
    """Verifies all inputs in child processes, and notes what happened to them.

    Args:
        order: "forward" or "backward".
    """

    def __init__(self, bench: Bench, cases: list[Case], limit: float, order: str) -> None:
        self.bench, self.cases, self.limit, self.order = bench, cases, limit, order
        self.waiting = list(range(len(cases)))[:: 1 if order == "forward" else -1]
        self.certificates: dict[int, dict[str, Any]] = {}
        self.failures: list[dict[str, Any]] = []
        self.foreign: Counter[str] = Counter()
        self.ordinary: set[str] = set()
        self.left: set[str] = set()
        self.growth = self.children = 0

    def run(self) -> None:
        """Child after child, until every input had its turn."""
        while self.waiting:
            with tempfile.TemporaryDirectory(prefix="rlsf_bench_") as folder:
                os.chmod(folder, 0o755)
                self._child(Path(folder))

    def _child(self, folder: Path) -> None:
        places = [folder / name for name in ("home", "tmp", "cwd")]
        for place in places:
            place.mkdir()
            (place / "secret.txt").write_text(f"{SECRET} root:x:0:0\n")
        report = folder / "report.jsonl"
        settings = self.bench.settings
        asked = (self.bench.name, settings, self.cases, self.waiting, self.limit)
        (folder / "asked.pickle").write_bytes(pickle.dumps(asked))
        kept = {key: os.environ[key] for key in ("PATH", "RLSF_DATA", "JAVA_HOME", "LANG") if key in os.environ}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        path = os.pathsep.join([str(Path(__file__).parent), *(entry for entry in sys.path if entry)])
        environment = kept | {
            "HOME": str(places[0]), "TMPDIR": str(places[1]), "XDG_CACHE_HOME": cache, "PYTHONPATH": path,
            "PYTHONHASHSEED": "1" if self.order == "forward" else "2", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        command = [sys.executable, hostile_child.__file__, str(folder)]
        with (folder / "errors").open("wb") as errors:
            child = subprocess.Popen(command, cwd=places[2], env=environment, stderr=errors, start_new_session=True)
            self._watch(child, report)
        self._read(report, child.returncode, (folder / "errors").read_bytes()[-2000:].decode("utf-8", "replace"))
        allowed = {str(place / "secret.txt") for place in places}
        for place in places:
            found = {str(path) for path in place.rglob("*")} | {str(place / "secret.txt")}
            same = (place / "secret.txt").exists() and SECRET in (place / "secret.txt").read_text()
            self.left |= (found - allowed) if same else found

    def _watch(self, child: subprocess.Popen[bytes], report: Path) -> None:
        """Until the child ends, or has said nothing for much longer than a call may take."""
        patience = 3 * self.limit + 120  # for the start, when the caches of tools may have to be filled
        while True:
            try:
                child.wait(0.1)
                return
            except subprocess.TimeoutExpired:
                _reap(child.pid)
                quiet = time.time() - report.stat().st_mtime if report.exists() else 0.0
                if quiet > patience:
                    os.kill(child.pid, signal.SIGKILL)
                    child.wait()
                    return

    def _read(self, report: Path, code: int | None, errors: str) -> None:
        begun = -1
        for line in report.read_text().splitlines() if report.exists() else ():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the last line of a child that was ended
            if "begun" in row:
                begun = row["begun"]
            elif "failure" in row:
                self.failures.append(row)
            elif "certificate" in row:
                self.certificates[begun] = row
            elif "foreign" in row:
                self.foreign[row["foreign"]] += 1
            elif "ordinary" in row:
                self.ordinary |= set(row["ordinary"])
            elif "growth" in row:
                self.growth, self.children = max(self.growth, row["growth"]), max(self.children, row["children"])
        if code == 0:
            self.waiting = []
            return
        if begun < 0:
            raise RuntimeError(f"the guarded process of {self.bench.name} does not start:\n{errors}")
        failure = "over the limit" if code == -signal.SIGKILL else "crash"
        self.failures.append({"failure": failure, "code": code, "input": begun, "errors": errors[-500:]})
        self.waiting = self.waiting[self.waiting.index(begun) + 1 :]


def _compared(first: dict[int, Any], second: dict[int, Any]) -> tuple[list[int], int]:
    """Inputs with two certificates, and how many abstained in one of the runs alone: by the clock, not by what was found."""
    both = sorted(set(first) & set(second))
    differing = [at for at in both if first[at]["certificate"] != second[at]["certificate"]]
    once = [
        at
        for at in differing
        if "abstain" in (first[at]["certificate"]["verdict"], second[at]["certificate"]["verdict"])
    ]
    return [at for at in differing if at not in set(once)], len(once)


def _few(failures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: Counter[str] = Counter()
    few = []
    for failure in failures:
        kept[failure["failure"]] += 1
        if kept[failure["failure"]] <= EXAMPLES:
            few.append(failure)
    return few


def _children(ended: bool = False) -> set[int]:
    """Processes whose parent is this one, and that run, or have ended and not been waited for."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and (state == "Z") == ended:
            found.add(int(stat.parent.name))
    return found


def _reap(spared: int) -> None:
    """Wait for processes that ended and that nobody else waits for, but for one: thousands of them would use up the numbers."""
    for pid in _children(ended=True) - {spared}:
        os.waitpid(pid, os.WNOHANG)


def _gone(before: set[int]) -> list[str]:
    """The processes that a verifier left, after a moment to end in. They are ended."""
    for _ in range(50):
        left = _children() - before
        if not left:
            return []
        time.sleep(0.1)
    names = []
    for pid in left:
        names.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:200])
        os.kill(pid, signal.SIGKILL)
    return names


COLUMNS = {
    "inputs": lambda m: str(m["inputs"]),
    "verdicts": lambda m: ", ".join(f"{count} {verdict}" for verdict, count in sorted(m["verdicts"].items())),
    "crashes": lambda m: str(m["crashes"]),
    "raised": lambda m: str(m["raised"]),
    "over the limit": lambda m: f"{m['over_limit']} (slowest {m['slowest']:.2f} s, limit {m['limit']:g} s)",
    "unequal": lambda m: f"{m['unequal']} (+ {m['abstained_once']})",
    "foreign": lambda m: str(sum(m["foreign"].values())),
    "left": lambda m: f"{len(m['files_left'])} files, {len(m['processes_left'])} processes",
    "leaks": lambda m: str(m["leaks"]),
    "growth": lambda m: f"{m['growth_mb']} MB",
    "children": lambda m: f"{m['children_mb']} MB",
}


if __name__ == "__main__":
    run("hostile", sys.argv[1:], DEFAULTS, measure, COLUMNS, ABOUT)
