"""A run's folder: ``runs/<recipe>/<time>/`` with the resolved recipe, metrics, samples, checkpoints and the summary."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from rlsf_lightning.errors import UserError
from rlsf_lightning.training.run.checkpoints import FOLDER as CHECKPOINTS
from rlsf_lightning.training.run.checkpoints import newest_first, read_checkpoint
from rlsf_lightning.training.run.writing import remove_partial, write_atomically

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.training.run.launch import Launch

RECIPE_FILE = "recipe.yaml"
SUMMARY_FILE = "summary.json"
#: Which launch of a cluster's opened the run, so that a restart of that launch goes on with it.
LAUNCH_FILE = ".launch"
#: "PID FOLDER", set for the processes that a Lightning strategy starts with the same command, so that all share one
#: folder. In the process that set it, it is that of a run before, and not read.
_RUN_DIR_VARIABLE = "RLSF_RUN_DIR"


@dataclass(frozen=True)
class Run:
    """Where a run is written and from which checkpoint it goes on."""

    folder: Path
    checkpoint: Path | None
    #: Training steps that the checkpoint has behind it.
    first_step: int = 0
    first_epoch: int = 0
    #: What the user should know of how it was found.
    notes: tuple[str, ...] = ()


def find_run(recipe: Recipe, prefix: str = "", launch: Launch | None = None) -> Run:
    """A run's folder, which need not be there yet, and the checkpoint to go on from. Writes nothing.

    Args:
        prefix: sets the runs of one command apart from those of another with the same recipe.
        launch: a cluster's; one that is started again goes on with the run that it had opened.

    Raises:
        UserError: the folder cannot be written to or holds a run already; a checkpoint that is named cannot be read.
    """
    inherited = _inherited_folder()
    folder = inherited or _restarted_folder(recipe, launch) or _choose_folder(recipe, prefix)
    goes_on = recipe.resume == "auto" or (launch is not None and launch.is_restart)
    try:
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    except OSError as error:  # a name that is too long
        raise _unwritable(folder, error.strerror) from None
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise _unwritable(folder, os.strerror(errno.EACCES if there.is_dir() else errno.ENOTDIR))
    if recipe.resume not in ("auto", "never"):
        path = _named_checkpoint(recipe.resume)
        return _run_from(folder, path, read_checkpoint(path))
    if not goes_on:
        return Run(folder, None)
    damaged = []
    for path in newest_first(folder / CHECKPOINTS):
        try:
            run = _run_from(folder, path, read_checkpoint(path))
        except UserError:
            damaged.append(f"{path} is damaged: the one before it is taken")
            continue
        return replace(run, notes=(*damaged, f"goes on from {path} ({run.first_step} steps are done)"))
    return Run(folder, None, notes=(*damaged, _nothing_found(recipe, folder)))


def _nothing_found(recipe: Recipe, folder: Path) -> str:
    where = f"no unfinished run of this recipe in {folder.parent} has a checkpoint"
    if recipe.run_dir is not None or folder.exists():
        where = f"{folder} has no checkpoint"
    return f"resume=auto: {where}, so training starts at step 0 in {folder}"


def _run_from(folder: Path, path: Path, checkpoint: dict[str, Any]) -> Run:
    return Run(folder, path, checkpoint["steps_done"], checkpoint["epoch"] + 1)


def _named_checkpoint(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise UserError(f"resume={path}: there is no such file; resume=auto takes the run directory's last checkpoint")
    return path


def open_run(recipe: Recipe, run: Run, launch: Launch | None = None) -> None:
    """Make the run's folder if need be, write the resolved recipe into it, and say how it was found. Rank 0 alone."""
    folder = run.folder
    try:
        (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(folder, error.strerror) from None
    if _inherited_folder() is None:
        os.environ[_RUN_DIR_VARIABLE] = f"{os.getpid()} {folder}"
        remove_partial(folder)
        remove_partial(folder / CHECKPOINTS)
        write_atomically(folder / RECIPE_FILE, OmegaConf.to_yaml(recipe))
        if launch is not None:
            write_atomically(folder / LAUNCH_FILE, launch.name)
        for note in run.notes:
            print(note, file=sys.stderr)


def _unwritable(folder: Path, reason: str | None) -> UserError:
    return UserError(f"cannot write to the run directory {folder} ({reason}); set run_dir=PATH")


def _inherited_folder() -> Path | None:
    """The folder of the process that started this one as a further rank of its run."""
    starter, _, inherited = os.environ.get(_RUN_DIR_VARIABLE, "").partition(" ")
    return Path(inherited) if inherited and starter != str(os.getpid()) else None


def _restarted_folder(recipe: Recipe, launch: Launch | None) -> Path | None:
    """The folder that this very launch had opened before it was started again."""
    if launch is None or not launch.is_restart:
        return None
    folders = [Path(recipe.run_dir)] if recipe.run_dir is not None else _runs(recipe)
    return next((folder for folder in folders if _text_of(folder / LAUNCH_FILE) == launch.name), None)


def _runs(recipe: Recipe, prefix: str = "") -> Iterator[Path]:
    """The recipe's run folders, the newest first."""
    yield from sorted((Path("runs") / recipe.recipe).glob(f"{prefix}[0-9]*/"), reverse=True)


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def _choose_folder(recipe: Recipe, prefix: str) -> Path:
    if recipe.run_dir is not None:
        folder = Path(recipe.run_dir)
        if recipe.resume == "never" and os.path.exists(folder / RECIPE_FILE):  # no error for impossible names
            raise UserError(f"{folder} already holds a run; go on with it by resume=auto, or choose another run_dir")
        return folder
    if recipe.resume == "auto":
        for folder in _runs(recipe, prefix):
            is_open = not (folder / SUMMARY_FILE).exists() and any(newest_first(folder / CHECKPOINTS))
            if is_open and _is_same_recipe(folder, recipe):
                return folder
    runs = Path("runs") / recipe.recipe
    start = prefix + datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder, number = runs / start, 1
    while folder.exists():
        number += 1
        folder = runs / f"{start}_{number}"
    return folder


def _is_same_recipe(folder: Path, recipe: Recipe) -> bool:
    """Whether the run in ``folder`` had this very recipe, apart from where it is written and how it starts."""
    try:
        other = OmegaConf.to_container(OmegaConf.load(folder / RECIPE_FILE))
    except (OSError, ValueError):
        return False
    mine = OmegaConf.to_container(recipe)
    assert isinstance(mine, dict) and isinstance(other, dict)
    return all(
        mine.get(key) == other.get(key) for key in mine.keys() | other.keys() if key not in ("run_dir", "resume")
    )
