"""The command line that all commands share: ``recipe=NAME key=value ...``, ``--help``, ``--version``, ``recipe=list``,
and error messages.

A user's mistake is one message on stderr and exit status 2; SIGTERM is 143, an interrupt 130. Nothing but help and listings is
written to stdout here, and no torch is imported before the arguments are right.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from omegaconf import DictConfig

from rlsf_lightning._version import __version__
from rlsf_lightning.config.environment import prepare_environment, silence_libraries
from rlsf_lightning.config.plugins import Kind
from rlsf_lightning.config.recipe import load_options, load_recipe
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.schema_fields import Key, describe_keys, keys_of
from rlsf_lightning.config.search_path import find_recipe, list_recipes, recipe_header
from rlsf_lightning.config.stop_signals import StopSignals, stops_alone
from rlsf_lightning.errors import Stopped, UserError
from rlsf_lightning.suggest import did_you_mean

HELP_WORDS = ("--help", "-h", "help")
VERSION_WORDS = ("--version", "-V")


def main(
    doc: str | None,
    run: Callable[[Recipe, Any], None],
    options: type | None = None,
    argv: Sequence[str] | None = None,
    *,
    default_recipe: str | None = None,
    optional: Collection[str] = (),
) -> None:
    """Run a command: ``run(recipe, options)``.

    ``doc`` is the help text. ``options`` is a dataclass of the command's own keys, documented by ``#:`` comments;
    without it ``run`` gets None in its place. ``argv`` defaults to the process's arguments. ``default_recipe`` is taken
    where none is named, and ``optional`` are keys of a recipe that this command can do without. Exits with 2 after a
    ``UserError``, with 143 after SIGTERM, 130 after Ctrl-C, and 141 where nobody reads the output any more.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_environment()
    silence_libraries()
    try:
        with StopSignals().installed(), stops_alone():
            _main(doc or "", run, options, arguments, default_recipe, optional)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except Stopped as stop:
        print(stop, file=sys.stderr)
        raise
    except KeyboardInterrupt:  # where signals are somebody else's: in a thread, a notebook
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough. Without this Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + 13) from None


def _main(
    doc: str,
    run: Callable[[Recipe, Any], None],
    options: type | None,
    arguments: list[str],
    default_recipe: str | None,
    optional: Collection[str],
) -> None:
    if any(word in VERSION_WORDS for word in arguments):
        print(f"rlsf-lightning {__version__}")
        return
    wants_help = any(word in HELP_WORDS for word in arguments)
    pairs = [word for word in arguments if word not in HELP_WORDS]
    for word in pairs:
        _check_pair(word)
    names = [pair.partition("=")[2] for pair in pairs if pair.startswith("recipe=")]
    overrides = [pair for pair in pairs if not pair.startswith("recipe=")]
    if len(names) > 1:
        raise UserError(f"one recipe at a time, got {', '.join(names)}; a recipe's `base:` line starts it from another")
    if names == ["list"]:
        print(_everything())
        return
    if not names and default_recipe and not wants_help:
        names = [default_recipe]
    if not names and not wants_help:
        raise UserError(f"which recipe? write recipe=NAME (--help explains the keys)\n{_listing()}")
    own_names = {field.name for field in fields(options)} if options else set()
    own = [pair for pair in overrides if _head(pair) in own_names]
    others = [pair for pair in overrides if _head(pair) not in own_names]
    chosen = load_options(options, own) if options and not wants_help else None
    recipe = load_recipe(names[0], others, options, optional) if names else None
    if wants_help:
        print(_help(doc, options, names[0] if names else None, recipe))
    else:
        assert recipe is not None
        run(recipe, chosen)


def _check_pair(word: str) -> None:
    if "=" in word and not word.startswith("-"):
        return
    known = [name for name, _, _ in list_recipes()]
    if word in known:
        hint = f"write recipe={word}"
    elif word.startswith("-"):
        hint = f"keys have no dashes: write {word.lstrip('-')}{'' if '=' in word else '=VALUE'}"
    else:
        hint = f"every argument is key=value{did_you_mean(word, known)}"
    raise UserError(f"`{word}`: {hint}")


def _head(pair: str) -> str:
    return pair.partition("=")[0].partition(".")[0].partition("[")[0]


def _listing() -> str:
    return _lines({name: header for name, _, header in list_recipes()}) or "  (no recipes found)"


def _everything() -> str:
    """What ships at every extension point; each also takes package.module:name, and a file beside the recipe."""
    sections = [_section(key) for key in keys_of(Recipe).values() if "kind" in key.metadata]
    own = "Of each, your own: package.module:name, or mine.py:name for a file beside the recipe."
    return "\n\n".join([f"Recipes (recipe=NAME):\n{_listing()}", *sections, own])


def _section(key: Key) -> str:
    kind: Kind = key.metadata["kind"]
    usage = f"{key.name}.NAME={{}}" if key.core is dict else f"{key.name}=NAME"
    return f"{kind.noun.capitalize()}s ({usage}):\n{_names_at(kind)}"


def _names_at(kind: Kind) -> str:
    return _lines({name: entry.summary for name, entry in kind.shipped().items()})


def _lines(summaries: Mapping[str, str]) -> str:
    width = max(map(len, summaries), default=0)
    return "\n".join(f"  {name:<{width}}  {summary}".rstrip() for name, summary in summaries.items())


def _help(doc: str, options: type | None, name: str | None, recipe: Recipe | None) -> str:
    parts = [doc.strip(), "Recipes (recipe=NAME, or the path of a .yaml file):\n" + _listing()]
    if options and fields(options):
        parts.append("Options of this command:\n" + describe_keys(options))
    if name is None or recipe is None:
        parts.append("Keys of a recipe, all of which can be set here as key=value:\n" + describe_keys(Recipe))
    else:
        path = find_recipe(name)
        manual = "\n".join(f"  {line}".rstrip() for line in recipe_header(path))
        parts.append(f"Recipe {name} ({path}):\n{manual}")
        parts.append(f"Keys, with their values in {name}:\n" + describe_keys(Recipe, cast(DictConfig, recipe)))
    parts.append(_section(keys_of(Recipe)["algorithm.advantage"]))
    return "\n\n".join(parts)
