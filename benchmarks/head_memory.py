"""Log-probabilities and entropies at a vocabulary of 150,000: in chunks, as training computes them, and all at once.

    python benchmarks/head_memory.py [vocabulary=150000] [width=256] [rows=16] [length=128]

Each way runs forward and backward in a process of its own, which reports its peak memory beyond what it held before;
the losses and gradients of both are compared, in float64 on a small vocabulary and in float32 on this one. Writes
benchmarks/results/head_memory_<machine>_<date>.json.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rlsf_lightning.policy.logprob import score_actions
from rlsf_lightning.policy.policy import Policy

SIZES = {"vocabulary": 150_000, "width": 256, "rows": 16, "length": 128}
WAYS = ("chunks", "plain")


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] in WAYS:
        measure(arguments[0], json.loads(arguments[1]), Path(arguments[2]))
        return
    sizes = SIZES | {name: int(value) for name, _, value in (a.partition("=") for a in arguments)}
    result = {"sizes": sizes, "torch": torch.__version__, "threads": torch.get_num_threads()}
    for label, chosen, dtype in (("exactness", {**sizes, "vocabulary": 2000}, "float64"), ("memory", sizes, "float32")):
        with tempfile.TemporaryDirectory() as folder:
            found = {way: run(way, {**chosen, "dtype": dtype}, Path(folder)) for way in WAYS}
            gradients = [torch.load(Path(folder) / f"{way}.pt") for way in WAYS]
        worst = max(float((a - b).norm() / b.norm()) for a, b in zip(*gradients, strict=True))
        result[label] = {"dtype": dtype, **found, "largest_relative_difference_of_a_gradient": worst}
    ratio = result["memory"]["plain"]["peak_mb"] / result["memory"]["chunks"]["peak_mb"]
    result["plain_over_chunks"] = round(ratio, 2)
    print(json.dumps(result, indent=2))
    path = (
        Path(__file__).parent
        / "results"
        / f"head_memory_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.json"
    )
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {path}")


def run(way: str, sizes: dict, folder: Path) -> dict:
    command = [sys.executable, __file__, way, json.dumps(sizes), str(folder / f"{way}.pt")]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(way: str, sizes: dict, path: Path) -> None:
    """Print peak memory, seconds and the loss; save the gradients."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=sizes["vocabulary"],
            hidden_size=sizes["width"],
            intermediate_size=2 * sizes["width"],
            num_hidden_layers=1,
            num_attention_heads=4,
            tie_word_embeddings=True,
        )
    ).to(getattr(torch, sizes["dtype"]))
    # As with LoRA: the head's own weights do not learn, what lies below it does.
    model.get_input_embeddings().weight.requires_grad_(False)
    policy = Policy(model, _no_tokenizer(), eos_token_ids=[0], pad_token_id=0)
    ids_BS = torch.randint(sizes["vocabulary"], (sizes["rows"], sizes["length"] + 1))
    is_real_BS = torch.ones_like(ids_BS, dtype=torch.bool)
    is_action_BT = is_real_BS[:, 1:]
    reset_peak()
    before, start = peak_mb(), time.perf_counter()
    if way == "chunks":
        scores = score_actions(policy, ids_BS, is_real_BS, is_action_BT, temperature=1.0, with_entropy=True)
        loss = (scores.logp_BT + 0.1 * scores.entropy_BT).sum()
    else:
        logp_BTV = torch.log_softmax(model(input_ids=ids_BS).logits[:, :-1], dim=-1)
        entropy_BT = -(logp_BTV.exp() * logp_BTV).sum(-1)
        loss = (logp_BTV.gather(-1, ids_BS[:, 1:, None]).squeeze(-1) + 0.1 * entropy_BT).sum()
    loss.backward()
    seconds = time.perf_counter() - start
    torch.save([p.grad for p in model.parameters() if p.requires_grad], path)
    print(
        json.dumps(
            {"peak_mb": round(peak_mb() - before, 1), "seconds": round(seconds, 2), "loss": float(loss.detach())}
        )
    )


def peak_mb() -> float:
    """The most memory that this process has held since ``reset_peak``."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _no_tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, models

    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, "a")))


if __name__ == "__main__":
    main(sys.argv[1:])
