"""The search path of recipes: the working directory's folder first, then what the package ships. Paths only."""

from __future__ import annotations

import os
from pathlib import Path

from rlsf_lightning.config.extension_points import search_folders
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean


def find_recipe(name: str, named_in: Path | None = None) -> Path:
    """The file of the recipe ``name``.

    A name is looked up as ``recipes/NAME.yaml`` on the search path. What ends in .yaml or .yml is a path, relative to
    the working directory or, for a ``base:``, to the folder of the file ``named_in`` that names it.
    """
    if name.endswith((".yaml", ".yml")):
        path = (named_in.parent if named_in else Path.cwd()) / Path(name).expanduser()
        if not os.path.isfile(path):  # unlike Path.is_file, no error for impossible names
            raise UserError(f"no recipe file {path}{_asked_by(named_in)}")
        return path
    for folder in search_folders("recipes"):
        if name and os.path.isfile(folder / f"{name}.yaml"):
            return folder / f"{name}.yaml"
    known = [known_name for known_name, _, _ in list_recipes()]
    places = ", ".join(str(folder) for folder in search_folders("recipes"))
    raise UserError(
        f"no recipe `{name}`{_asked_by(named_in)}{did_you_mean(name, known)}\n"
        f"recipes: {', '.join(known) or 'none'} (looked in {places}; a path that ends in .yaml works too)"
    )


def list_recipes() -> list[tuple[str, Path, str]]:
    """(name, file, first line of its header) of every recipe that ``recipe=`` finds, but for ``_base`` and its like."""
    found: dict[str, Path] = {}
    for folder in search_folders("recipes"):
        for path in sorted(folder.glob("*.yaml")):
            if not path.name.startswith("_"):
                found.setdefault(path.stem, path)
    return [(name, path, (recipe_header(path) or [""])[0]) for name, path in sorted(found.items())]


def recipe_header(path: Path) -> list[str]:
    """The lines of the comment that a recipe opens with, which is its manual."""
    lines = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.startswith("#"):
                break
            lines.append(line.removeprefix("#").removeprefix(" ").rstrip())
    return lines


def _asked_by(named_in: Path | None) -> str:
    return f", which {named_in} names as its base" if named_in else ""
