"""How Python's own parser reads a pattern: it is private, so its trees are pinned here, for every Python at hand."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pattern_shapes
import pytest

from rlsf_lightning.symbolic.verifiers.grammar.regex import syntax
from rlsf_lightning.symbolic.verifiers.grammar.regex.syntax import parse_pattern

#: Pattern -> its tree, as ``pattern_shapes`` writes it.
SHAPES = {
    "": "",
    "a": "'a'",
    "ab": "'a' 'b'",
    "[^a]": r"'bB1_ \n'",
    ".": "'abB1_ '",
    "(?s:.)": r"'abB1_ \n'",
    r"\w": "'abB1_'",
    r"[a-b\s]": r"'ab \n'",
    "(?i:b)": "'bB'",
    "(?x: a b )": "'a' 'b'",
    "a|b": "'ab'",
    "ab|a1": "'a' 'b1'",
    "ab|ba|": "either('a' 'b' | 'b' 'a' | )",
    "(a)(?P<n>b)": "'a' 'b'",
    "a?": "most{0,1}('a')",
    "a+?": "least{1,}('a')",
    "a{2}": "most{2,2}('a')",
    "a{2,3}?": "least{2,3}('a')",
    "(?:ab)*": "most{0,}('a' 'b')",
    "^a$": "at[0] 'a' at[3, 4] looks_ahead looks_behind_newline",
    "(?m:^$)": "at[0, 4] at[3, 4] looks_ahead looks_behind_newline",
    r"\A\Z": "at[0] at[4] looks_ahead",
    r"\b\B": "at[0, 1, 2, 3] looks_ahead at[4] looks_ahead",
    "a(?=b)": "'a' ahead('b')",
    "a(?!b1)": "'a' not_ahead('b' '1')",
    "(?<=ab)1": "behind_2('a' 'b') '1'",
    "(?<!a)b": "not_behind_1('a') 'b'",
    "(?!)": "either()",
}
OTHERS = [f"python3.{minor}" for minor in range(11, 16)]


def message(version: str, pattern: str) -> str:
    return f"Python {version} reads {pattern!r} into another tree; {syntax.__file__} relies on its private `re._parser`"


@pytest.mark.parametrize("pattern", SHAPES)
def test_this_python_reads_patterns_into_the_trees_that_are_expected(pattern: str) -> None:
    found = pattern_shapes.shape(parse_pattern(pattern).nodes, syntax)
    assert found == SHAPES[pattern], message(sys.version, pattern)


@pytest.mark.parametrize("python", OTHERS)
def test_so_do_the_other_versions(python: str) -> None:
    script, asked = Path(pattern_shapes.__file__), json.dumps(list(SHAPES))
    found = shutil.which(python)
    answer = found and subprocess.run(
        [found, str(script), str(syntax.__file__)], input=asked, capture_output=True, text=True, timeout=60
    )
    if not answer or answer.returncode == 127:  # a name that stands for no installed version
        pytest.skip(f"there is no {python}")
    assert answer.returncode == 0, f"{python}: {answer.stderr}"
    for pattern, shape in json.loads(answer.stdout).items():
        assert shape == SHAPES[pattern], message(python, pattern)


@pytest.mark.parametrize("pattern", [r"(a)\1", "(a)(?(1)a|b)", "(?>a)", "a++", "a*+", "a{2}+"])
def test_what_depends_on_how_a_match_was_found_is_refused(pattern: str) -> None:
    re.compile(pattern)
    with pytest.raises(ValueError, match="is not covered"):
        parse_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "*", "(?<=a*)b", "(" * 5_000 + ")" * 5_000, "a{99999999999}"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        parse_pattern(pattern)


def test_a_pattern_is_anchored_where_a_match_can_begin_only_at_the_beginning_of_the_text() -> None:
    assert parse_pattern("^a").is_anchored and parse_pattern(r"(?m)\Aa").is_anchored
    assert not parse_pattern("a").is_anchored and not parse_pattern("(?m)^a").is_anchored
    assert not parse_pattern("^a|b").is_anchored
