"""The commands under one name: ``rlsf COMMAND recipe=NAME key=value ...``, the same as ``python -m rlsf_lightning.COMMAND``.

rlsf fit recipe=chem_iupac
rlsf certify verifier=smiles completion=CCO
rlsf --version
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from rlsf_lightning._version import __version__
from rlsf_lightning.config.cli import HELP_WORDS, VERSION_WORDS
from rlsf_lightning.suggest import did_you_mean

COMMANDS = ("validate", "fit", "sft", "evaluate", "certify", "export", "report")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the first argument names with the others. Exits with 2 where there is none of that name."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    first = arguments[0] if arguments else None
    if first in COMMANDS:
        import_module(f"rlsf_lightning.{first}").main(arguments[1:])
    elif first in VERSION_WORDS:
        print(f"rlsf-lightning {__version__}")
    elif first in HELP_WORDS:
        print(overview())
    else:
        told = "which command?" if first is None else f"`{first}`: no such command{did_you_mean(first, COMMANDS)}"
        print(f"error: {told}\n{overview()}", file=sys.stderr)
        raise SystemExit(2)


def overview() -> str:
    """Every command with the first line of its help."""
    lines = []
    for name in COMMANDS:
        summary = (import_module(f"rlsf_lightning.{name}").__doc__ or "").partition("\n")[0]
        lines.append(f"  rlsf {name:<9} {summary}")
    return "\n".join([*lines, "", "Each explains itself: rlsf COMMAND --help"])


if __name__ == "__main__":
    main()
