"""The guarded process of hostile.py: it verifies what is asked for in FOLDER/asked.pickle and reports to FOLDER/report.jsonl.

An audit hook notes what the verifier does for correct and for wrong completions, which is its ordinary work, and then
reports whatever else it does: files, connections, programs.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from corpora import Case
from verifiers_common import Bench, bench_of, injections

from rlsf_lightning.records import Certificate, Verdict

#: Correct completions, and as many wrong ones, that show what a verifier does in its ordinary work.
ORDINARY = 25
#: Stands in files around the process; in a certificate it shows that one was read.
SECRET = "rlsf-secret-7f3a91"
LEAKS = (SECRET, "root:x:0:0")
_KIB = 1024


def child(folder: Path) -> None:
    """In the guarded process."""
    name, settings, cases, waiting, limit = pickle.loads((folder / "asked.pickle").read_bytes())
    bench = bench_of(name, settings, set(settings))
    ordinary = bench.corpus.correct(ORDINARY, bench.rng("ordinary"))
    wrong = [
        Case(case.prompt, injected.completion)
        for case, injected in injections(bench, ordinary, ORDINARY, bench.rng("ordinary wrong"))
    ]
    with (folder / "report.jsonl").open("w", buffering=1) as report:
        print(json.dumps({"started": os.getpid()}), file=report)
        hook = Hook(report)
        sys.addaudithook(hook)
        for case in (*ordinary, *wrong, *getattr(bench.corpus, "ORDINARY", ())):
            bench.verifier.verify(case.prompt, case.completion)
            if hasattr(bench.verifier, "viable"):
                bench.verifier.viable(case.prompt, case.completion[: len(case.completion) // 2])
        print(json.dumps({"ordinary": sorted(hook.ordinary)}), file=report)
        start = _memory(resource.RUSAGE_SELF)
        for number in waiting:
            print(json.dumps({"begun": number}), file=report)
            hook.is_armed = True
            found = judged(bench, cases[number], limit)
            hook.is_armed = False
            for row in found:
                print(json.dumps(row | ({"input": number} if "failure" in row else {})), file=report)
        memory = {"growth": _memory(resource.RUSAGE_SELF) - start, "children": _memory(resource.RUSAGE_CHILDREN)}
        print(json.dumps(memory), file=report)


def judged(bench: Bench, case: Case, limit: float) -> list[dict[str, Any]]:
    """Rows for the report: failures, and the certificate."""
    rows: list[dict[str, Any]] = []
    start = time.perf_counter()
    try:
        certificate = bench.verifier.verify(case.prompt, case.completion)
    except Exception as error:
        certificate = Certificate(Verdict.ABSTAIN, witness={"raised": repr(error)[:500]})
        rows.append(example(case, "raised") | {"error": repr(error)[:500]})
    seconds = time.perf_counter() - start
    if seconds > limit:
        rows.append(example(case, "over the limit") | {"seconds": round(seconds, 1)})
    written = {**certificate.to_dict(), "seconds": 0}
    text = json.dumps(written)
    if any(secret in text and secret not in case.completion for secret in LEAKS):
        rows.append(example(case, "leak") | {"certificate": written})
    # The whole is compared, but not kept: thousands of long ones are.
    row = {"verdict": certificate.verdict.value, "text": text if len(text) < 4000 else text[:4000] + str(hash_of(text))}
    return [*rows, {"certificate": row, "seconds": round(seconds, 4)}]


def hash_of(text: str) -> str:
    """The same in every process."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Hook:
    """An audit hook: what a verifier does in its ordinary work is noted; later, what is not among it is reported."""

    def __init__(self, report: Any) -> None:
        self.report, self.ordinary, self.is_armed = report, set[str](), False
        self._own = tuple({os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, *sys.path) if path})
        self._temporary = os.path.realpath(tempfile.gettempdir())
        self._is_busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        try:
            said = self._said(event, arguments)
            if said is not None and not self.is_armed:
                self.ordinary.add(said)
            elif said is not None and said not in self.ordinary:
                print(json.dumps({"foreign": said}), file=self.report)
        finally:
            self._is_busy = False

    def _said(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        """The event, without what differs from call to call; None if it is of no interest."""
        if event == "open":
            return self._opened(*arguments)
        if event in ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system"):
            first = arguments[1][0] if event == "subprocess.Popen" and arguments[1] else arguments[0]
            return f"{event} {os.path.basename(os.fsdecode(first))}"
        if event == "sqlite3.connect":
            return f"{event} {str(arguments[0])[:100]}"
        if event.startswith(("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
        "os.symlink",
                             "os.truncate", "os.fork", "shutil.", "tempfile.")):  # fmt: skip
            return f"{event} {self._place(arguments[0]) if arguments else ''}"
        quiet = ("socket.gethostname",)
        if event.startswith(("socket.", "ftplib.", "http.", "urllib.", "smtplib.", "ctypes.dlopen", "sqlite3.enable_load",
                             "sqlite3.load_ext", "pty.", "os.putenv",
                             "signal.pthread_kill")) and event not in quiet:  # fmt: skip
            return f"{event} {str(arguments)[:100]}"
        return None

    def _opened(self, path: Any, mode: Any, flags: Any) -> str | None:
        if not isinstance(path, str | bytes | os.PathLike):
            return None  # a descriptor that is open already
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)) if isinstance(flags, int) else False
        place = self._place(path)
        if not writes and os.path.realpath(os.fsdecode(path)).startswith(self._own):
            return None  # Python's own modules and data
        return f"open for {'writing' if writes else 'reading'} {place}"

    def _place(self, path: Any) -> str:
        """Temporary files all look alike, and so do those of processes."""
        if not isinstance(path, str | bytes | os.PathLike):
            return type(path).__name__
        whole = os.path.abspath(os.fsdecode(path))
        if os.path.realpath(whole).startswith(self._temporary + os.sep) and not whole.endswith("secret.txt"):
            return "a temporary file"
        return re.sub(r"/proc/\d+(/task/\d+)?", "/proc/N", whole)[:200]


def example(case: Case, failure: str) -> dict[str, Any]:
    return {
        "failure": failure,
        "prompt": case.prompt.id,
        "name": case.name,
        "completion": ascii(case.completion)[:2000],
    }


def _memory(who: int) -> int:
    """Megabytes."""
    return resource.getrusage(who).ru_maxrss // _KIB


if __name__ == "__main__":
    child(Path(sys.argv[1]))
