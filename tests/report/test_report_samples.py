"""Records of samples.jsonl as pieces: every character once, in its token, with the findings on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import certificate, record

from rlsf_lightning.report.gallery import thinned
from rlsf_lightning.report.samples import sample_of


def shown(completion, judged=None, **more):
    return sample_of(record(completion, judged, **more)).to_page()


def test_a_piece_ends_where_a_token_a_finding_or_a_line_ends():
    judged = certificate("fail", ("a", "told", [[1, 3]]), ("b", "told", [[2, 4]]), dead=2)
    page = shown("ab\ncd", judged, tokens=[[0, 3], [3, 5], [5, 5]])
    assert page["pieces"] == [
        ["a", 0, []],
        ["b", 0, [0]],
        ["\n", 0, [0, 1]],
        ["c", 1, [1]],
        ["d", 1, []],
        ["", 2, []],
    ]
    assert page["dead"] == 0 and page["kinds"] == ["a", "b"]


@pytest.mark.parametrize(("dead", "token"), [(0, 0), (2, 1), (3, 2), (None, None)])
def test_the_first_dead_token_holds_the_first_dead_character(dead, token):
    assert shown("abc", certificate(dead=dead), tokens=[[0, 2], [2, 3], [3, 3]])["dead"] == token


def test_values_are_sums_of_channels_and_differences_to_the_reference():
    values = shown(
        "ab",
        rewards={"verifier": [0, 0, -1.0], "kl": [0.5, 0, 0.25]},
        advantages=[0, 0.123456, 1],
        logp=[-1, -2, -3],
        ref_logp=[-2, -2, -1],
    )["values"]
    assert values == {
        "reward": [0.5, 0, -0.75],
        "advantage": [0, 0.123, 1],
        "logp": [-1, -2, -3],
        "change": [1, 0, -2],
    }


def test_a_file_of_an_earlier_version_has_no_log_probabilities():
    old = record("ab")
    del old["logp"]
    assert sample_of(old).to_page()["values"].keys() == {"reward", "advantage"}


@given(
    st.text(max_size=12),
    st.lists(st.lists(st.integers(-3, 20), min_size=2, max_size=2), max_size=8),
    st.lists(st.lists(st.integers(-3, 20), min_size=1, max_size=3), max_size=4),
)
def test_pieces_cover_the_text_once_whatever_the_spans_are(text, tokens, spans):
    page = shown(text, certificate("fail", ("a", "b", spans)), tokens=tokens)
    assert "".join(piece[0] for piece in page["pieces"]).count("⟨U+") <= len(text)
    assert [piece[0] for piece in sample_of(record(text, None, tokens=[])).pieces() if piece[0]] == [
        piece for piece in _lines(text) if piece
    ]
    assert all(token < len(tokens) for _, token, _ in page["pieces"])


def _lines(text):
    from rlsf_lightning.report.text import visible

    parts = text.split("\n")
    return [visible(part + "\n") for part in parts[:-1]] + [visible(parts[-1])]


@pytest.mark.parametrize(
    "broken",
    [
        {"certificate": 3},
        {"certificate": {"verdict": ["pass"], "findings": {"a": 1}, "dead_from": "x", "score": "high"}},
        {"certificate": {"verdict": "abstain", "witness": [1]}},
        {"tokens": "abc", "rewards": [1], "advantages": {"a": 1}},
        {"rewards": {"a": None, "b": ["x", True, 1e308], "c": [0, 0, 1e308]}},
        {"tokens": [[0], [0, "x"], [True, 2], [5, 1], [-1, 1]]},
        {"prompt": None, "reference": {"a": [1]}, "id": None},
    ],
)
def test_parts_that_are_not_as_they_should_be_are_left_out(broken):
    page = (
        shown("abc", **{"tokens": [[0, 1], [1, 2], [2, 3]], **broken})
        if "certificate" not in broken
        else (sample_of({**record("abc"), **broken}).to_page())
    )
    assert "".join(piece[0] for piece in page["pieces"]) == "abc"


def test_the_newest_samples_stay_and_older_ones_are_thinned_evenly():
    held = [(number, 10) for number in range(100)]
    assert thinned(held, 10_000) == list(range(100))
    kept = thinned(held, 400)
    assert kept[-20:] == list(range(80, 100)) and kept[:-20] == list(range(0, 80, 4))
    assert thinned([(0, 10**9), (1, 5)], 100) == [1]
