"""Write one page about a run: figures before and after, curves, mistakes, and samples with their tokens and findings.

    python -m rlsf_lightning.report run_dir=runs/chem_iupac/TIME
    python -m rlsf_lightning.report run_dir=runs/chem_iupac/TIME output=report.html

The page is one file that opens from the disk and asks for nothing on a network. It needs
pip install "rlsf-lightning[report]".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import MISSING

from rlsf_lightning.config import cli
from rlsf_lightning.errors import UserError, install_hint

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe

REPORT_FILE = "report.html"
#: Packages of the extra ``report``.
PACKAGES = ("jinja2", "plotly")


@dataclass
class Options:
    #: The folder of the run.
    run_dir: str = MISSING
    #: The file to write; null: report.html in the run's folder.
    output: str | None = None


def run(recipe: Recipe, options: Options) -> None:
    output = Path(options.run_dir) / REPORT_FILE if options.output is None else Path(options.output)
    if options.output is not None and (
        output.is_dir() or not output.parent.is_dir() or not os.access(output.parent, os.W_OK)
    ):
        raise UserError(f"output={output}: cannot write there; name a file in an existing folder")
    write_report(Path(options.run_dir), output)
    print(f"written to {output}")


def write_report(run_dir: Path, output: Path) -> None:
    """Read a run's folder and write its page.

    Raises:
        UserError: the folder is no run's, or the extra is not installed.
        OSError: the page cannot be written.
    """
    missing = missing_packages()
    if missing:
        raise UserError(f"a report needs {' and '.join(missing)}: {install_hint('report')}")

    from rlsf_lightning.report.page import render
    from rlsf_lightning.report.read import read_run
    from rlsf_lightning.training.run.writing import write_atomically

    write_atomically(output, render(read_run(run_dir)))


def missing_packages() -> list[str]:
    """Those that the page is made with and that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def main(argv: Sequence[str] | None = None) -> None:
    """The command; the recipe is the run's own, so none is named."""
    cli.main(__doc__, run, Options, argv, default_recipe="_base", optional=["data.source", "verifier.name"])
