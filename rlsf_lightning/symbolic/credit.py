"""Credit assignment: certificate and token spans to one token-level reward each; the credit schemes.

The rewards have exactly the length of the token list, end-of-sequence included, so a completion of no tokens gets none.
A token's span is the half-open range of characters to which it contributes: the end token's is empty and lies at the
end of the text, and several tokens may share one character (each holds a part of its bytes). A place of the text is
projected on tokens by overlap.

Three rules hold in every scheme. An abstention gives zeros and credits nothing. A completion that did not end by itself
never counts as a success. A token that is not credited is left out of the loss and has reward 0.

Never here: tensors, discounting, what other rewards there are.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Span, Verdict


@dataclass(frozen=True)
class Credit:
    """One entry for each token."""

    #: Reward of each token.
    rewards: tuple[float, ...]
    #: Whether anything is learnt from the token.
    is_credited: tuple[bool, ...]


#: A credit scheme. It gets a verdict that is no abstention, at least one token, whether the completion ended by itself, and
#: a generator to draw from.
Scheme = Callable[[Certificate, Sequence[Span], bool, random.Random | None], Credit]


def assign(
    certificate: Certificate,
    spans: Sequence[Span],
    *,
    scheme: Scheme,
    is_finished: bool,
    rng: random.Random | None = None,
    outside: str = "outcome",
) -> Credit:
    """Rewards of one completion's tokens.

    Args:
        certificate: what the tool found.
        spans: the character range of every sampled token, in order, the end token's (empty) included.
        scheme: what ``algorithm.credit`` names.
        is_finished: whether the completion ended by itself, so that its last token is the end token.
        rng: where ``random`` draws from; the other schemes that ship need none.
        outside: what is learnt from the tokens outside the answer, to which no scheme gives rewards of their own.
            ``outcome``: they are credited, so that what follows them counts for them; what stands behind the answer is
            part of it. ``none``: they are not.

    Raises:
        UserError: the scheme gave other than one finite reward a token, or a reward to a token that is not credited.
        ValueError: a finding's weight is negative or not finite.
    """
    for finding in certificate.findings:
        if not (math.isfinite(finding.weight) and finding.weight >= 0):
            raise ValueError(f"finding `{finding.kind}` has weight {finding.weight}; it must be finite and at least 0")
    if certificate.verdict is Verdict.ABSTAIN or not spans:
        return Credit((0.0,) * len(spans), (False,) * len(spans))
    first, end = _judged_tokens(certificate, spans)
    end = len(spans) if outside == "outcome" else end
    credit = scheme(certificate, spans[first:end], is_finished, rng)
    if len(credit.rewards) != end - first or len(credit.is_credited) != end - first:
        sizes = f"{len(credit.rewards)} rewards and {len(credit.is_credited)} marks"
        raise UserError(
            f"algorithm.credit: {scheme.__name__} gave {sizes} for {end - first} tokens; give one of each a token"
        )
    for reward, is_credited in zip(credit.rewards, credit.is_credited, strict=True):
        if not math.isfinite(reward) or (reward and not is_credited):
            told = "a reward that is not finite" if is_credited else "a reward to a token that is not credited"
            raise UserError(f"algorithm.credit: {scheme.__name__} gave {told}: {reward}")
    after = len(spans) - end
    return Credit(
        (0.0,) * first + tuple(credit.rewards) + (0.0,) * after,
        (outside == "outcome",) * first + tuple(credit.is_credited) + (False,) * after,
    )


def succeeded(certificate: Certificate, is_finished: bool) -> bool:
    """Right, and ended by itself."""
    return is_finished and certificate.verdict is Verdict.PASS


def viable_prefix(
    certificate: Certificate, spans: Sequence[Span], is_finished: bool, rng: random.Random | None = None
) -> Credit:
    """+1 on the last token of a success, -1 on the first dead token of a failure, and nothing is learnt from what follows it.

    Credit lies where the mistake was made. Sum: 1 for a success, -1 for a failure.

    A success has +1 on its last token. A failure has -1 on its first dead token: the first whose span reaches beyond
    ``dead_from``, or the last token where only stopping there (or not stopping) was wrong. What follows the dead token
    lies off every good path and is not credited. Where ``dead_from`` is not known the start of the earliest finding's
    span stands in for it, and without a span the last token is blamed.
    """
    if succeeded(certificate, is_finished):
        return _on_last(1.0, len(spans))
    return _blame(_dead_token(certificate, spans), len(spans))


def placebo(
    certificate: Certificate, spans: Sequence[Span], is_finished: bool, rng: random.Random | None = None
) -> Credit:
    """The placebo: ``viable_prefix`` with the blame on a token drawn uniformly from all of the completion's.

    Tokens after it are not credited. Sum: 1 for a success, -1 for a failure. What this scheme learns, it does not learn
    from the place.
    """
    if succeeded(certificate, is_finished):
        return _on_last(1.0, len(spans))
    if rng is None:
        raise ValueError("the scheme `random` needs a random number generator")
    return _blame(rng.randrange(len(spans)), len(spans))


def located(
    certificate: Certificate, spans: Sequence[Span], is_finished: bool, rng: random.Random | None = None
) -> Credit:
    """Each finding's weight over the tokens of its spans, the terminal reward on the last token.

    Sum: ``_total``, the terminal reward less the weights of all findings.

    A finding's ``-weight`` is spread evenly over the tokens that overlap its spans; over all tokens if it has no span.
    The last token also gets the terminal reward: the score, or -1 if the completion did not end by itself.
    """
    rewards = [0.0] * len(spans)
    for finding in certificate.findings:
        tokens = _tokens_of(finding, spans)
        for token in tokens:
            rewards[token] -= finding.weight / len(tokens)
    rewards[-1] += _terminal(certificate, is_finished)
    return Credit(tuple(rewards), (True,) * len(spans))


def paper(
    certificate: Certificate, spans: Sequence[Span], is_finished: bool, rng: random.Random | None = None
) -> Credit:
    """RLSF as published (Jha et al. 2024, https://arxiv.org/abs/2405.16661): 0 for erroneous tokens, 1 for the others.

    The last token gets 1 only for a success. A finding without span makes every token erroneous. Sum: the number of
    tokens before the last that no finding touches, plus 1 for a success; without discount this pays for length.
    """
    erroneous = {token for finding in certificate.findings for token in _tokens_of(finding, spans)}
    rewards = [0.0 if token in erroneous else 1.0 for token in range(len(spans))]
    rewards[-1] = float(succeeded(certificate, is_finished))
    return Credit(tuple(rewards), (True,) * len(spans))


def scalar(
    certificate: Certificate, spans: Sequence[Span], is_finished: bool, rng: random.Random | None = None
) -> Credit:
    """The control for ``located``: the same information and the same sum, all of it on the last token.

    Sum: ``_total``, the terminal reward less the weights of all findings.
    """
    return _on_last(_total(certificate, is_finished), len(spans))


def boolean(
    certificate: Certificate, spans: Sequence[Span], is_finished: bool, rng: random.Random | None = None
) -> Credit:
    """The verdict alone, on the last token. Sum: 1 for a success, 0 for a failure."""
    return _on_last(float(succeeded(certificate, is_finished)), len(spans))


def _judged_tokens(certificate: Certificate, spans: Sequence[Span]) -> tuple[int, int]:
    """The range of the tokens that the verdict is about: at least one.

    Those of the answer, and the end token where the answer is the end of the text; where there is no answer, the last one.
    """
    answer = certificate.answer
    if answer is None:
        return 0, len(spans)
    touched = [n for n, span in enumerate(spans) if span.overlaps(answer)] or [_first_beyond(answer.start, spans)]
    last = len(spans) - 1
    if spans[last] == Span(answer.end, answer.end):
        return touched[0], last + 1
    return touched[0], touched[-1] + 1


def _on_last(reward: float, tokens: int) -> Credit:
    return Credit((0.0,) * (tokens - 1) + (reward,), (True,) * tokens)


def _blame(token: int, tokens: int) -> Credit:
    """-1 on this token; what follows it is not credited."""
    after = tokens - 1 - token
    return Credit((0.0,) * token + (-1.0,) + (0.0,) * after, (True,) * (token + 1) + (False,) * after)


def _dead_token(certificate: Certificate, spans: Sequence[Span]) -> int:
    place = certificate.dead_from
    if place is None:
        place = min((span.start for finding in certificate.findings for span in finding.spans), default=None)
    return len(spans) - 1 if place is None else _first_beyond(place, spans)


def _first_beyond(place: int, spans: Sequence[Span]) -> int:
    """The first token whose span reaches beyond this offset: the one that wrote the character there. Else the last."""
    return next((token for token, span in enumerate(spans) if span.end > place), len(spans) - 1)


def _tokens_of(finding: Finding, spans: Sequence[Span]) -> list[int]:
    """The tokens that a finding concerns: at least one.

    A finding whose spans touch no token (empty spans, say: something is missing there) falls on the token that wrote
    the next character, or on the last one.
    """
    if not finding.spans:
        return list(range(len(spans)))
    touched = [token for token, span in enumerate(spans) if any(span.overlaps(place) for place in finding.spans)]
    return touched or [_first_beyond(min(place.start for place in finding.spans), spans)]


def _terminal(certificate: Certificate, is_finished: bool) -> float:
    return float(certificate.score) if is_finished else -1.0


def _total(certificate: Certificate, is_finished: bool) -> float:
    return _terminal(certificate, is_finished) - sum(finding.weight for finding in certificate.findings)
