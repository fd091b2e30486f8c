"""The one exception for a user's mistakes: commands print its message alone, without a traceback, and exit with 2."""


class UserError(Exception):
    """Something that the user can mend. The message says what is wrong, the value seen and the line to write."""
