"""C++: clang++ compiles the program, and its outputs on all tests are compared word by word, without the verifier's sandbox.

The texts are people's programs with small changes, run with limits of time and memory; none of the corpus's hostile ones.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from corpora import Case
from corpora.cpp import _runs

from opinions import Opinion
from rlsf_lightning.records import Certificate, Verdict

TOOLS: tuple[str, ...] = ()
HOW = "clang++ 14 and the tests"
#: Verdicts are compared, for which no place has to be looked for.
OPTIONS = {"explain": False}
EXPLAINED = {
    "one compiler is stricter": "g++ and clang++ refuse different programs: extensions, conversions, names of their headers",
    "undefined behaviour": "both compile, and the outputs differ: variables without a value, indices beyond an array",
}
#: Each is compiled and run on all of its tests first.
BASES = 250
MAX_CHARS = 20_000
_FLAGS = ("-std=gnu++17", "-O1", "-w", "-ferror-limit=1", "-fbracket-depth=2000")


def absent() -> str | None:
    """clang++ is no package of Python's."""
    return None if shutil.which("clang++") else "no program clang++: apt-get install clang"


def opinion(case: Case) -> Opinion:
    """Whether it compiles, and gives every output."""
    text = case.completion
    if not text.strip() or len(text.strip()) > MAX_CHARS:
        return Opinion(False, f"{len(text)} characters")
    with tempfile.TemporaryDirectory() as folder:
        error = _compiled(text, folder)
        if error is not None:
            return Opinion(False, f"clang++: {error}")
        for number, test in enumerate(case.prompt.facts["tests"]):
            if not _runs(folder, test["input"], test["output"]):
                return Opinion(False, f"test {number}")
    return Opinion(True, "all tests")


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """By whether only one of the two compiles it."""
    kinds = {finding.kind for finding in certificate.findings}
    runs = {"wrong_output", "runtime_error", "memory_error", "undefined_behaviour", "timeout", "output_limit"}
    if said.reason.startswith("clang++") or (certificate.verdict is Verdict.FAIL and not kinds & runs):
        return "one compiler is stricter"
    return "undefined behaviour" if kinds & {"undefined_behaviour", "memory_error", "runtime_error"} else None


@cache
def _headers() -> str:
    """The common headers, compiled once: ``-include`` finds them by this name."""
    folder = Path(tempfile.mkdtemp(prefix="second_opinion_"))
    (folder / "all.h").write_text("#include <bits/stdc++.h>\nusing namespace std;\n")
    # with the headers' own templates instantiated in there a program compiles in half of the time
    command = ["clang++", *_FLAGS, "-fpch-instantiate-templates", "-x", "c++-header", "all.h", "-o", "all.h.pch"]
    subprocess.run(command, cwd=folder, check=True, timeout=120)
    return str(folder / "all.h")


def _compiled(text: str, folder: str) -> str | None:
    """The first error; None: there is a program."""
    Path(folder, "program.cpp").write_bytes(text.encode("utf-8", "surrogatepass"))
    headers = ["-include", _headers()] if "#include" not in text else []
    command = ["clang++", *_FLAGS, *headers, "program.cpp", "-o", "program"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "no end"
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip().split("\n")[0][:200] or "an error"
