"""Samples tokens from softmax(head(hidden) / temperature) and gives their log-probabilities, one vocabulary tile at a time.

Inverse-CDF sampling on two levels: while a tile's logits are in a CPU's cache they become exponentials relative to the
tile's maximum, which are summed over blocks of vocabulary entries. One uniform number a row then selects a block, and in it
a token. It holds buffers, and knows nothing of prompts, caches and end tokens.

Shape suffixes: R = rows, D = width, V = vocabulary, N = tiles, v = vocabulary entries of one tile, K = blocks of the whole
vocabulary, k = entries of one block.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.policy.fused_linear_logprob import LOG2_E
from rlsf_lightning.policy.heads import linear_head, lm_head
from rlsf_lightning.policy.policy import Policy

#: Logits that there are at a time, rows x vocabulary: 64 MB in fp32.
MOST_LOGITS = 2**24
#: Neighbouring vocabulary entries that are summed before a token is looked for among them.
BLOCK = 512
#: Vocabulary entries of a tile on a CPU, a multiple of BLOCK.
VOCABULARY_TILE = 4096


class TokenSampler:
    """Callable with hidden states; valid for as long as the policy's weights stay what they are."""

    def __init__(self, policy: Policy, temperature: float, rows: int) -> None:
        self.head = linear_head(policy.causal_lm, learns=True)
        self.logits_of = None if self.head is not None else lm_head(policy.causal_lm)
        self.temperature, self.vocabulary = temperature, policy.vocabulary_size
        self.rows_at_once = max(1, min(rows, MOST_LOGITS // self.vocabulary))
        whole = -(-self.vocabulary // BLOCK) * BLOCK
        is_tiled = self.head is not None and policy.device.type == "cpu"
        self.tile = min(VOCABULARY_TILE, whole) if is_tiled else whole
        stored = (
            policy.causal_lm.get_output_embeddings().weight.dtype if self.head is None else self.head.weight_VD.dtype
        )
        dtype = torch.promote_types(stored, torch.float32) if stored.is_floating_point else torch.float32
        tiles = -(-self.vocabulary // self.tile)
        # Stays zero in the columns of the last tile that lie beyond the vocabulary.
        self.exp_NRv = torch.zeros(tiles, self.rows_at_once, self.tile, dtype=dtype, device=policy.device)

    def __call__(self, hidden_RD: Tensor, uniform_R: Tensor | None) -> tuple[Tensor, Tensor]:
        """(token_R, logp_R), logp in nats and fp64.

        ``uniform_R``: a number in [0, 1) for every row, fp64; None: greedy, the likeliest tokens.
        """
        parts = []
        for start in range(0, len(hidden_RD), self.rows_at_once):
            rows = slice(start, start + self.rows_at_once)
            parts.append(self._sample(hidden_RD[rows], None if uniform_R is None else uniform_R[rows]))
        token_R, logp_R = (torch.cat(column) for column in zip(*parts, strict=True))
        return token_R, logp_R

    def _sample(self, hidden_RD: Tensor, uniform_R: Tensor | None) -> tuple[Tensor, Tensor]:
        exp_NRv = self.exp_NRv[:, : len(hidden_RD)]
        hidden_RD = hidden_RD.to(exp_NRv.dtype) if self.head is not None else hidden_RD
        maxima, likeliest, sums = [], [], []
        for exp_Rv, first in zip(exp_NRv, range(0, self.vocabulary, self.tile), strict=True):
            z_Rv = self._logits(hidden_RD, first, exp_Rv)
            if uniform_R is None:
                likeliest.append(first + z_Rv.argmax(-1))
            maxima.append(z_Rv.amax(-1))
            z_Rv.sub_(maxima[-1][:, None]).mul_(LOG2_E).exp2_()
            sums.append(block_sums(exp_Rv))
        max_NR = torch.stack(maxima)
        scale_NR = (max_NR - max_NR.amax(0)).double().exp()
        sum_RK = torch.cat([sum_RK * scale_R[:, None] for sum_RK, scale_R in zip(sums, scale_NR, strict=True)], 1)
        if uniform_R is None:
            token_R = torch.stack(likeliest).gather(0, max_NR.argmax(0)[None]).squeeze(0)
            return token_R, -sum_RK.sum(1).log()
        token_R, p_R = inverse_cdf(exp_NRv, scale_NR, sum_RK, uniform_R)
        return token_R.clamp(max=self.vocabulary - 1), p_R.log()  # beyond it where logits are not finite

    def _logits(self, hidden_RD: Tensor, first: int, exp_Rv: Tensor) -> Tensor:
        """Logits / temperature of the entries from ``first`` on, written into the tile; a view of the columns that exist."""
        z_Rv = exp_Rv[:, : self.vocabulary - first]
        if self.head is not None:
            return self.head.logits_tile(hidden_RD, slice(first, first + self.tile), self.temperature, z_Rv)
        assert self.logits_of is not None
        z_Rv.copy_(self.logits_of(hidden_RD))
        return z_Rv if self.temperature == 1.0 else z_Rv.div_(self.temperature)


def block_sums(exp_Rv: Tensor) -> Tensor:
    """Sums over blocks in fp64, (R, v / BLOCK), so that rare tokens keep their probability."""
    return exp_Rv.unflatten(1, (-1, BLOCK)).sum(-1, dtype=torch.float64)


def inverse_cdf(exp_NRv: Tensor, scale_NR: Tensor, sum_RK: Tensor, uniform_R: Tensor) -> tuple[Tensor, Tensor]:
    """Token ids (R) sampled in proportion to ``exp_NRv * scale_NR``, and their probabilities (R) in fp64.

    The token is the first whose cumulative weight exceeds the uniform number in [0, 1) times the sum of all: one random
    number a row, whatever the vocabulary. It is searched for first among the sums of blocks, ``sum_RK``, then in its block.
    A token of probability 0 is never sampled.
    """
    cumulative_RK = sum_RK.cumsum(1)
    total_R1 = cumulative_RK[:, -1:]
    threshold_R1 = uniform_R[:, None] * total_R1
    block_R1 = _first_above(sum_RK, cumulative_RK, threshold_R1)
    before_R1 = cumulative_RK.gather(1, block_R1) - sum_RK.gather(1, block_R1)
    blocks = exp_NRv.shape[2] // BLOCK
    tile_R, row_R = block_R1[:, 0] // blocks, torch.arange(len(uniform_R), device=uniform_R.device)
    exp_Rk = exp_NRv.unflatten(2, (-1, BLOCK))[tile_R, row_R, block_R1[:, 0] % blocks].double()
    exp_Rk *= scale_NR[tile_R, row_R][:, None]
    column_R1 = _first_above(exp_Rk, exp_Rk.cumsum(1), threshold_R1 - before_R1)
    p_R1 = exp_Rk.gather(1, column_R1) / total_R1
    return (block_R1 * BLOCK + column_R1).squeeze(1), p_R1.squeeze(1)


def _first_above(weight_RK: Tensor, cumulative_RK: Tensor, threshold_R1: Tensor) -> Tensor:
    """The first column whose cumulative weight exceeds the threshold, and no later one than the last with any weight."""
    first_R1 = torch.searchsorted(cumulative_RK, threshold_R1, right=True)
    last_R1 = weight_RK.shape[1] - 1 - (weight_RK > 0).flip(1).int().argmax(1, keepdim=True)
    return torch.minimum(first_R1, last_R1)
