import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.config.extension_points import CREDIT
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.credit import assign, succeeded

PASS = Certificate(Verdict.PASS, score=1.0)
ABSTAIN = Certificate(Verdict.ABSTAIN)
#: Four tokens "CC", "(C", "C", end over the text "CC(CC".
SPANS = [Span(0, 2), Span(2, 4), Span(4, 5), Span(5, 5)]


def fail(*places, dead_from=None, score=0.0, weight=1.0):
    """One finding for each place: a pair, a list of pairs, or None for the whole object."""
    findings = []
    for place in places:
        pairs = [] if place is None else place if isinstance(place, list) else [place]
        findings.append(Finding("wrong", "it is wrong", tuple(Span(*pair) for pair in pairs), weight))
    return Certificate(Verdict.FAIL, tuple(findings), score=score, dead_from=dead_from)


def credit(certificate, spans=SPANS, scheme="viable_prefix", is_finished=True, seed=0):
    return assign(certificate, spans, scheme=resolve(CREDIT, scheme), is_finished=is_finished, rng=random.Random(seed))


def test_viable_prefix_success():
    assert credit(PASS).rewards == (0, 0, 0, 1)
    assert credit(PASS).is_credited == (True,) * 4


@pytest.mark.parametrize(
    ("dead_from", "blamed"),
    [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 3), (99, 3)],
)
def test_viable_prefix_blames_the_first_dead_token_and_masks_the_rest(dead_from, blamed):
    result = credit(fail((0, 1), dead_from=dead_from))
    assert result.rewards == tuple(-1.0 if token == blamed else 0.0 for token in range(4))
    assert result.is_credited == tuple(token <= blamed for token in range(4))


@pytest.mark.parametrize(
    ("certificate", "blamed"),
    [
        (fail((4, 5), (2, 3)), 1),  # the earliest span, not the first finding's
        (fail([(4, 5), (3, 4)]), 1),
        (fail(None, (4, 5)), 2),  # a finding about the whole object has no place
        (fail(None), 3),
        (fail(), 3),
        (fail((5, 5)), 3),  # something is missing at the end
        (fail((2, 2)), 1),  # something is missing before the second token
    ],
)
def test_viable_prefix_without_viability(certificate, blamed):
    result = credit(certificate)
    assert result.rewards.index(-1.0) == blamed and sum(result.rewards) == -1.0
    assert result.is_credited == tuple(token <= blamed for token in range(4))


def test_truncated_completions_never_succeed():
    cut = SPANS[:3]  # no end token
    assert credit(PASS, cut, is_finished=False).rewards == (0, 0, -1)
    assert credit(PASS, cut, is_finished=False).is_credited == (True,) * 3
    # Only stopping at the end was missing or wrong: the last token takes it, there is no end token.
    assert credit(fail(dead_from=5), cut, is_finished=False).rewards == (0, 0, -1)
    assert credit(fail(dead_from=2), cut, is_finished=False).rewards == (0, -1, 0)
    assert credit(PASS, cut, "located", is_finished=False).rewards == (0, 0, -1)
    assert credit(PASS, cut, "paper", is_finished=False).rewards == (1, 1, 0)
    assert credit(PASS, cut, "scalar", is_finished=False).rewards == (0, 0, -1)
    assert credit(PASS, cut, "boolean", is_finished=False).rewards == (0, 0, 0)
    assert sum(credit(PASS, cut, "random", is_finished=False).rewards) == -1
    assert succeeded(PASS, True) and not succeeded(PASS, False) and not succeeded(fail(), True)


#: The bytes of one character over three tokens, the last of which also holds the next character; then the end.
SHARED = [Span(0, 1), Span(0, 1), Span(0, 2), Span(2, 2)]


def test_tokens_that_share_a_character():
    result = credit(fail((0, 1), dead_from=0), SHARED)
    assert result.rewards == (-1, 0, 0, 0) and result.is_credited == (True, False, False, False)
    assert credit(fail(dead_from=1), SHARED).rewards == (0, 0, -1, 0)
    assert credit(fail((0, 1)), SHARED, "paper").rewards == (0, 0, 0, 0)
    assert credit(fail((1, 2)), SHARED, "paper").rewards == (1, 1, 0, 0)
    assert credit(fail((0, 1), weight=1.5), SHARED, "located").rewards == (-0.5, -0.5, -0.5, 0)


def test_located():
    # One straddles two tokens, one has two places, one concerns all four tokens; the score is the terminal reward.
    certificate = fail((1, 3), [(0, 1), (4, 5)], None, score=0.25)
    assert credit(certificate, scheme="located").rewards == (-1.25, -0.75, -0.75, 0.0)
    assert credit(certificate, scheme="located").is_credited == (True,) * 4
    assert credit(PASS, scheme="located").rewards == (0, 0, 0, 1)
    assert credit(fail((5, 5), score=0.5), scheme="located").rewards == (0, 0, 0, -0.5)
    assert credit(fail((2, 2)), scheme="located").rewards == (0, -1, 0, 0)


def test_paper():
    assert credit(PASS, scheme="paper").rewards == (1, 1, 1, 1)
    assert credit(fail((1, 3)), scheme="paper").rewards == (0, 0, 1, 0)
    assert credit(fail(None), scheme="paper").rewards == (0, 0, 0, 0)
    assert credit(fail(), scheme="paper").rewards == (1, 1, 1, 0)


def test_scalar_and_boolean():
    certificate = fail((1, 3), None, score=0.25, weight=0.5)
    assert credit(certificate, scheme="scalar").rewards == (0, 0, 0, -0.75)
    assert credit(PASS, scheme="scalar").rewards == (0, 0, 0, 1)
    assert credit(certificate, scheme="boolean").rewards == (0, 0, 0, 0)
    assert credit(PASS, scheme="boolean").rewards == (0, 0, 0, 1)


def test_random_is_uniform_over_all_tokens():
    counts = [0] * 4
    for seed in range(2000):
        result = credit(fail(dead_from=0), scheme="random", seed=seed)
        blamed = result.rewards.index(-1.0)
        assert result.is_credited == tuple(token <= blamed for token in range(4))
        counts[blamed] += 1
    assert all(420 < n < 580 for n in counts)  # 500 +- 4 standard deviations
    assert credit(PASS, scheme="random").rewards == (0, 0, 0, 1)
    with pytest.raises(ValueError, match="random number generator"):
        assign(fail(), SPANS, scheme=resolve(CREDIT, "random"), is_finished=True)


def test_empty_completion():
    end_only = [Span(0, 0)]
    for scheme, expected in (
        ("viable_prefix", -1),
        ("located", -1),
        ("paper", 0),
        ("scalar", -1),
        ("boolean", 0),
        ("random", -1),
    ):
        result = credit(fail((0, 0), dead_from=0), end_only, scheme)
        assert result.rewards == (expected,) and result.is_credited == (True,)


@pytest.mark.parametrize("scheme", sorted(CREDIT.shipped()))
def test_abstention_and_no_tokens(scheme):
    assert credit(ABSTAIN, scheme=scheme).rewards == (0.0,) * 4
    assert credit(ABSTAIN, scheme=scheme).is_credited == (False,) * 4
    for certificate in (PASS, ABSTAIN, fail((0, 1), dead_from=0)):
        nothing = credit(certificate, [], scheme, is_finished=False)
        assert nothing.rewards == () and nothing.is_credited == ()


def test_mistakes_are_named():
    with pytest.raises(UserError, match=r"algorithm\.credit=grpo.*viable_prefix"):
        credit(PASS, scheme="grpo")
    for weight in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="weight"):
            credit(fail((0, 1), weight=weight))


@st.composite
def completions(draw):
    """``(certificate, spans, is_finished)``: tokens that tile a text, some sharing its characters, and findings anywhere."""
    spans, at = [], 0
    for width, pieces in draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=5)):
        spans += [Span(at, at + 1)] * (pieces - 1) + [Span(at, at + width)]
        at += width
    is_finished = draw(st.booleans()) or not spans
    if is_finished:
        spans.append(Span(at, at))
    verdict = draw(st.sampled_from(Verdict))
    if verdict is Verdict.PASS:
        return PASS, spans, is_finished
    place = st.tuples(st.integers(0, at), st.integers(0, at)).map(lambda p: Span(min(p), max(p)))
    weight = st.sampled_from([0.0, 0.25, 1.0, 3.0])
    finding = st.builds(Finding, st.just("wrong"), st.just(""), st.lists(place, max_size=3).map(tuple), weight)
    certificate = Certificate(
        verdict,
        tuple(draw(st.lists(finding, max_size=4))),
        score=draw(st.sampled_from([0.0, 0.5, 0.9])),
        dead_from=draw(st.none() | st.integers(0, at)),
    )
    return certificate, spans, is_finished


@given(completions(), st.sampled_from(sorted(CREDIT.shipped())))
def test_length_finiteness_sums_and_masking(case, scheme):
    certificate, spans, is_finished = case
    result = credit(certificate, spans, scheme, is_finished)
    assert len(result.rewards) == len(result.is_credited) == len(spans)
    assert all(math.isfinite(reward) for reward in result.rewards)
    assert all(reward == 0 for reward, kept in zip(result.rewards, result.is_credited, strict=True) if not kept)
    if certificate.verdict is Verdict.ABSTAIN:
        assert not any(result.rewards) and not any(result.is_credited)
        return
    won = is_finished and certificate.verdict is Verdict.PASS
    weights = sum(finding.weight for finding in certificate.findings)
    expected = {
        "viable_prefix": 1.0 if won else -1.0,
        "random": 1.0 if won else -1.0,
        "boolean": 1.0 if won else 0.0,
        "located": (certificate.score if is_finished else -1.0) - weights,
        "scalar": (certificate.score if is_finished else -1.0) - weights,
    }
    if scheme in expected:
        assert sum(result.rewards) == pytest.approx(expected[scheme], abs=1e-9)
    if scheme in ("viable_prefix", "random"):
        if won:
            assert result.rewards[-1] == 1.0
        # What is credited is a beginning of the completion, and it ends at the only reward.
        last = sum(result.is_credited) - 1
        assert result.is_credited == tuple(token <= last for token in range(len(spans)))
        assert [token for token, reward in enumerate(result.rewards) if reward] == [last]
    else:
        assert all(result.is_credited)


@given(completions())
def test_erroneous_tokens_against_sets_of_characters(case):
    certificate, spans, is_finished = case
    if certificate.verdict is Verdict.ABSTAIN:
        return
    paper = credit(certificate, spans, "paper", is_finished).rewards
    located = credit(certificate, spans, "located", is_finished).rewards
    wrong = {c for f in certificate.findings for s in f.spans for c in range(s.start, s.end)}
    whole = any(not f.spans for f in certificate.findings)
    # Findings that touch no character are tested by literals above.
    if any(f.spans and all(s.start == s.end for s in f.spans) for f in certificate.findings):
        return
    for token, span in enumerate(spans[:-1]):
        touched = whole or bool(wrong & set(range(span.start, span.end)))
        assert paper[token] == (0.0 if touched else 1.0)
        blame = 0.0
        for finding in certificate.findings:
            characters = {c for s in finding.spans for c in range(s.start, s.end)}
            tokens = [k for k, s in enumerate(spans) if not finding.spans or characters & set(range(s.start, s.end))]
            blame -= finding.weight / len(tokens) if token in tokens else 0.0
        assert located[token] == pytest.approx(blame, abs=1e-12)
    assert paper[-1] == float(is_finished and certificate.verdict is Verdict.PASS)


@given(completions())
def test_first_dead_token_against_a_loop_over_characters(case):
    certificate, spans, is_finished = case
    if certificate.verdict is not Verdict.FAIL or certificate.dead_from is None:
        return
    blamed = credit(certificate, spans, "viable_prefix", is_finished).rewards.index(-1.0)
    owners = [k for k, s in enumerate(spans) if certificate.dead_from in range(s.start, s.end)]
    assert blamed == (owners[0] if owners else len(spans) - 1)


# --- answers: the tokens of `think <a>NOPE</a> bye` and its end -----------------------------------------------------------

_PIECES = ["think", " <a>", "NO", "PE", "</a>", " bye", ""]
_STARTS = [0, 5, 9, 11, 13, 17, 21]
_TOKENS = [Span(start, start + len(piece)) for start, piece in zip(_STARTS, _PIECES, strict=True)]
_WRONG = Certificate(
    Verdict.FAIL, (Finding("odd", "odd", (Span(11, 13),)),), score=0.25, dead_from=11, answer=Span(9, 13)
)
_RIGHT = Certificate(Verdict.PASS, score=1.0, answer=Span(9, 13))
_NONE = Certificate(Verdict.FAIL, (Finding("no_answer", "", (Span(21, 21),)),), dead_from=21, answer=Span(21, 21))


@pytest.mark.parametrize(
    ("scheme", "certificate", "outside", "rewards", "credited"),
    [
        ("viable_prefix", _RIGHT, "outcome", [0, 0, 0, 0, 0, 0, 1], "1111111"),
        ("viable_prefix", _WRONG, "outcome", [0, 0, 0, -1, 0, 0, 0], "1111000"),
        ("viable_prefix", _NONE, "outcome", [0, 0, 0, 0, 0, 0, -1], "1111111"),
        ("viable_prefix", _RIGHT, "none", [0, 0, 0, 1, 0, 0, 0], "0011000"),
        ("viable_prefix", _WRONG, "none", [0, 0, 0, -1, 0, 0, 0], "0011000"),
        ("viable_prefix", _NONE, "none", [0, 0, 0, 0, 0, 0, -1], "0000001"),
        ("located", _WRONG, "outcome", [0, 0, 0, -1, 0, 0, 0.25], "1111111"),
        ("located", _WRONG, "none", [0, 0, 0, -0.75, 0, 0, 0], "0011000"),
        ("scalar", _WRONG, "outcome", [0, 0, 0, 0, 0, 0, -0.75], "1111111"),
        ("scalar", _WRONG, "none", [0, 0, 0, -0.75, 0, 0, 0], "0011000"),
        ("paper", _WRONG, "outcome", [0, 0, 1, 0, 1, 1, 0], "1111111"),
        ("boolean", _RIGHT, "none", [0, 0, 0, 1, 0, 0, 0], "0011000"),
    ],
)
def test_tokens_outside_the_answer(scheme, certificate, outside, rewards, credited):
    found = assign(
        certificate, _TOKENS, scheme=resolve(CREDIT, scheme), is_finished=True, rng=random.Random(0), outside=outside
    )
    assert list(found.rewards) == rewards
    assert "".join(str(int(c)) for c in found.is_credited) == credited


def test_the_end_token_belongs_to_an_answer_that_ends_the_text():
    certificate = Certificate(Verdict.PASS, score=1.0, answer=Span(9, 21))
    found = assign(certificate, _TOKENS, scheme=resolve(CREDIT, "viable_prefix"), is_finished=True, outside="none")
    assert found.rewards == (0, 0, 0, 0, 0, 0, 1) and found.is_credited == (False,) * 2 + (True,) * 5
