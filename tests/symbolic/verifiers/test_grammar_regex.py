"""The matcher against Python's ``re``, on patterns and texts that both understand, and on those that make ``re`` hang."""

import random
import re
import time

import pytest

from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel, OutOfFuelError
from rlsf_lightning.symbolic.verifiers.grammar.regex.matcher import Regex

PATTERNS = [
    r"a|ab",
    r"(a|ab)(c|bcd)?",
    r"[a-z_]\w*",
    r'"(?:[^"\\]|\\.)*"',
    r"\d+(\.\d+)?([eE][+-]?\d+)?",
    r"(a*)*b",
    r"a{2,4}?b{0,2}",
    r"(?i:if|else)",
    r'"(.*?)(?<!\\)(\\\\)*?"',
    r"a(?=b)|a(?!c)b",
    r"\bfoo\b",
    r"^a+$",
    r"(?s:/\*.*?\*/)",
    r"a(?:b(?:c|cd)?)??d",
    r"(?m:^a$)",
    r"x*?y|x+",
]
PIECES = [*'aabbcd"\\/*x y.1e-\nifELSE', "foo", "/*", "*/"]


def fuel() -> Fuel:
    return Fuel(1_000_000)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_matches_as_re(pattern: str) -> None:
    rng = random.Random(pattern)
    ours, theirs = Regex(pattern), re.compile(pattern)
    matched = 0
    for _ in range(400):
        text = "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 9)))
        start = rng.randint(0, len(text))
        match = theirs.match(text, start)
        assert ours.scan(text, start, len(text), fuel(), partial=False).end == (match.end() if match else None)
        assert ours.covers(text, fuel()) is (theirs.fullmatch(text) is not None)
        found = theirs.search(text) is not None
        assert ours.finds(text, fuel()) is found
        matched += found
        for end in range(len(text)):  # a beginning of what matches is never given up
            assert ours.may_find(text[:end], fuel()) or not found
            assert ours.may_cover(text[:end], fuel()) or theirs.fullmatch(text) is None
    assert 0 < matched < 400


@pytest.mark.parametrize(
    ("pattern", "begun", "may"),
    [
        ("[a-c]+d", "ab", True),
        ("[a-c]+d", "ae", False),
        ("[a-c]+d", "abd", False),
        ("if|else", "els", True),
        ("a{2,3}", "aaa", False),
    ],
)
def test_whether_a_beginning_can_still_be_matched(pattern: str, begun: str, may: bool) -> None:
    assert Regex(pattern).may_cover(begun, fuel()) is may


def test_a_longer_text_that_would_match_better_is_announced() -> None:
    scan = Regex("[a-z]+").scan("ab+", 0, 2, fuel(), partial=True)
    assert (scan.end, scan.alive, scan.unsure) == (2, True, False)
    scan = Regex("a(?=b)").scan("a", 0, 1, fuel(), partial=True)
    assert (scan.end, scan.unsure) == (1, True)
    assert Regex("a(?=b)").scan("a", 0, 1, fuel(), partial=False).end is None


@pytest.mark.parametrize(
    "pattern", [r"(a+)+b", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(a|a)*c", r"(a|aa)+$b", r"(.*)*x", r"(?=(a+)+b)a"]
)
def test_catastrophic_patterns_do_not_hang(pattern: str) -> None:
    start = time.process_time()
    regex = Regex(pattern)
    try:
        assert not regex.finds("a" * 10_000, fuel())
    except OutOfFuelError:
        pass
    assert time.process_time() - start < 3


def test_the_shortest_rest() -> None:
    regex = Regex(r"\d{4}-\d\d")
    assert regex.shortest_rest("20", fuel(), "a0-") == "00-00"
    assert regex.shortest_rest("x", fuel(), "a0-") is None


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?>a)", "a{1,60000}", "(a{1,100}){1,100}"])
def test_what_is_not_covered_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        Regex(pattern)


def test_dollar_as_in_ecma_262() -> None:
    assert Regex("^a$").finds("a\n", fuel())
    assert not Regex("^a$", re.ASCII, dollar_is_end=True).finds("a\n", fuel())
