"""Check a recipe's data before a run: known answers by its own verifier, lengths in tokens, tools, splits, dropped rows.

    python -m rlsf_lightning.validate recipe=chem_iupac
    python -m rlsf_lightning.validate recipe=chem_iupac data.path=pairs.tsv limit=500
    python -m rlsf_lightning.validate recipe=chem_iupac data.path=pairs.tsv output=wrong.jsonl format=json

The report goes to standard output; every known answer that does not pass goes into the file ``output``, with what was found,
in rows that ``certify input=`` reads. The exit status is 0 where all is well, and 1 where a run would fail or learn
nothing: a tool is missing, splits share something, most known answers do not pass, or no prompt fits. Of the policy only
the tokenizer is loaded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rlsf_lightning.config import cli
from rlsf_lightning.config.cores import cores
from rlsf_lightning.errors import UserError

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.prompts.checks.report import DataReport
    from rlsf_lightning.prompts.lengths import PromptLengths


@dataclass
class Options:
    #: What is printed: table or json.
    format: str = "table"
    #: Known answers of each split that are judged; null: all, and 1,000 of a source that makes them.
    limit: int | None = None
    #: Processes that judge; null: verifier.workers, or one for each core; 0: this process, which no tool's crash then spares.
    workers: int | None = None
    #: A JSON-lines file for the known answers that do not pass; null: three of each kind are shown.
    output: str | None = None


def run(recipe: Recipe, options: Options) -> None:
    if options.format not in ("table", "json"):
        raise UserError(f"format={options.format}: write format=table or format=json")
    for key, least in (("limit", 1), ("workers", 0)):
        value = getattr(options, key)
        if value is not None and value < least:
            raise UserError(f"{key}={value}: expects {least} or more")
    if options.output is not None:
        target = Path(options.output).expanduser()
        if target.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK):
            raise UserError(f"output={target}: cannot write there; name a file in an existing folder")

    from rlsf_lightning.evaluate import stdout_to_stderr
    from rlsf_lightning.prompts.checks.report import table

    with stdout_to_stderr():
        report = examine(recipe, options)
    print(json.dumps(report.to_dict(), indent=1) if options.format == "json" else table(report))
    if report.problems:
        raise SystemExit(1)


def examine(recipe: Recipe, options: Options) -> DataReport:
    """Read and judge everything. Raises UserError for what cannot be read at all."""
    from rlsf_lightning.prompts import described
    from rlsf_lightning.prompts.checks.gold import GoldJudge
    from rlsf_lightning.prompts.checks.report import DataReport
    from rlsf_lightning.prompts.checks.survey import survey
    from rlsf_lightning.symbolic.loader import find_verifier

    tools = [
        {"name": tool.name, "found": tool.is_there(), "install": tool.install}
        for tool in getattr(find_verifier(recipe.verifier.name), "tools", ())
    ]
    problems = list[str]()
    lengths = _or_problem(problems, lambda: _lengths_of(recipe))
    report = DataReport(
        recipe=recipe.recipe,
        source=described(recipe.data),
        verifier=recipe.verifier.name,
        tools=tools,
        survey=survey(recipe, lengths, options.limit),
        lengths=lengths,
        problems=problems,
    )
    workers = (recipe.verifier.workers or cores()) if options.workers is None else options.workers
    judge = _or_problem(problems, lambda: GoldJudge(recipe, workers))
    if judge is not None:
        with judge, open(os.devnull if options.output is None else Path(options.output).expanduser(), "w") as file:
            for split in report.survey.splits:
                prompts = report.survey.prompts_of(recipe, split, options.limit)
                report.gold[split] = judge.tally(prompts, partial(_write, file, split))
    report.conclude(recipe.data.too_long)
    return report


def _write(file: IO[str], split: str, row: dict[str, Any]) -> None:
    """A line of the file ``output``."""
    file.write(json.dumps({"split": split, **row}) + "\n")


def _lengths_of(recipe: Recipe) -> PromptLengths:
    from rlsf_lightning.evaluation.lengths import lengths_of
    from rlsf_lightning.policy.preflight import check_policy

    check_policy(recipe.policy)
    return lengths_of(recipe)


def _or_problem(problems: list[str], made: Any) -> Any:
    """What is made; None where that is a user's mistake, which is noted."""
    try:
        return made()
    except UserError as error:
        problems.append(str(error))
        return None


def main(argv: Sequence[str] | None = None) -> None:
    """The command; ``argv`` defaults to the process's arguments."""
    cli.main(__doc__, run, Options, argv)


if __name__ == "__main__":
    main()
