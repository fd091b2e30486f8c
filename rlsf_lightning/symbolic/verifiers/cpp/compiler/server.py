"""A compiler that has loaded its headers and forks for each text (``forking``), in a sandbox of its own.

It never runs a program, and does only what g++ would do in the same way: for any other text, and for whatever does not end
as a compilation usually does, there is no answer here, and the caller starts g++ itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import struct
import subprocess
import threading
import time
import weakref
from typing import NamedTuple

from rlsf_lightning.symbolic.execution.sandbox import Limits, Sandbox, end
from rlsf_lightning.symbolic.verifiers.cpp.compiler.forking import COMPILE_SECONDS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.scripts import DROPPED
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import HEADERS, Toolchain
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program

#: Seconds until the headers are loaded; a machine may be busy.
_START_SECONDS = 60.0
#: How often a server is started; one that ends more often is of no use here.
_MOST_STARTS = 20
#: What must come of a right and of a wrong text before others are asked about.
_RIGHT = "int main() { std::vector<std::string> a(2); std::sort(a.begin(), a.end()); std::cout << a[0]; }"
_WRONG, _SAID = "int main() { int x = ; }", "program.cpp:1:22: error: expected primary-expression before"
#: Bytes of an answer's part; more is none of the compiler's.
_LARGEST = 64 << 20
_WORD = struct.Struct("l")
#: What depends on the name, the time or the depth of a file, or is judged after all has been read; characters that stand for
#: a line's end, or for nothing at the beginning of a file, and those of no encoding.
_ELSEWHERE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ud800-\udfff]|\basm\b|_Pragma|source_location|__(?!int128|gcd\b|lg\b|builtin_(?:popcount|ctz|clz))"
)
_INCLUDE = re.compile(r"#\s*(?:include|import)\b[^\n]*")
_DEFINE = re.compile(r"#\s*define\s")
_WHOLE = "#include<bits/stdc++.h>"
#: Directives that bring in nothing new once the headers are loaded, without blanks.
_NOTHING_NEW = frozenset((_WHOLE, *(f"#include<{header}>" for header in HEADERS)))


class Compiled(NamedTuple):
    """``code``: the compiler's exit code, 0 or 1. ``assembly``: of a text that compiles."""

    code: int
    printed: str
    assembly: bytes


class CompilerServer:
    """One compiler with one set of arguments; started when it is first asked, and again when it ended.

    Args:
        arguments: of g++, with those for headers.
    """

    def __init__(self, sandbox: Sandbox, toolchain: Toolchain, arguments: str, limits: Limits) -> None:
        self._sandbox, self._toolchain, self._limits = sandbox, toolchain, limits
        self._script = (
            ": >main.cpp; : >lined\nexec 3<&0 4>&1 </dev/null >printed 2>&1\n"
            f'g++ {arguments} -include lined -S -o - main.cpp -wrapper env,LD_PRELOAD="$tools"/forking.so'
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._owner, self._starts, self._lock = 0, 0, threading.Lock()

    def compile(self, text: str, *, first_error: bool = False) -> Compiled | None:
        """What g++ says of a text; None: it has to be asked itself. ``first_error``: and nothing after that."""
        with self._lock:
            try:
                process = self._running()
                return None if process is None else self._asked(process, text.encode(), first_error)
            except OSError:
                self._stop()
                return None

    def _asked(self, process: subprocess.Popen[bytes], text: bytes, first_error: bool = False) -> Compiled | None:
        assert process.stdin is not None
        deadline = time.monotonic() + 2.0 * COMPILE_SECONDS
        process.stdin.write(_WORD.pack(-len(text) if first_error else len(text)) + text)
        process.stdin.flush()
        status = self._number(process, deadline)
        printed = self._part(process, deadline)
        assembly = self._part(process, deadline)
        words = printed.decode("utf-8", "replace")
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return Compiled(0, "", assembly)
        return Compiled(1, words, b"") if code == 1 and ": error: " in words else None

    def _running(self) -> subprocess.Popen[bytes] | None:
        """The process, ready for a text; None where it does not start."""
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        if self._starts == _MOST_STARTS:
            return None
        self._stop()
        self._starts += 1
        shared = {"tools": self._toolchain.folder}
        self._process, self._owner = self._sandbox.start(self._script, limits=self._limits, shared=shared), os.getpid()
        weakref.finalize(self, _end_of, self._process, self._owner)
        if not self._works(self._process):
            self._starts = _MOST_STARTS
            raise OSError("the compiler does not work as a server")
        return self._process

    def _works(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            if self._number(process, time.monotonic() + _START_SECONDS) != 1:
                return False
            right, wrong = self._asked(process, _RIGHT.encode()), self._asked(process, _WRONG.encode())
        except OSError:
            return False
        return right is not None and b"\nmain:" in right.assembly and wrong is not None and _SAID in wrong.printed

    def _stop(self) -> None:
        if self._process is not None:
            _end_of(self._process, self._owner)
            self._process = None

    def _part(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        size = self._number(process, deadline)
        if not 0 <= size <= _LARGEST:
            raise OSError(f"an answer of {size} bytes")
        return _read(process, size, deadline)

    def _number(self, process: subprocess.Popen[bytes], deadline: float) -> int:
        return int(_WORD.unpack(_read(process, _WORD.size, deadline))[0])


def is_served(program: Program) -> bool:
    """Whether the server does the same with a program as g++: one that includes nothing, or the whole library first."""
    if _ELSEWHERE.search(program.text) or not program.text.strip():
        return False
    directives = [token.text for token in program.tokens if token.kind == "directive"]
    if not program.includes_first:
        return not directives
    begins = _bare(program.tokens[0].text) == _WHOLE
    return begins and all(_DEFINE.match(one) or _bare(one) in _NOTHING_NEW for one in directives)


def includes_known(versions: str) -> bool:
    """The same of a text of many versions (``repair.versions``)."""
    included = {_bare(found.group()) for found in _INCLUDE.finditer(versions)}
    return not _ELSEWHERE.search(versions) and included <= _NOTHING_NEW | {f'#include"{DROPPED}"'}


def _bare(directive: str) -> str:
    return "".join(directive.split())


def _read(process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
    """So many bytes. Raises OSError when they do not come."""
    assert process.stdout is not None
    file, parts = process.stdout.fileno(), b""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    while len(parts) < size:
        left = deadline - time.monotonic()
        part = os.read(file, size - len(parts)) if left > 0 and poll.poll(1000 * left) else b""
        if not part:
            raise OSError("the compiler ended, or takes too long")
        parts += part
    return parts


def _end_of(process: subprocess.Popen[bytes], owner: int) -> None:
    """In a forked copy of the owner only its files are closed."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    if owner == os.getpid():
        end(process)
