import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.policy.sampling import token_sampler
from rlsf_lightning.policy.sampling.token_sampler import TokenSampler, block_sums, inverse_cdf


def token_at(weights, uniform, blocks_a_tile):
    """Of one row; every tile holds its weights relative to its own scale, as the sampler's do."""
    entries = token_sampler.BLOCK * blocks_a_tile
    tiles = -(-len(weights) // entries)
    scales = torch.tensor([[2.0**-n] for n in range(tiles)], dtype=torch.float64)
    padded = torch.zeros(tiles * entries)
    padded[: len(weights)] = weights
    tile_NRv = (padded.view(tiles, 1, entries).double() / scales[..., None]).float()
    block_RK = torch.cat([block_sums(tile) * scale for tile, scale in zip(tile_NRv, scales, strict=True)], 1)
    token, p = inverse_cdf(tile_NRv, scales, block_RK, torch.tensor([uniform], dtype=torch.float64))
    weights = weights.double()
    assert p.dtype == torch.float64 and float(p) == pytest.approx(float(weights[token] / weights.sum()), rel=1e-12)
    return int(token)


@pytest.mark.parametrize("blocks_a_tile", [1, 2])
@pytest.mark.parametrize("block", [1, 2, 3, 512])
def test_inverse_cdf_literals(monkeypatch, block, blocks_a_tile):
    monkeypatch.setattr(token_sampler, "BLOCK", block)
    p = torch.tensor([0.0, 0.25, 0.0, 0.75, 0.0])
    for uniform, token in ((0.0, 1), (0.2499, 1), (0.25, 3), (0.9999999999, 3)):
        assert token_at(p, uniform, blocks_a_tile) == token
        assert token_at(4 * p, uniform, blocks_a_tile) == token  # weights need no sum of 1
    # A token of probability 2^-30, which fp32 sums would swallow, keeps its place.
    p = torch.tensor([1.0 - 2**-24, 2**-30, 2**-24 - 2**-30])
    assert token_at(p, 1.0 - 2**-24 + 2**-31, blocks_a_tile) == 1


@given(
    st.lists(st.sampled_from([0.0, 1e-30, 1e-8, 0.1, 1.0]), min_size=1, max_size=8).filter(any),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([1, 2, 3, 512]),
    st.sampled_from([1, 2]),
)
def test_inverse_cdf_never_draws_probability_zero(weights, uniform, block, blocks_a_tile):
    p = torch.tensor(weights, dtype=torch.float32) / sum(weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_sampler, "BLOCK", block)
        token = token_at(p, uniform, blocks_a_tile)
    assert p[token] > 0
    before = sum(p[:token].double().tolist())
    assert before <= uniform * float(p.double().sum()) + 1e-15


@pytest.mark.parametrize(("block", "entries"), [(512, 4096), (16, 64), (16, 16), (64, 64)])
@pytest.mark.parametrize("family", ["llama", "phi", "gemma2", "cohere"])  # plain, with a bias, a soft cap, a factor
def test_sampling_follows_the_softmax_whatever_the_tiles(make_policy, monkeypatch, family, block, entries):
    monkeypatch.setattr(token_sampler, "BLOCK", block)
    monkeypatch.setattr(token_sampler, "VOCABULARY_TILE", entries)
    policy, temperature = make_policy(family), 0.7
    hidden_RD = 3 * torch.randn(40, policy.causal_lm.config.hidden_size, generator=torch.Generator().manual_seed(0))
    uniform_R = torch.rand(40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with torch.no_grad():
        logp_RV = torch.log_softmax(token_sampler.lm_head(policy.causal_lm)(hidden_RD).double() / temperature, -1)
        token_R, drawn_R = TokenSampler(policy, temperature, 16)(hidden_RD, uniform_R)
        best_R, best_logp_R = TokenSampler(policy, temperature, 16)(hidden_RD, None)
    cumulative_RV = logp_RV.exp().cumsum(-1)
    expected_R = (cumulative_RV <= uniform_R[:, None] * cumulative_RV[:, -1:]).sum(-1)
    # Rounding may decide where the uniform number is a millionth from the border of two tokens; here none is.
    assert (cumulative_RV - uniform_R[:, None]).abs().min() > 1e-6
    torch.testing.assert_close(token_R, expected_R)
    torch.testing.assert_close(best_R, logp_RV.argmax(-1))
    for token, logp in ((token_R, drawn_R), (best_R, best_logp_R)):
        torch.testing.assert_close(logp, logp_RV.gather(1, token[:, None]).squeeze(1), rtol=0, atol=2e-6)
