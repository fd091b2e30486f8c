"""Arguments ``key=value`` of the programs that convert data sets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean

Options = TypeVar("Options")


def read(program: str, words: Sequence[str], options: Options, required: Sequence[str], usage: str) -> Options:
    """The options, each of its default's type (int, bool or str). Raises UserError for what is missing or unknown."""
    known = vars(options)
    for word in words:
        key, _, value = word.partition("=")
        if key not in known:
            raise UserError(f"{program}: no key `{key}`{did_you_mean(key, known)}\nkeys: {', '.join(known)}")
        kind = type(known[key])
        if (kind is int and not value.isdecimal()) or (kind is bool and value not in ("true", "false")):
            raise UserError(f"{program}: {word}: expects {'a whole number' if kind is int else 'true or false'}")
        setattr(options, key, value == "true" if kind is bool else kind(value))
    for key in required:
        if not known[key]:
            raise UserError(f"{program}: `{key}` is missing; write {usage}")
    return options


def run(doc: str | None, main: Callable[[Sequence[str]], None]) -> None:
    """The program: its docstring where there is no argument, and one line for a user's mistake."""
    if len(sys.argv) == 1 or sys.argv[1] in ("-h", "--help"):
        raise SystemExit(doc)
    try:
        main(sys.argv[1:])
    except UserError as mistake:
        raise SystemExit(f"error: {mistake}") from None
