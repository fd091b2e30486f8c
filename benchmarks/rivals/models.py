"""Models with random weights whose lengths are known: the end token has one fixed probability at every step.

Every contender loads the same folder, so nobody needs a code path of its own to stop early or never. Two numbers of the
hidden state make it so:

* number 0 is a constant: every embedding holds ``CONSTANT`` there and no layer writes to it; the last norm makes
  ``UNIT`` of it. The head is the embedding itself, so the constant moves all logits alike (by 1, so that they keep their
  digits in bf16), but for two tokens: the padding token is pushed out of reach, and the end token to its probability
  (found by bisection on the model's own states) or out of reach too.
* number 1 is +-``LEAN``: the upper half of the vocabulary is told from the lower one by the direction of one number,
  which makes "write tokens of the upper half" a task that an adapter can learn in a few steps.

The tokenizer is a byte-level BPE without merges: a prompt is its bytes, and every id above them is a made-up word.
"""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

PAD, EOS = 0, 1
FIRST_BYTE = 2
CONSTANT, LEAN = 8.0, 0.3
#: What the last norm makes of the constant, and what a head's weight for it must be so that a token never comes.
UNIT, OUT_OF_REACH = 1 / 8, -480.0

#: Configurations; ``model_type`` is llama where none is named.
SHAPES: dict[str, dict[str, Any]] = {
    # The shipped policy: 5.1 million parameters.
    "embedded": {
        "vocab_size": 1024,
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 512,
    },
    # 30.6 million parameters, 28.8 of them the embedding that is the head, too.
    "vocab150k": {
        "vocab_size": 150_000,
        "hidden_size": 192,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 3,
        "num_key_value_heads": 3,
        "max_position_embeddings": 512,
    },
    # SmolLM2-135M's configuration: 134.5 million parameters.
    "smollm2": {
        "vocab_size": 49_152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100_000.0},
    },
    # Qwen2.5-1.5B's configuration: 1.54 billion parameters, biases on queries, keys and values.
    "qwen2_1.5b": {
        "model_type": "qwen2",
        "vocab_size": 151_936,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
    },
}


def prepare(
    folder: Path, shape: str, mode: str, tokens: int, seed: int = 0, dtype: torch.dtype = torch.float32
) -> dict[str, Any]:
    """Write model and tokenizer to ``folder``. ``mode``: "forced" (never ends) or "natural" (half of ``tokens``)."""
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        **{"model_type": "llama", **SHAPES[shape]},
        tie_word_embeddings=True,
        pad_token_id=PAD,
        eos_token_id=EOS,
        bos_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    _make_constant(model)
    model.to(dtype).float()  # what is found holds for the rounded weights
    wanted = end_probability(tokens) if mode == "natural" else 0.0
    found = _set_end(model, wanted, torch.Generator().manual_seed(seed)) if wanted else 0.0
    model.generation_config.update(do_sample=True, pad_token_id=PAD, eos_token_id=EOS)
    model.to(dtype).save_pretrained(folder)
    tokenizer(SHAPES[shape]["vocab_size"], seed).save_pretrained(folder)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "end_probability": wanted,
        "end_probability_least_and_most": found,
        **SHAPES[shape],
    }


def end_probability(tokens: int) -> float:
    """The chance p of an end at each step at which min(geometric(p), tokens) is half of ``tokens`` on average.

    The mean is ``(1 - (1 - p)**tokens) / p``, falling in p.
    """
    low, high = 1e-9, 1.0
    for _ in range(200):
        p = (low + high) / 2
        low, high = (low, p) if (1 - (1 - p) ** tokens) / p < tokens / 2 else (p, high)
    return (low + high) / 2


@torch.no_grad()
def _make_constant(model: Any) -> None:
    weight_VD = model.get_input_embeddings().weight
    weight_VD[:, 0] = CONSTANT
    weight_VD[:, 1] = -LEAN
    weight_VD[len(weight_VD) // 2 :, 1] = LEAN
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight[0] = 0.0
        layer.mlp.down_proj.weight[0] = 0.0
    model.model.norm.weight[0] = UNIT / math.sqrt(weight_VD.shape[1])  # the constant is nearly all of a state's length
    for token in (PAD, EOS):
        weight_VD[token, 0] = OUT_OF_REACH
        weight_VD[token, 1:] = 0.0


@torch.no_grad()
def _set_end(model: Any, wanted: float, generator: torch.Generator) -> tuple[float, float]:
    """Raise the end token's logit until its mean probability is ``wanted``; return the least and the largest."""
    weight_VD = model.get_input_embeddings().weight
    ids_BS = torch.randint(FIRST_BYTE, len(weight_VD), (4, 64), generator=generator)
    hidden_ND = model.model(input_ids=ids_BS).last_hidden_state[:, 16:].flatten(0, 1)
    others_N = (hidden_ND @ weight_VD[FIRST_BYTE:].T).logsumexp(-1)
    low, high = OUT_OF_REACH, -OUT_OF_REACH
    for _ in range(60):
        middle = (low + high) / 2
        p_N = torch.sigmoid(middle * hidden_ND[:, 0] - others_N)
        low, high = (low, middle) if float(p_N.mean()) > wanted else (middle, high)
    weight_VD[EOS, 0] = middle
    return float(p_N.min()), float(p_N.max())


def tokenizer(vocabulary: int, seed: int) -> PreTrainedTokenizerFast:
    rng = random.Random(seed)
    words = {"<pad>": PAD, "<eos>": EOS}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        words[character] = len(words)
    while len(words) < vocabulary:
        words.setdefault("Ġ" + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 7))), len(words))
    built = Tokenizer(models.BPE(vocab=words, merges=[]))
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=built,
        pad_token="<pad>",
        eos_token="<eos>",
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def write_prompts(path: Path, count: int, seed: int = 0) -> list[str]:
    """``count`` different prompts of 12 to 36 bytes, as JSON lines. One reference for all keeps them in one split."""
    rng = random.Random(seed)
    prompts = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz-,1234", k=rng.randint(12, 36))) for _ in range(count)]
    assert len(set(prompts)) == count
    path.write_text("".join(json.dumps({"prompt": text, "reference": "CCO"}) + "\n" for text in prompts))
    return prompts
