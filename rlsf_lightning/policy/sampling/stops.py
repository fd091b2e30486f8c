"""Stop sequences: texts and token ids that end a completion as the end token does. They stay part of it.

Token in, token out: a completion ends with the token that completes a stop text, even where that token says more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from rlsf_lightning.errors import UserError


class Stops:
    """What a recipe's ``rollout.stop`` lists. UserError for an id that the tokenizer does not have."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stops: Sequence[str | int] = ()) -> None:
        self.tokenizer = tokenizer
        self.texts = [stop for stop in stops if isinstance(stop, str)]
        self.ids = [stop for stop in stops if isinstance(stop, int)]
        for stop in self.ids:
            if stop >= len(tokenizer):
                raise UserError(
                    f"rollout.stop: no token {stop}: the tokenizer has {len(tokenizer)}; write the text in quotes"
                )
        #: Tokens that a stop text can lie in: each that has a text holds at least a byte of it.
        self.window = max((len(text.encode()) for text in self.texts), default=0) + 1

    @cached_property
    def may_end_V(self) -> Tensor:
        """Which tokens may complete a stop text: those that hold the last character of one, or a part of any."""
        last = {text[-1] for text in self.texts} | {"\ufffd"}
        ids = [[token] for token in range(len(self.tokenizer))]
        pieces = self.tokenizer.batch_decode(ids, clean_up_tokenization_spaces=False)
        # A lone token may lose the blank that it begins with.
        return torch.tensor([not last.isdisjoint(f" {piece}") for piece in pieces])

    def ended(self, ids: Sequence[int]) -> bool:
        """Whether a stop text ends with the last of these tokens, none having ended before."""
        tail = self.tokenizer.decode(
            list(ids[-self.window :]), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return any(text in str(tail) for text in self.texts)

    def rows_that_end(self, token_R: Tensor, step_R: Tensor, ids_RT: Tensor) -> Tensor:
        """[R]: the rows that end with their newest token, which stands at ``step_R`` of ``ids_RT``."""
        is_end_R = torch.zeros_like(token_R, dtype=torch.bool)
        if not self.texts:
            return is_end_R
        candidates = self.may_end_V[token_R.cpu()].nonzero().squeeze(-1).tolist()
        for row in candidates:
            is_end_R[row] = self.ended(ids_RT[row, : int(step_R[row]) + 1].tolist())
        return is_end_R
