"""A user's mistake, a tool's failure, and the line that installs what is missing."""


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
