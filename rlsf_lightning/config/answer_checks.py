"""Checks of a recipe's ``answer`` block, and of what ends a completion, beyond their types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Answer, Recipe
from rlsf_lightning.config.schema_fields import as_yaml

_TAG = re.compile(r"[A-Za-z][\w.-]*")
#: A key of the block -> the extractor that reads it.
_READ_BY = {"language": "fence", "tag": "tag", "marker": "after", "pattern": "regex"}


def answer_mistakes(recipe: Recipe) -> Iterator[str]:
    """What is wrong with the block ``answer``; its names are checked as those of all extension points are."""
    answer = recipe.answer
    extract = listed(answer.extract)
    if not extract or not all(isinstance(name, str) for name in extract):
        yield f"answer.extract={as_yaml(listed(answer.extract))}: expects one or more names, such as answer.extract=fence"
        return
    if "whole" in extract[:-1]:
        yield f"answer.extract={as_yaml(extract)}: `whole` always finds an answer, nothing behind it is tried: write it last"
    for key, reader in _READ_BY.items():
        if getattr(answer, key) != getattr(Answer, key) and reader not in extract and set(extract) <= _shipped():
            yield f"answer.{key} is read by extract={reader} alone: write answer.extract={reader}, or remove the line"
    if not _TAG.fullmatch(answer.tag):
        yield f"answer.tag={as_yaml(answer.tag)}: expects a name without brackets, such as answer.tag=answer"
    if not answer.marker.strip():
        yield f'answer.marker={as_yaml(answer.marker)}: expects the text before the answer, such as answer.marker="Answer:"'
    if not all(isinstance(name, str) for name in listed(answer.language)):
        yield f"answer.language={as_yaml(listed(answer.language))}: expects names, such as answer.language=[cpp, c++]"
    if "regex" in extract:
        yield from _pattern_mistakes(answer.pattern)


def stop_mistakes(recipe: Recipe) -> Iterator[str]:
    """What is wrong with ``rollout.stop``."""
    for stop in recipe.rollout.stop:
        is_id = isinstance(stop, int) and not isinstance(stop, bool) and stop >= 0
        if not is_id and not (isinstance(stop, str) and stop):
            yield f'rollout.stop={as_yaml(listed(recipe.rollout.stop))}: expects texts and token ids, such as ["</answer>", 2]'


def listed(value: Any) -> list[Any]:
    """A value, or a list of them, as a list; null is none."""
    value = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    return value if isinstance(value, list) else [] if value is None else [value]


def _pattern_mistakes(pattern: str | None) -> Iterator[str]:
    import regex

    example = r"such as answer.pattern='\\boxed\{(.*)\}'"
    if not pattern:
        yield f"answer.extract=regex needs answer.pattern, a regular expression with a group around the answer, {example}"
        return
    try:
        compiled = regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        yield f"answer.pattern={pattern}: no regular expression: {error}"
        return
    if not compiled.groups:
        yield f"answer.pattern={pattern}: has no group: put the answer in parentheses, {example}"


def _shipped() -> set[str]:
    from rlsf_lightning.config.extension_points import EXTRACTOR

    return set(EXTRACTOR.shipped())
