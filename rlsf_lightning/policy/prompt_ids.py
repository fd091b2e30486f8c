"""Token ids of a prompt's text, with a BOS where the tokenizer adds one."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from rlsf_lightning.errors import UserError


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of a prompt: with a BOS if the tokenizer adds one by itself, never with an EOS. UserError: there are none."""
    ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    if adds_bos(tokenizer):
        ids = [tokenizer.bos_token_id, *ids]
    if not ids:
        raise UserError(
            f"the prompt {text!r} has no tokens, and the tokenizer puts no BOS in front: nothing to continue. "
            'Write a data.template that adds some text, such as data.template="{prompt}\\n".'
        )
    return ids


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer adds a BOS by itself."""
    bos = tokenizer.bos_token_id
    return bos is not None and list(tokenizer("a")["input_ids"])[:1] == [bos]
