"""Endless sources: the same by seed, entered anywhere, no task in two splits, held-out splits that end."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.generated import HELD_OUT, Draft, Generated, Task


def sums(rng: random.Random) -> Task | None:
    a, b = rng.randrange(1000), rng.randrange(1000)
    return None if a > b else Task(f"{a}+{b}", str(a + b))


def digits(rng: random.Random) -> Task:
    return Task(str(rng.randrange(50)))


def take(prompts, count):
    return list(itertools.islice(prompts, count))


def test_entering_at_a_position_gives_what_comes_there():
    straight = take(Generated("sums", sums, "train").since(0, seed=3), 40)
    assert take(Generated("sums", sums, "train").since(25, seed=3), 15) == straight[25:]
    assert take(Generated("sums", sums, "train").since(0, seed=4), 40) != straight


def test_it_is_the_same_in_another_process():
    code = (
        "import itertools; from tests.prompts.test_generated import *\n"
        "print([p.text for p in itertools.islice(Generated('sums', sums, 'rl').since(7), 5)])"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert seen == str([p.text for p in take(Generated("sums", sums, "rl").since(7), 5)])


def test_no_task_is_in_two_splits():
    of = {split: {p.text for p in take(Generated("sums", sums, split), 2000)} for split in ("warm", "rl", "test")}
    of["validation"] = {p.text for p in Generated("sums", sums, "validation")}
    for one, other in itertools.combinations(of, 2):
        assert not of[one] & of[other], (one, other)


def test_a_held_out_split_ends_without_duplicates():
    texts = [p.text for p in Generated("sums", sums, "test")]
    assert len(texts) == len(set(texts)) == HELD_OUT
    assert len({p.id for p in Generated("sums", sums, "test")}) == HELD_OUT
    small = [p.text for split in ("test", "validation") for p in Generated("digits", digits, split)]
    assert 0 < len(small) == len(set(small)) < 50


def test_what_cannot_be_made_is_told():
    with pytest.raises(UserError, match="no task of the split train"):
        next(iter(Generated("nothing", lambda rng: None, "train")))
    with pytest.raises(UserError, match="no split `tset`"):
        Generated("sums", sums, "tset")


def test_a_draft_is_finished_in_its_own_split_only():
    finished = []

    def drafts(rng):
        number = str(rng.randrange(10_000))

        def finish():
            finished.append(number)
            return None if number.endswith("7") else Task(number, key=number)

        return Draft(number, finish)

    texts = [p.text for p in Generated("drafts", drafts, "test", held_out=100)]
    assert len(set(texts)) == 100 and len(finished) < 130 and not any(text.endswith("7") for text in texts)
    rest = {p.text for p in take(Generated("drafts", drafts, "train"), 300)}
    assert not rest & set(texts)
