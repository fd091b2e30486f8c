"""Prompts for Lightning: endless training batches, sharded by rank and worker.

The order of a run is one endless sequence: pass after pass over the train split, each in another permutation, which the
seed decides. In each step the ranks share the sequence's next ``world x batch_size`` prompts, slice by slice. So where
a run stands is one integer, the number of prompts that all ranks have served; going on from it repeats and omits none.
Nothing is tokenised here, and no prompt is made up or changed.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed
from lightning import LightningDataModule
from lightning.fabric.utilities.rank_zero import rank_zero_only
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import described, generated_prompts, recipe_prompts
from rlsf_lightning.prompts.generated import Generated
from rlsf_lightning.prompts.lengths import PromptLengths, fitting
from rlsf_lightning.records import Prompt

#: A source with fewer prompts is held in memory and permuted as a whole; a longer one is shuffled through a buffer.
IN_MEMORY = 200_000
#: Prompts in that buffer.
SHUFFLE_BUFFER = 10_000
#: Prompts that are measured before training, of a stream and of a source that makes them.
FRONT, FRONT_MADE = 1000, 100


class Batch:
    """The prompts of one step: iterable, with a length and an index.

    Not a list: Lightning walks through lists to move and convert tensors (under FSDP, DeepSpeed and true 16-bit
    precision before any hook) and refuses a frozen dataclass such as Prompt. What is no sequence it leaves alone.
    """

    def __init__(self, prompts: Iterable[Prompt]) -> None:
        self._prompts = tuple(prompts)

    def __len__(self) -> int:
        return len(self._prompts)

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self._prompts)

    def __getitem__(self, index: int) -> Prompt:
        return self._prompts[index]

    def __eq__(self, other: object) -> bool:
        return self._prompts == other._prompts if isinstance(other, Batch) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Batch({list(self._prompts)})"


class Endless(Protocol):
    """An endless, seeded sequence of prompts that can be entered anywhere."""

    def since(self, position: int) -> Iterator[Prompt]:
        """The prompts from ``position`` (>= 0) on."""


class Permuted:
    """Pass after pass over prompts in memory, each in another permutation. Entering costs the same everywhere."""

    def __init__(self, prompts: Sequence[Prompt], seed: int) -> None:
        assert prompts, "an endless sequence needs a prompt"
        self.prompts, self.seed = prompts, seed

    def since(self, position: int) -> Iterator[Prompt]:
        first, offset = divmod(position, len(self.prompts))
        for number in itertools.count(first):
            order = np.random.default_rng((self.seed, number)).permutation(len(self.prompts))
            for index in order[offset:]:
                yield self.prompts[index]
            offset = 0


class Buffered:
    """Pass after pass over a stream that is too long for memory, shuffled through a buffer.

    Entering it at ``position`` reads all that comes before, once: some seconds for every hundred thousand prompts.
    """

    def __init__(self, open_pass: Callable[[], Iterator[Prompt]], seed: int, buffer_size: int = SHUFFLE_BUFFER) -> None:
        self.open_pass, self.seed, self.buffer_size = open_pass, seed, buffer_size

    def since(self, position: int) -> Iterator[Prompt]:
        passes = (self._shuffled(number) for number in itertools.count())
        return itertools.islice(itertools.chain.from_iterable(passes), position, None)

    def _shuffled(self, number: int) -> Iterator[Prompt]:
        rng = np.random.default_rng((self.seed, number))
        stream = self.open_pass()
        buffer = list(itertools.islice(stream, self.buffer_size))
        if not buffer:
            raise UserError("the train split has no prompts")
        for prompt in stream:
            index = rng.integers(len(buffer))
            yield buffer[index]
            buffer[index] = prompt
        for index in rng.permutation(len(buffer)):
            yield buffer[index]


class Made:
    """The endless sequence of a source that makes its prompts: neither read nor shuffled."""

    def __init__(self, generated: Generated, seed: int, lengths: PromptLengths | None = None) -> None:
        self.generated, self.seed, self.lengths = generated, seed, lengths

    def since(self, position: int) -> Iterator[Prompt]:
        if self.lengths is None:
            return self.generated.since(position, self.seed)
        return self.generated.since(position, self.seed, self.lengths.fits)


class Shard(IterableDataset[Batch]):
    """One rank's endless batches, from prompt ``start`` of the sequence on.

    In a DataLoader each of W workers makes every W-th batch; as it asks them in turn, the order is that of no workers.
    """

    def __init__(self, sequence: Endless, start: int, batch_size: int, rank: int = 0, world: int = 1) -> None:
        assert start >= 0 and batch_size > 0 and 0 <= rank < world, (start, batch_size, rank, world)
        self.sequence, self.start, self.batch_size, self.rank, self.world = sequence, start, batch_size, rank, world

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        before = (worker * self.world + self.rank) * self.batch_size
        between = (workers * self.world - 1) * self.batch_size
        prompts = itertools.islice(self.sequence.since(self.start), before, None)
        while True:
            yield Batch(itertools.islice(prompts, self.batch_size))
            _skip(prompts, between)


def _skip(prompts: Iterator[Prompt], count: int) -> None:
    next(itertools.islice(prompts, count, count), None)


class _TrainLoader:
    """What Lightning iterates anew in each epoch: it goes on from where training stands then."""

    def __init__(self, shard_from_here: Callable[[], Shard], workers: int) -> None:
        self.shard_from_here, self.workers = shard_from_here, workers

    def __iter__(self) -> Iterator[Batch]:
        shard = self.shard_from_here()
        if self.workers:
            # A generator of its own: DataLoader would draw from the one that the run's reproducibility depends on.
            yield from DataLoader(shard, batch_size=None, num_workers=self.workers, generator=torch.Generator())
        else:
            yield from shard


class PromptDataModule(LightningDataModule):
    """Endless training batches of ``rollout.batch_size`` prompts a rank; what is held out is the ``heldout`` callback's.

    ``trainer.limit_train_batches`` says how many batches an epoch has. The checkpoint holds ``prompts_served``: a run
    that is resumed sees exactly what the straight run would have seen next, also inside an epoch, and goes on in the
    same sequence where the number of ranks or the batch size has changed. The loaders shard themselves.
    """

    def __init__(self, recipe: Recipe, sequence: Permuted | Buffered | Made | None = None) -> None:
        super().__init__()
        self.recipe = recipe
        self._sequence = sequence  # None: made of the recipe, with prompts of any length
        self._start = 0  # prompts served before the current loader
        self._progress: Any = None  # the trainer's count of batches, and what it was when the current loader was made
        self._progress_at_start = 0

    @property
    def prompts_served(self) -> int:
        """Prompts that all ranks together have trained on. A batch counts once its training step is over."""
        if self._progress is None:
            return self._start
        batches = self._progress.processed - self._progress_at_start
        return self._start + batches * self.recipe.rollout.batch_size * self._rank_and_world()[1]

    def state_dict(self) -> dict[str, Any]:
        return {"prompts_served": self.prompts_served}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._start, self._progress = int(state_dict["prompts_served"]), None

    def train_dataloader(self) -> Iterable[Batch]:
        """Batches for this rank, without an end; UserError where the train split is empty."""
        self._start = self.prompts_served
        if self.trainer is not None:
            self._progress = self.trainer.fit_loop.epoch_loop.batch_progress.total
            self._progress_at_start = self._progress.processed
        if self._sequence is None:
            self._sequence = endless_prompts(self.recipe)
        workers = self.recipe.data.workers
        # Every worker would read the whole stream, and a second one gets nothing from ``datasets``.
        return _TrainLoader(self._shard, min(workers, 1) if isinstance(self._sequence, Buffered) else workers)

    def _shard(self) -> Shard:
        assert self._sequence is not None
        return Shard(self._sequence, self.prompts_served, self.recipe.rollout.batch_size, *self._rank_and_world())

    def _rank_and_world(self) -> tuple[int, int]:
        if self.trainer is not None:
            return self.trainer.global_rank, self.trainer.world_size
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1


def endless_prompts(recipe: Recipe, lengths: PromptLengths | None = None) -> Permuted | Buffered | Made:
    """The endless sequence of a recipe's train split: in memory where it is small and no stream from the hub.

    ``lengths``: with it prompts that are too long are left out, or refused, as ``data.too_long`` says.
    Raises UserError: no prompt is left; some are too long and to be refused, as far as that shows at the split's front.
    """
    data = recipe.data
    generated = generated_prompts(recipe, "train")
    if generated is not None:
        if lengths is not None:
            front = itertools.islice(generated.since(0, recipe.seed), FRONT_MADE)
            _fitting(recipe, lengths, front, f"the first {FRONT_MADE}")
        return Made(generated, recipe.seed, lengths)
    if "hf://" not in described(data):
        prompts = list(itertools.islice(recipe_prompts(recipe, "train"), IN_MEMORY))
        if not prompts:
            raise UserError(
                f"the train split of {described(data)} has no prompts: a hash of its answer puts a row into train "
                "(80 %), validation or test; add rows"
            )
        if len(prompts) < IN_MEMORY:
            fit = prompts if lengths is None else _fitting(recipe, lengths, prompts, "train")
            return Permuted(fit, recipe.seed)
    if lengths is not None:
        _fitting(recipe, lengths, itertools.islice(recipe_prompts(recipe, "train"), FRONT), f"the first {FRONT:,}")
    return Buffered(_TrainSplit(recipe, lengths), recipe.seed)


def _fitting(recipe: Recipe, lengths: PromptLengths, prompts: Iterable[Prompt], told: str) -> Sequence[Prompt]:
    kept, line = fitting(lengths, prompts, recipe.data.too_long, told)
    say_once(line)
    return kept


def say_once(line: str) -> None:
    """Print a line on standard error, on one of the ranks; nothing where it is empty."""
    if line and getattr(rank_zero_only, "rank", 0) == 0:
        print(line, file=sys.stderr, flush=True)


class _TrainSplit:
    """Opens the train split anew at each call; a class so that it pickles into a worker."""

    def __init__(self, recipe: Recipe, lengths: PromptLengths | None) -> None:
        self.recipe, self.lengths = recipe, lengths

    def __call__(self) -> Iterator[Prompt]:
        prompts = recipe_prompts(self.recipe, "train")
        return prompts if self.lengths is None else filter(self.lengths.fits, prompts)
