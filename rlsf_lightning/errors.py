"""A user's mistake, a tool's failure, a signal to stop, and the line that installs what is missing."""

from __future__ import annotations

import signal


class UserError(Exception):
    """Something that the user can mend. The message says what is wrong, the value seen and the line to write.

    Commands print it alone, without a traceback, and exit with 2.
    """


class ToolFailed(Exception):
    """A symbolic tool gave no answer; the message says why. It never means that the completion is wrong."""


def offline_hint(name: str, line: str, *, is_dataset: bool = False) -> str:
    """The end of a message about a name of the Hugging Face hub that cannot be reached: what to do without a connection."""
    kind = " --repo-type dataset" if is_dataset else ""
    return (
        f"without a connection, download it where there is one (hf download {name}{kind} --local-dir FOLDER), copy the folder, "
        f"and write {line}"
    )


def install_hint(extra: str) -> str:
    """The line that installs an extra of this package, from an index and from a clone."""
    return f'pip install "rlsf-lightning[{extra}]", or from a clone: pip install -e ".[{extra}]"'


class Stopped(SystemExit):
    """A signal asked for an end. The process exits with the status that shells give to it: 143 for SIGTERM, 130 for SIGINT.

    ``told`` is what the user should know: what was kept, and how to go on.
    """

    def __init__(self, signum: int, told: str = "") -> None:
        super().__init__(128 + signum)
        self.signum, self.told = signum, told

    def __str__(self) -> str:
        name = signal.Signals(self.signum).name
        return f"stopped by {name}" + (f" {self.told}" if self.told else "")


def stop_behind(error: BaseException) -> Stopped | None:
    """The signal on whose account something failed: a library that was interrupted may end with an error of its own."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, Stopped):
        seen = seen.__cause__ or seen.__context__
    return seen
