"""A user's mistake, a tool's failure, and the line that installs what is missing."""


class UserError(Exception):
    """Something that the user can mend. The message says what is wrong, the value seen and the line to write.

    Commands print it alone, without a traceback, and exit with 2.
    """


class ToolFailed(Exception):
    """A symbolic tool gave no answer; the message says why. It never means that the completion is wrong."""


def install_hint(extra: str) -> str:
    """The line that installs an extra of this package, from an index and from a clone."""
    return f'pip install "rlsf-lightning[{extra}]", or from a clone: pip install -e ".[{extra}]"'
