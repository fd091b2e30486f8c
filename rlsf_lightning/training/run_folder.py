"""A run's folder: ``runs/<recipe>/<time>/`` with the resolved recipe, metrics, samples, checkpoints and the summary.

Everything is written beside its place and moved there, so that a file is either whole or absent. Torch-free but for
reading checkpoints.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from rlsf_lightning.errors import UserError

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe

RECIPE_FILE = "recipe.yaml"
SUMMARY_FILE = "summary.json"
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


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that a reader never sees half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    """``value`` as indented JSON, written atomically."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def find_run(recipe: Recipe, prefix: str = "") -> Run:
    """A run's folder, which need not be there yet, and the checkpoint to go on from. Writes nothing.

    ``prefix`` sets the runs of one command apart from those of another with the same recipe.
    """
    folder = _inherited_folder() or _choose_folder(recipe, prefix)
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise _unwritable(folder, os.strerror(errno.EACCES if there.is_dir() else errno.ENOTDIR))
    checkpoint = _checkpoint(recipe, folder)
    found = read_checkpoint(checkpoint) if checkpoint else {"steps_done": 0, "epoch": -1}
    return Run(folder, checkpoint, found["steps_done"], found["epoch"] + 1)


def open_run(recipe: Recipe, run: Run) -> None:
    """Make the run's folder if need be, and write the resolved recipe into it."""
    folder = run.folder
    try:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(folder, error.strerror) from None
    if _inherited_folder() is None:
        os.environ[_RUN_DIR_VARIABLE] = f"{os.getpid()} {folder}"
        write_atomically(folder / RECIPE_FILE, OmegaConf.to_yaml(recipe))


def _unwritable(folder: Path, reason: str | None) -> UserError:
    return UserError(f"cannot write to the run directory {folder} ({reason}); set run_dir=PATH")


def _inherited_folder() -> Path | None:
    """The folder of the process that started this one as a further rank of its run."""
    starter, _, inherited = os.environ.get(_RUN_DIR_VARIABLE, "").partition(" ")
    return Path(inherited) if inherited and starter != str(os.getpid()) else None


def _choose_folder(recipe: Recipe, prefix: str) -> Path:
    if recipe.run_dir is not None:
        folder = Path(recipe.run_dir)
        if recipe.resume == "never" and (folder / RECIPE_FILE).exists():
            raise UserError(f"{folder} already holds a run; go on with it by resume=auto, or choose another run_dir")
        return folder
    runs = Path("runs") / recipe.recipe
    if recipe.resume == "auto":
        for folder in sorted(runs.glob(f"{prefix}[0-9]*/"), reverse=True):
            if not (folder / SUMMARY_FILE).exists() and _is_same_recipe(folder, recipe):
                return folder
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


def _checkpoint(recipe: Recipe, folder: Path) -> Path | None:
    if recipe.resume == "never":
        return None
    if recipe.resume != "auto":
        path = Path(recipe.resume)
        if not path.exists():
            raise UserError(
                f"resume={path}: there is no such file; resume=auto takes the run directory's last checkpoint"
            )
        read_checkpoint(path)
        return path
    for path in sorted(folder.glob("checkpoints/*.ckpt"), key=lambda p: p.stat().st_mtime, reverse=True):
        try:
            read_checkpoint(path)
        except UserError:
            continue  # a disk that filled up while it was written: the one before it is whole
        return path
    return None


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, with nothing but tensors and plain values allowed in it."""
    import torch

    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        checkpoint["state_dict"], checkpoint["steps_done"], checkpoint["epoch"]
    except Exception as error:  # what a damaged file raises is not documented
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{path} is not a readable checkpoint ({first_line[:200]}); "
            f"start from another one of {path.parent} with resume=PATH, or anew with resume=never"
        ) from None
    return checkpoint
