"""A user's mistake, and a tool's failure."""


class UserError(Exception):
    """Something that the user can mend. The message says what is wrong, the value seen and the line to write.

    Commands print it alone, without a traceback, and exit with 2.
    """


class ToolFailed(Exception):
    """A symbolic tool gave no answer; the message says why. It never means that the completion is wrong."""
