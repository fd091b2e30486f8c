"""From hidden states to the tokens that are drawn, by softmax(head(hidden) / temperature), and their log-probabilities.

The head is multiplied for some words of the vocabulary at a time, and what is needed of their logits is taken while these
are in a CPU's cache: sums over blocks of words. One random number a row then finds a block, and in it a token. It holds
buffers, and knows nothing of prompts, caches and ends.

Shape suffixes: R = rows, D = width, V = vocabulary, N = tiles, W = words of one tile, K = blocks of the whole vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.policy.fused_linear_logprob import LOG2_E
from rlsf_lightning.policy.heads import linear_head, lm_head
from rlsf_lightning.policy.policy import Policy

#: Logits that there are at a time, rows x vocabulary: 64 MB in fp32.
MOST_LOGITS = 2**24
#: Neighbouring words whose weights are summed before one is looked for among them.
BLOCK = 512
#: Words of a tile on a CPU, a multiple of BLOCK.
WORDS = 4096


class TokenSampler:
    """Callable with hidden states; made for as long as the weights stay what they are."""

    def __init__(self, policy: Policy, temperature: float, rows: int) -> None:
        self.head = linear_head(policy.causal_lm, learns=True)
        self.logits_of = None if self.head is not None else lm_head(policy.causal_lm)
        self.temperature, self.vocabulary = temperature, policy.vocabulary_size
        self.rows_at_once = max(1, min(rows, MOST_LOGITS // self.vocabulary))
        whole = -(-self.vocabulary // BLOCK) * BLOCK
        is_tiled = self.head is not None and policy.device.type == "cpu"
        self.words = min(WORDS, whole) if is_tiled else whole
        stored = (
            policy.causal_lm.get_output_embeddings().weight.dtype if self.head is None else self.head.weight_VD.dtype
        )
        dtype = torch.promote_types(stored, torch.float32) if stored.is_floating_point else torch.float32
        tiles = -(-self.vocabulary // self.words)
        # Zero where a tile is wider than the words that are left for it.
        self.weight_NRW = torch.zeros(tiles, self.rows_at_once, self.words, dtype=dtype, device=policy.device)

    def __call__(self, hidden_RD: Tensor, uniform_R: Tensor | None) -> tuple[Tensor, Tensor]:
        """(token_R, logp_R): with a number in [0, 1) for every row, or the likeliest tokens where there are none."""
        parts = []
        for start in range(0, len(hidden_RD), self.rows_at_once):
            rows = slice(start, start + self.rows_at_once)
            parts.append(self._drawn(hidden_RD[rows], None if uniform_R is None else uniform_R[rows]))
        token_R, logp_R = (torch.cat(column) for column in zip(*parts, strict=True))
        return token_R, logp_R

    def _drawn(self, hidden_RD: Tensor, uniform_R: Tensor | None) -> tuple[Tensor, Tensor]:
        weight_NRW = self.weight_NRW[:, : len(hidden_RD)]
        hidden_RD = hidden_RD.to(weight_NRW.dtype) if self.head is not None else hidden_RD
        tops, firsts, blocks = [], [], []
        for tile_RW, first in zip(weight_NRW, range(0, self.vocabulary, self.words), strict=True):
            z_RW = self._logits(hidden_RD, slice(first, first + self.words), tile_RW)
            if uniform_R is None:
                firsts.append(first + z_RW.argmax(-1))
            tops.append(z_RW.amax(-1))
            z_RW.sub_(tops[-1][:, None]).mul_(LOG2_E).exp2_()
            blocks.append(block_sums(tile_RW))
        top_NR = torch.stack(tops)
        fade_NR = (top_NR - top_NR.amax(0)).double().exp()
        block_RK = torch.cat([sums * fade_R[:, None] for sums, fade_R in zip(blocks, fade_NR, strict=True)], 1)
        if uniform_R is None:
            token_R = torch.stack(firsts).gather(0, top_NR.argmax(0)[None]).squeeze(0)
            return token_R, -block_RK.sum(1).log()
        token_R, p_R = inverse_cdf(weight_NRW, fade_NR, block_RK, uniform_R)
        return token_R.clamp(max=self.vocabulary - 1), p_R.log()  # beyond it where logits are not finite

    def _logits(self, hidden_RD: Tensor, words: slice, tile_RW: Tensor) -> Tensor:
        """Logits over the temperature, written into the tile: a view of as much of it as there are words."""
        if self.logits_of is not None:
            z_RV = tile_RW[:, : self.vocabulary].copy_(self.logits_of(hidden_RD))
            return z_RV if self.temperature == 1.0 else z_RV.div_(self.temperature)
        assert self.head is not None
        weight_WD = self.head.weight_VD[words]
        z_RW = tile_RW[:, : len(weight_WD)]
        with torch.autocast(hidden_RD.device.type, enabled=False):
            torch.mm(hidden_RD, weight_WD.T, out=z_RW)
        if self.head.bias_V is not None:
            z_RW += self.head.bias_V[words]
        scale = self.head.scale / self.temperature
        return z_RW if scale == 1.0 else z_RW.mul_(scale)


def block_sums(weight_RW: Tensor) -> Tensor:
    """Sums over blocks in fp64, (R, W / BLOCK), so that rare tokens keep their probability."""
    return weight_RW.unflatten(1, (-1, BLOCK)).sum(-1, dtype=torch.float64)


def inverse_cdf(weight_NRW: Tensor, fade_NR: Tensor, block_RK: Tensor, uniform_R: Tensor) -> tuple[Tensor, Tensor]:
    """Token ids drawn with probabilities in proportion to ``weight_NRW * fade_NR``, and those probabilities in fp64.

    The first token whose cumulative weight exceeds the uniform number in [0, 1) times the sum of all: one random number a
    row, whatever the vocabulary. It is looked up first among the sums of blocks, ``block_RK``, then in its block. A
    token of weight 0 is never drawn.
    """
    cumulative_RK = block_RK.cumsum(1)
    total_R1 = cumulative_RK[:, -1:]
    threshold_R1 = uniform_R[:, None] * total_R1
    chosen_R1 = _first_above(block_RK, cumulative_RK, threshold_R1)
    before_R1 = cumulative_RK.gather(1, chosen_R1) - block_RK.gather(1, chosen_R1)
    blocks = weight_NRW.shape[2] // BLOCK
    tile_R, row_R = chosen_R1[:, 0] // blocks, torch.arange(len(uniform_R), device=uniform_R.device)
    inside_RB = weight_NRW.unflatten(2, (-1, BLOCK))[tile_R, row_R, chosen_R1[:, 0] % blocks].double()
    inside_RB *= fade_NR[tile_R, row_R][:, None]
    place_R1 = _first_above(inside_RB, inside_RB.cumsum(1), threshold_R1 - before_R1)
    p_R1 = inside_RB.gather(1, place_R1) / total_R1
    return (chosen_R1 * BLOCK + place_R1).squeeze(1), p_R1.squeeze(1)


def _first_above(weight_RK: Tensor, cumulative_RK: Tensor, threshold_R1: Tensor) -> Tensor:
    """The first column whose cumulative weight exceeds the threshold, and no later one than the last with any weight."""
    first_R1 = torch.searchsorted(cumulative_RK, threshold_R1, right=True)
    last_R1 = weight_RK.shape[1] - 1 - (weight_RK > 0).flip(1).int().argmax(1, keepdim=True)
    return torch.minimum(first_R1, last_R1)
