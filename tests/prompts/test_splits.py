"""The hash that decides on splits, against SHA-256 sums taken with another program."""

import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.splits import FOUR_WAY, THREE_WAY, assign_split, splits_meant

# The first 16 bits of `printf %s KEY | sha256sum`, and the edges 0.7 = b333, 0.8 = cccc, 0.9 = e666, 0.95 = f333.
SHA256 = [
    ("c1ccccc1", 0x13CA, "warm", "train"),
    ("CCO", 0xAB1D, "warm", "train"),
    ("O", 0xC469, "rl", "train"),
    ("g", 0xCD0A, "rl", "validation"),
    ("i", 0xDE7D, "rl", "validation"),
    ("CO", 0xFC88, "test", "test"),
]


@pytest.mark.parametrize("key, bits, four_way, three_way", SHA256)
def test_split_of_a_key(key: str, bits: int, four_way: str, three_way: str) -> None:
    assert assign_split(key, FOUR_WAY) == four_way
    assert assign_split(key, THREE_WAY) == three_way


def test_split_follows_the_shares() -> None:
    for key, bits, _, _ in SHA256:
        edge = bits / 2**16
        assert assign_split(key, {"below": edge, "above": 1 - edge}) == "above"
        assert assign_split(key, {"below": edge + 2**-15, "above": 1 - edge - 2**-15}) == "below"


def test_shares_that_round_below_one_still_give_the_last_split() -> None:
    assert assign_split("CO", {"a": 0.1, "b": 0.1}) == "b"


@pytest.mark.parametrize("shares", [FOUR_WAY, THREE_WAY])
def test_shares_add_up(shares: dict[str, float]) -> None:
    assert sum(shares.values()) == pytest.approx(1.0)


def test_names_of_splits() -> None:
    assert splits_meant("test", THREE_WAY, {}) == {"test"}
    assert splits_meant("train", FOUR_WAY, {"train": "rl"}) == {"rl"}
    assert splits_meant("all", FOUR_WAY, {"train": "rl"}) == {"warm", "rl", "validation", "test"}


def test_unknown_split_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no split `validaton`; did you mean `validation`\?\nsplits: train, vali"):
        splits_meant("validaton", THREE_WAY, {})
