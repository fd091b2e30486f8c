"""``data.path`` or ``data.source`` of a recipe -> prompts. It knows no domain and no file format."""

from __future__ import annotations

import copy
import hashlib
import heapq
import inspect
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rlsf_lightning.config.extension_points import PROMPT_SOURCE
from rlsf_lightning.config.plugins import reason_in_code, resolve
from rlsf_lightning.config.validation import has_files
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import files
from rlsf_lightning.prompts.columns import fill_template
from rlsf_lightning.prompts.files import SplitKey
from rlsf_lightning.prompts.generated import Generated
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.loader import find_verifier

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Data, Recipe

#: A limited subset is drawn from this many prompts at the front of a split, so that it ends on a huge stream too.
SAMPLED_FROM = 200_000


def recipe_prompts(
    recipe: Recipe, split: str, *, limit: int | None = None, all_phrasings: bool = False
) -> Iterator[Prompt]:
    """``load_prompts`` of a recipe's ``data`` block; rows of a file fall into splits as its verifier says."""
    return load_prompts(recipe.data, split, limit=limit, all_phrasings=all_phrasings, split_key=split_key_of(recipe))


def split_key_of(recipe: Recipe) -> SplitKey | None:
    """The verifier's, where rows of files fall into splits by it."""
    verifier = find_verifier(recipe.verifier.name) if has_files(recipe.data) else None
    return getattr(verifier, "split_key", None)


def example_prompts(recipe: Recipe) -> list[Prompt]:
    """The few-shot examples of a recipe, and one more, for a prompt that is one of them; none that is held out."""
    wanted = recipe.data.examples
    if not wanted.count:
        return []
    own = recipe
    if wanted.path is not None:
        if wanted.path in (recipe.data.paths.validation, recipe.data.paths.test):
            raise UserError(
                f"data.examples.path={wanted.path} is held out: write the file of the train split, or null for it"
            )
        own = copy.deepcopy(recipe)
        own.data.path, own.data.split_column, own.data.split_by = wanted.path, None, None
        own.data.paths.train = own.data.paths.validation = own.data.paths.test = None
    found = list(recipe_prompts(own, "train", limit=wanted.count + 1))
    if wanted.path is not None:
        _refuse_held_out(recipe, found)
    unknown = next((one.id for one in found if one.reference is None and one.target is None), None)
    if len(found) < wanted.count or unknown is not None:
        told = f"{len(found)} rows" if unknown is None else f"no answer in {unknown}"
        raise UserError(
            f"data.examples.count={wanted.count}: there are {told}; write data.examples.count=0 or name the answers"
        )
    return found


def _refuse_held_out(recipe: Recipe, examples: Sequence[Prompt]) -> None:
    """Raise UserError where an example's question stands in a held-out split, where its answer would be shown."""
    asked = {fill_template(recipe.data.template, one): one for one in examples}
    for split in ("validation", "test"):
        for prompt in recipe_prompts(recipe, split):
            one = asked.get(fill_template(recipe.data.template, prompt))
            if one is not None:
                raise UserError(
                    f"data.examples.path={recipe.data.examples.path}: {one.id} asks what {prompt.id} of the split "
                    f"{split} asks, whose answer would be shown: remove the row, or write data.examples.path=null"
                )


def load_prompts(
    data: Data,
    split: str,
    *,
    limit: int | None = None,
    all_phrasings: bool = False,
    split_key: SplitKey | None = None,
) -> Iterator[Prompt]:
    """The prompts of one split, in the source's order, read as they are asked for.

    ``split``: ``train``, ``validation``, ``test`` or ``all``; sources may have more (``warm`` for supervised training,
    ``rl``). ``all_phrasings``: where a source knows several ways to ask for one thing, each is a prompt of its own.
    ``split_key``: the verifier's, by which the rows of a file fall into splits; None: by the reference's text.

    ``limit`` does not take the first prompts, which in most files are the simplest ones, but those with the smallest
    hash of their id among the first ``SAMPLED_FROM``, in that order: the same in every run, representative, and the
    ten of ``limit=10`` are the first of the twenty of ``limit=20``. Generated prompts are in random order already: there it
    takes the first.

    Raises UserError for a path, source or split that does not exist, and while reading, for what cannot be read.
    """
    assert limit is None or limit >= 0, f"limit must be >= 0, got {limit}"
    if has_files(data):
        prompts = files.prompts(data, split, split_key)
    else:
        source = resolve(PROMPT_SOURCE, data.source)
        takes_all = "all_phrasings" in inspect.signature(source).parameters
        prompts = source(split, all_phrasings=True) if all_phrasings and takes_all else source(split)
        if isinstance(prompts, Generated):
            return itertools.islice(prompts, limit)
    return iter(prompts) if limit is None else _representative(prompts, limit)


def generated_prompts(recipe: Recipe, split: str) -> Generated | None:
    """The recipe's source where it makes its prompts; None where they are read."""
    if has_files(recipe.data):
        return None
    prompts = resolve(PROMPT_SOURCE, recipe.data.source)(split)
    return prompts if isinstance(prompts, Generated) else None


def check_source(data: Data, split_key: SplitKey | None = None) -> None:
    """Raise UserError unless a first training prompt can be read, and splits that are given share nothing.

    Called before any model is loaded.
    """
    if has_files(data):
        files.check(data, split_key)
        return
    prompts = resolve(PROMPT_SOURCE, data.source)
    try:
        first = next(iter(prompts("train")), None)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"data.source={data.source}: {reason_in_code(error)}") from error
    if first is None:
        raise UserError(f"data.source={data.source}: its train split is empty")
    if not isinstance(first, Prompt):
        raise UserError(f"data.source={data.source}: must yield rlsf_lightning.Prompt, got a {type(first).__name__}")
    fill_template(data.template, first)


def described(data: Data) -> str:
    """Where prompts come from, in a message."""
    return ", ".join(file.told for file in files.files_of(data)) or f"data.source={data.source}"


def _representative(prompts: Iterator[Prompt], limit: int) -> Iterator[Prompt]:
    yield from heapq.nsmallest(limit, itertools.islice(prompts, SAMPLED_FROM), key=lambda prompt: _hash(prompt.id))


def _hash(identity: str) -> bytes:
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
