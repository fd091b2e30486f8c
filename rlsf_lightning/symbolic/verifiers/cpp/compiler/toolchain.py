"""The compiler that the C++ verifier uses, and its cache: headers that are compiled once for all programs of a machine.

The cache is ``$XDG_CACHE_HOME/rlsf_lightning`` (``~/.cache/...``), or ``/var/cache/rlsf_lightning`` for root where the
unprivileged user that compiles cannot enter that folder. It holds 230 MB, in a folder that is named after the compiler
and the headers, and appears as a whole or not at all: several processes may start at the same time.

Never here: anything that a model wrote.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.execution.sandbox import require
from rlsf_lightning.symbolic.verifier import program
from rlsf_lightning.symbolic.verifiers.cpp.compiler.forking import FORKING
from rlsf_lightning.symbolic.verifiers.cpp.compiler.judge import JUDGE
from rlsf_lightning.symbolic.verifiers.cpp.compiler.runner import RUNNER

STANDARDS = ("gnu++14", "gnu++17", "gnu++20")
INSTALL = "apt-get install g++   (Fedora: dnf install gcc-c++ libasan libubsan)"
TOOLS = (program("g++", INSTALL), program("gcov", INSTALL))
#: How programs are compiled that only run, and those whose runs tell where they go wrong: coverage and sanitizers.
PLAIN = "-O1 -w"
INSTRUMENTED = "-O0 -g1 -w -D_GLIBCXX_ASSERTIONS -fsanitize=address,undefined"
#: What a program gets that includes nothing itself, and what most programs use of <bits/stdc++.h>.
HEADERS = (
    "algorithm array bitset cassert cctype chrono climits cmath complex cstdint cstdio cstdlib cstring ctime deque "
    "fstream functional iomanip iostream iterator limits list map numeric queue random set sstream stack string tuple "
    "unordered_map unordered_set utility vector"
).split()

#: Linked into instrumented programs: what was executed is written down also when the program is ended from outside.
_RUNTIME = r"""
#include <signal.h>
#include <unistd.h>
void __gcov_dump(void);
static void stop(int number) { __gcov_dump(); _exit(128 + number); }
void __asan_on_error(void) { __gcov_dump(); }
__attribute__((constructor)) static void listen(void) {
  signal(SIGXCPU, stop); signal(SIGXFSZ, stop); signal(SIGTERM, stop);
}
"""
#: The compiler's output, where it is a program that forks, and what the assembler makes of it.
ASSEMBLY, OBJECT = "program.s", "program.o"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
#: Part of the cache folder's name: raise it with every change of what is in there.
_LAYOUT = 4


@dataclass(frozen=True)
class Toolchain:
    """A compiler that works, and the folder of what it made once."""

    version: str
    folder: Path
    #: Flags of the fastest linker that is there.
    link: str
    #: What g++ does to make ``./program`` of ``ASSEMBLY``, without g++; it can come to nothing where g++ would not.
    direct: str


def find_toolchain(standard: str) -> Toolchain:
    """The compiler and its warm cache; the first call on a machine takes some ten seconds.

    Raises:
        UserError: g++ or gcov is missing or does not work, or no cache folder can be written.
    """
    require("g++", INSTALL)
    require("gcov", INSTALL)
    version = _run("g++", "-dumpfullversion")
    linker = next((name for name in ("mold", "lld", "gold") if shutil.which(f"ld.{name}")), None)
    link = "" if linker is None else f"-fuse-ld={linker}"
    known = "\n".join(
        [str(_LAYOUT), _run("g++", "-v"), standard, PLAIN, INSTRUMENTED, *HEADERS, _RUNTIME, RUNNER, JUDGE, FORKING]
    )
    name = f"cpp-{version}-{standard}-{hashlib.blake2b(known.encode(), digest_size=6).hexdigest()}"
    cache = cache_folder()
    with open(cache / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / name).is_dir():
            print(f"compiling the headers of C++, once on this machine, into {cache}", file=sys.stderr, flush=True)
            _build(cache, name, standard)
    return Toolchain(version, cache / name, link, _direct(link))


def _direct(link: str) -> str:
    """The commands of assembler and linker as g++ tells them: its own start, and what it asks a plug-in of the linker for
    that finds nothing to do, take as long as a short program's linking. g++ itself where they are not understood.
    """
    through = f"g++ {link} {ASSEMBLY} -o program"
    told = subprocess.run([*through.split(), "-###"], capture_output=True, text=True, env=_ENVIRONMENT).stderr
    commands = [shlex.split(line) for line in told.splitlines() if line.startswith(" ")]
    if [Path(command[0]).name for command in commands if command] != ["as", "collect2"] or "-o" not in commands[0]:
        return through
    assemble, collect = commands
    made = assemble[assemble.index("-o") + 1]
    linker = link.replace("-fuse-ld=", "ld.") or "ld"
    arguments = [one for one in collect[1:] if not one.startswith(("-plugin-opt", "-fuse-ld"))]
    while "-plugin" in arguments:
        at = arguments.index("-plugin")
        del arguments[at : at + 2]
    if arguments.count(made) != 1:
        return through
    both = [[OBJECT if one == made else one for one in command] for command in (assemble, [linker, *arguments])]
    return " && ".join(map(shlex.join, both))


def cache_folder() -> Path:
    """The folder of the cache, made if it is not there."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rlsf_lightning"
    folder = usual
    try:
        if os.geteuid() == 0 and not _anyone_may_enter(usual):
            folder = Path("/var/cache/rlsf_lightning")
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o755)
    except OSError as error:
        raise UserError(
            f"the cache folder {folder} cannot be written ({error.strerror}): set XDG_CACHE_HOME to another folder"
        ) from None
    return folder


def _anyone_may_enter(folder: Path) -> bool:
    """Whether another user reaches what lies in there: every folder on the way lets others pass."""
    there = [parent for parent in folder.resolve().parents if parent.is_dir()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in there)


def _build(cache: Path, name: str, standard: str) -> None:
    """Fill the cache folder beside its place, and move it there when all is well."""
    with tempfile.TemporaryDirectory(dir=cache) as place:
        made = Path(place, name)
        common = "".join(f"#include <{header}>\n" for header in HEADERS)
        _headers(
            made / "slim", f"#ifndef RLSF_STDCXX\n#define RLSF_STDCXX\n{common}#endif\n", standard, instrumented=True
        )
        (made / "slim" / "using.h").write_text("using namespace std;\n")
        _headers(made / "full", _whole_library(standard), standard, instrumented=False)
        for program, text in {"runtime": _RUNTIME, "runner": RUNNER}.items():
            (made / f"{program}.c").write_text(text)
            _run("gcc", "-O1", "-c", str(made / f"{program}.c"), "-o", str(made / f"{program}.o"))
        (made / "judge.c").write_text(JUDGE)
        _run("gcc", "-O1", str(made / "judge.c"), "-o", str(made / "judge"))
        (made / "forking.c").write_text(FORKING)
        _run("gcc", "-O1", "-shared", "-fPIC", str(made / "forking.c"), "-o", str(made / "forking.so"), "-ldl")
        for path in (made, *made.rglob("*")):  # the user that compiles is another one, whatever the umask
            path.chmod(0o755 if path.is_dir() or path.name == "judge" else 0o644)
        os.rename(made, cache / name)


def _headers(folder: Path, text: str, standard: str, *, instrumented: bool) -> None:
    """``folder/bits/stdc++.h`` and, beside it, what the compiler takes in its stead."""
    header = folder / "bits" / "stdc++.h"
    compiled = folder / "bits" / "stdc++.h.gch"
    compiled.mkdir(parents=True)
    header.write_text(text)
    for name, flags in {"plain": PLAIN, "watched": INSTRUMENTED}.items() if instrumented else [("plain", PLAIN)]:
        flags_of = [f"-std={standard}", *flags.split()]
        _run("g++", *flags_of, "-x", "c++-header", str(header), "-o", str(compiled / f"{name}.gch"))


def _whole_library(standard: str) -> str:
    """The library's own ``bits/stdc++.h``."""
    lines = _run("g++", f"-std={standard}", "-E", "-x", "c++", "-include", "bits/stdc++.h", "/dev/null").splitlines()
    path = next(
        line.split('"')[1] for line in lines if line.startswith("# ") and line.split('"')[1].endswith("stdc++.h")
    )
    return Path(path).read_text()


def _run(*command: str) -> str:
    """What a tool prints, on either output. It gets only what is written in this file."""
    done = subprocess.run(command, capture_output=True, text=True, env=_ENVIRONMENT, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise UserError(
            f"`{' '.join(command)[:200]}` failed: {done.stderr.strip()[-500:]}\ninstall the compiler: {INSTALL}"
        )
    return done.stdout.strip() or done.stderr.strip()
