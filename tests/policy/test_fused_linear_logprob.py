"""The fused head: numbers and gradients are those of whole logits, whatever the tiles of tokens and vocabulary entries."""

import pytest
import torch

from rlsf_lightning.policy import fused_linear_logprob
from rlsf_lightning.policy.fused_linear_logprob import fused_logprob_and_entropy
from rlsf_lightning.policy.heads import LinearHead

TOKENS, WIDTH, VOCABULARY, TEMPERATURE = 7, 5, 50, 0.7


def whole(head, hidden_ND, target_N):
    logits_NV = hidden_ND @ head.weight_VD.T if head.bias_V is None else hidden_ND @ head.weight_VD.T + head.bias_V
    logp_NV = torch.log_softmax(logits_NV * head.scale / TEMPERATURE, -1)
    return logp_NV.gather(1, target_N[:, None]).squeeze(1), -(logp_NV.exp() * logp_NV).sum(1)


@pytest.mark.parametrize("entries", [1, 7, 49, 50, 64])
@pytest.mark.parametrize("tokens", [1, 3, 7])
@pytest.mark.parametrize(("with_bias", "scale"), [(False, 1.0), (True, 3.0)])
def test_numbers_and_gradients_are_those_of_whole_logits(monkeypatch, entries, tokens, with_bias, scale):
    monkeypatch.setitem(fused_linear_logprob.TILE, "cpu", (1, entries))
    generator = torch.Generator().manual_seed(entries)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    head = LinearHead(draw(VOCABULARY, WIDTH) * 4, draw(VOCABULARY) if with_bias else None, scale)
    hidden_ND = draw(TOKENS, WIDTH).requires_grad_()
    target_N = torch.tensor([0, 49, 25, 6, 7, 48, 13])
    ours = fused_logprob_and_entropy(
        head, hidden_ND, target_N, TEMPERATURE, tokens, with_entropy=True, detach_entropy=False
    )
    plain = whole(head, hidden_ND, target_N)
    weights = draw(2, TOKENS)
    for result, expected, weight in zip(ours, plain, weights, strict=True):
        torch.testing.assert_close(result, expected, rtol=1e-10, atol=1e-10)
        got, wanted = (
            torch.autograd.grad((x * weight).sum(), hidden_ND, retain_graph=True) for x in (result, expected)
        )
        torch.testing.assert_close(got[0], wanted[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("offset", [-1000.0, 1000.0])
def test_logits_far_from_zero_neither_overflow_nor_vanish(monkeypatch, offset):
    monkeypatch.setitem(fused_linear_logprob.TILE, "cpu", (1, 2))
    rising = LinearHead(torch.arange(6.0)[:, None], torch.full((6,), offset), 1.0)
    logp_N, entropy_N = fused_logprob_and_entropy(
        rising, torch.ones(1, 1), torch.tensor([5]), 1.0, 1, with_entropy=True, detach_entropy=True
    )
    # 1 / (1 + e^-1 + ... + e^-5) and its entropy
    assert float(logp_N) == pytest.approx(-0.456193, abs=1e-5) and float(entropy_N) == pytest.approx(1.02326, abs=1e-4)
