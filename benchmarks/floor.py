"""How far each stage of a training step is from what the machine could do: its roofline, measured in the same run.

    python benchmarks/floor.py [width=256] [layers=6] [vocabulary=1024] [batch=16] [samples=4] [prompt=24] [length=64]
        [shape=NAME] [quantize=nf4] [steps=5] [clock=seconds] [results=FOLDER]

On a GPU, at SmolLM2-135M's and at Qwen2.5-1.5B's configuration; with an NF4 base too:

    python benchmarks/floor.py shape=smollm2 batch=16 samples=4 length=256 [quantize=nf4]
    python benchmarks/floor.py shape=qwen2_1.5b batch=16 samples=4 length=256 [quantize=nf4]

``shape`` names a configuration of rivals/models.py in place of width, layers and vocabulary. PPO with a critic, a reference
and LoRA of rank 16 on a policy of random weights, every completion of full length: on a CPU in fp32, on a GPU, where there
is one, in bf16. ``clock=cpu`` reads processor time instead of the wall's, for machines that are shared (with one thread, as
in OMP_NUM_THREADS=1). One warm-up, then the median of ``steps``; after that one step under torch's profiler says which
operations the time goes to.

The floor. P: weights of the adapted linear layers, A: of their adapters, V x D: of the head, L layers of attention width E;
for a sequence of s tokens, c of them completion; flops(x) = x / (the best matrix product), bytes(x) = x / (the best reading).

    generate  prompts once: sum 2 P s + 2 L E s^2, and one column of the head; then for every further token of the
              completions max(flops(rows (2 P + 2 V D + 4 L E s)), bytes(all weights once + every row's keys and values))
    score     sum 2 P s + 2 L E s^2 + 2 V D c, under the reference, and under the policy where sampling did not do so
    update    the forward pass as in scoring; back: 2 P s without the first layer's inputs, 4 A s, 4 L E s^2, 2 V D c

NF4 weights count as what they take in memory, half a byte and their scales. The share of the roofline is floor / seconds:
of sampling, whose steps are bound by memory or by arithmetic, whichever is slower; of the update it is the MFU, against
the best product that was measured here and not against a data sheet's.

Left out of the floor: all that is no matrix product (norms, activations, softmax, sampling, the optimiser), merging the
adapters, and that prompts are computed once for each of their samples; so a ratio of 1 cannot be reached. Verification
has no floor here: it is the verifier's.

Writes benchmarks/results/floor_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from rivals.models import SHAPES, prepare
from steps_common import Shape, TimedModule, load_now, machine, medians, ppo_recipe, run_steps, settings_of, write
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from rlsf_lightning.config.schema import Recipe

DEFAULTS = {"width": 256, "layers": 6, "vocabulary": 1024, "shape": "", "quantize": "none", "batch": 16, "samples": 4,
            "prompt": 24, "length": 64, "steps": 5, "clock": "seconds"}  # fmt: skip
STAGES = ("generate", "score", "update")
#: Numbers in the fp32 buffer that is read for the bandwidth: more than any cache holds, and on a GPU long enough to time.
BIG = {"cpu": 1 << 26, "cuda": 1 << 29}
#: Rows, columns and depth of the matrix product that shows the machine's best.
SQUARE = {"cpu": 1536, "cuda": 8192}
#: How often, and for how many seconds, each probe of the machine is repeated at least; its best time counts.
PROBE_TIMES, PROBE_SECONDS = 8, 0.5

#: What operations are counted under, by a part of their name; the first that fits.
KINDS = {
    "attention": ("attention",),
    "matrix products": ("mm", "linear", "gemm", "matmul", "dot"),
    "copies and indexing": ("copy", "index", "gather", "scatter", "cat", "contiguous", "clone", "_to_", "masked"),
    "optimiser": ("adam", "foreach", "fused"),
}


@dataclass(frozen=True)
class Work:
    """What a policy's stages have to compute and to read: weights of its parts, and how long its sequences are."""

    linear: int  # P
    linear_bytes: int  # that these weights take in memory
    adapters: int  # A
    head: int  # V x D
    first_inputs: int  # weights whose inputs need no gradient: q, k and v of the first layer
    layers: int  # L
    attention: int  # E: heads x head width
    cached: int  # numbers a layer keeps of one token: keys and values
    size: int  # bytes of a number
    scorings: int  # passes: the reference's, and the policy's where old scores are computed again
    prompts: tuple[int, ...]  # tokens of every distinct prompt
    rows: tuple[tuple[int, int], ...]  # prompt and completion tokens of every sequence

    def generate(self, flops: float, bandwidth: float) -> float:
        """Seconds, at these FLOP/s and bytes/s."""
        square = 2 * self.layers * self.attention
        seconds = sum(2 * self.linear * s + square * s * s + 2 * self.head for s in self.prompts) / flops
        for step in range(1, max(c for _, c in self.rows)):
            lengths = [p + step for p, c in self.rows if c > step]
            work = len(lengths) * 2 * (self.linear + self.head) + 2 * square * sum(lengths)
            read = self.linear_bytes + self.size * (self.head + self.layers * self.cached * sum(lengths))
            seconds += max(work / flops, read / bandwidth)
        return seconds

    def forward(self) -> int:
        """FLOPs of one pass over all sequences, head included; the adapters are in the weights."""
        square = 2 * self.layers * self.attention
        return sum(2 * self.linear * (p + c) + square * (p + c) ** 2 + 2 * self.head * c for p, c in self.rows)

    def score(self, flops: float) -> float:
        """Seconds."""
        return self.scorings * self.forward() / flops

    def update(self, flops: float) -> float:
        """Seconds of one pass forward and back."""
        back = 2 * (self.linear - self.first_inputs) + 4 * self.adapters
        square = 4 * self.layers * self.attention
        backward = sum(back * (p + c) + square * (p + c) ** 2 + 2 * self.head * c for p, c in self.rows)
        return (self.forward() + backward) / flops


def work_of(module: TimedModule, settings: Mapping[str, Any]) -> Work:
    """Read off the layers of a loaded policy."""
    config = module.policy.causal_lm.config
    adapted = [m for m in module.policy.backbone.modules() if isinstance(m, LoraLayer)]
    sizes = [(layer.in_features, layer.out_features, layer.r["default"]) for layer in adapted]
    head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    width, kept = config.num_attention_heads * head_width, config.num_key_value_heads * head_width
    return Work(
        linear=sum(a * b for a, b, _ in sizes),
        linear_bytes=sum(stored_bytes(layer.get_base_layer().weight) for layer in adapted),
        adapters=sum(r * (a + b) for a, b, r in sizes),
        head=config.vocab_size * config.hidden_size,
        first_inputs=config.hidden_size * (width + 2 * kept),
        layers=config.num_hidden_layers,
        attention=width,
        cached=2 * kept,
        size=module.policy.causal_lm.get_input_embeddings().weight.element_size(),
        scorings=1 + (not module.old_scores_are_sampled()),
        prompts=(settings["prompt"],) * settings["batch"],
        rows=((settings["prompt"], settings["length"]),) * (settings["batch"] * settings["samples"]),
    )


def stored_bytes(weight: Tensor) -> int:
    """What a weight takes in memory, the scales of a quantised one included."""
    tensors, state = [weight], getattr(weight, "quant_state", None)
    while state is not None:  # scales may be quantised themselves
        tensors, state = [*tensors, state.absmax], state.state2
    return sum(tensor.nbytes for tensor in tensors)


def best_rate(work: float, act: Callable[[], Any], clock: Callable[[], float], device: str) -> float:
    """The most of ``work`` a second that ``act`` reaches."""
    best, times, began = 0.0, 0, time.perf_counter()
    act()
    while times < PROBE_TIMES or time.perf_counter() - began < PROBE_SECONDS:
        wait(device)
        start = clock()
        act()
        wait(device)
        best, times = max(best, work / max(clock() - start, 1e-9)), times + 1
    return best


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


@torch.no_grad()
def probe(module: TimedModule, tokens: int, clock: Callable[[], float]) -> dict[str, float]:
    """FLOP/s and bytes/s of the machine: at their best, and with the policy's own weights, or dense ones of their sizes."""
    embedding = module.policy.causal_lm.get_input_embeddings().weight
    device, dtype = embedding.device.type, embedding.dtype
    weights = [dense(m, dtype) for m in module.policy.backbone.modules() if isinstance(m, LoraLayer)]
    n = SQUARE[device]
    a, b, out = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(3))
    big, target = torch.ones(BIG[device], device=device), torch.empty(BIG[device], device=device)
    inputs = {w.shape[1]: torch.randn(tokens, w.shape[1], device=device, dtype=dtype) for w in weights}
    count = sum(w.numel() for w in weights)

    def products(rows: int) -> list[Tensor]:
        return [inputs[w.shape[1]][:rows] @ w.T for w in weights]

    return {
        "square product, FLOP/s": best_rate(2 * n**3, lambda: torch.mm(a, b, out=out), clock, device),
        "own weights x tokens, FLOP/s": best_rate(2 * count * tokens, lambda: products(tokens), clock, device),
        "sum, bytes/s": best_rate(big.nbytes, big.sum, clock, device),
        "copy, bytes/s": best_rate(2 * big.nbytes, lambda: target.copy_(big), clock, device),
        "own weights x one token, bytes/s": best_rate(
            count * weights[0].element_size(), lambda: products(1), clock, device
        ),
    }


def dense(layer: LoraLayer, dtype: torch.dtype) -> Tensor:
    """The layer's weight, or random numbers of its size where it is packed."""
    weight, size = layer.get_base_layer().weight, (layer.out_features, layer.in_features)
    return weight if weight.shape == size else torch.randn(size, device=weight.device, dtype=dtype)


class ProfiledModule(TimedModule):
    """Runs the stages of its last step under torch's profiler."""

    def __init__(self, recipe: Any, last: int) -> None:
        super().__init__(recipe)
        self.last = last
        self.spent: dict[str, dict[str, float]] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        if self.steps_done < self.last or stage not in STAGES:
            with super().timed(stage):
                yield
            return
        on_gpu = self.device.type == "cuda"
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
        start = time.perf_counter()
        with super().timed(stage), profile(activities=activities) as profiler:
            yield
            wait(self.device.type)
            seconds = time.perf_counter() - start
        kind = "self_device_time_total" if on_gpu else "self_cpu_time_total"
        found = {event.key: getattr(event, kind) / 1e6 for event in profiler.key_averages()}
        self.spent[stage] = found | {"(no operation)": max(0.0, seconds - sum(found.values()))}


def kind_of(operation: str) -> str:
    """The line of the table that an operation belongs to."""
    if operation == "(no operation)":
        return "Python and dispatch between operations"
    name = operation.lower()
    return next(
        (kind for kind, parts in KINDS.items() if any(part in name for part in parts)), "elementwise and reductions"
    )


def split(spent: Mapping[str, float]) -> dict[str, Any]:
    """Shares of a profiled stage by kind, and its ten longest operations."""
    total, kinds = sum(spent.values()), Counter[str]()
    for operation, seconds in spent.items():
        kinds[kind_of(operation)] += seconds / total
    longest = sorted(spent.items(), key=lambda item: -item[1])[:10]
    return {
        "kinds": {kind: round(share, 4) for kind, share in kinds.most_common()},
        "operations": {operation: round(seconds / total, 4) for operation, seconds in longest},
    }


def recipe_of(settings: Mapping[str, Any], folder: Path) -> Recipe:
    """PPO on a policy of the shape that is asked for; on a GPU in bf16."""
    shape: Shape | Path = Shape(settings["width"], settings["layers"], settings["vocabulary"])
    on_gpu = torch.cuda.is_available()
    if settings["shape"]:
        shape, dtype = folder / "shape", torch.bfloat16 if on_gpu else torch.float32
        prepare(shape, settings["shape"], "forced", settings["length"], dtype=dtype)
    overrides = [
        f"rollout.batch_size={settings['batch']}",
        f"rollout.samples_per_prompt={settings['samples']}",
        f"rollout.max_new_tokens={settings['length']}",
        f"policy.quantize={settings['quantize']}",
        *(["trainer.precision=bf16-mixed"] if on_gpu else []),
    ]
    return ppo_recipe(folder, shape, settings["prompt"], overrides)


def measure(settings: Mapping[str, Any]) -> dict[str, Any]:
    """All numbers."""
    load = load_now()
    with tempfile.TemporaryDirectory() as folder:
        recipe = recipe_of(settings, Path(folder))
        module = ProfiledModule(recipe, last=settings["steps"] + 1)
        found = medians(run_steps(recipe, settings["steps"] + 2, forced=True, module=module)[1:-1], settings["clock"])
    clock = time.process_time if settings["clock"] == "cpu" else time.perf_counter
    rates = probe(module, min(2048, settings["batch"] * settings["samples"] * settings["length"]), clock)
    flops = max(rate for name, rate in rates.items() if "FLOP" in name)
    bandwidth = max(rate for name, rate in rates.items() if "bytes" in name)
    work = work_of(module, settings)
    floors = {"generate": work.generate(flops, bandwidth), "score": work.score(flops), "update": work.update(flops)}
    stages = {
        stage: {"seconds": found[stage], "floor": floor, "ratio": found[stage] / floor, "share": floor / found[stage]}
        | split(module.spent[stage])
        for stage, floor in floors.items()
    }
    return {"configuration": {"settings": dict(settings), **machine(load)}, "rates": rates, "stages": stages, "step": found,
            "work": work.__dict__ | {"prompts": len(work.prompts), "rows": len(work.rows)}}  # fmt: skip


def table(result: Mapping[str, Any]) -> str:
    """In Markdown."""
    settings, where = result["configuration"]["settings"], result["configuration"]
    lines = [f"# The floor of each stage, {where['date']}", ""]
    lines += ["| stage | seconds | floor | ratio | share of the roofline |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {stage} | {found['seconds']:.3f} | {found['floor']:.3f} | {found['ratio']:.2f} | {found['share']:.1%} |"
        for stage, found in result["stages"].items()
    ]
    lines += ["", "The update's share is its MFU, against the best product measured here.", ""]
    lines += [*(f"- {name}: {rate / 1e9:.1f} G" for name, rate in result["rates"].items())]
    for stage, found in result["stages"].items():
        kinds = ", ".join(f"{kind} {share:.0%}" for kind, share in found["kinds"].items() if share >= 0.005)
        longest = ", ".join(f"`{name}` {share:.0%}" for name, share in found["operations"].items() if share >= 0.005)
        lines += ["", f"{stage} (one profiled step): {kinds}. Longest: {longest}."]
    unused = ("results", *(("width", "layers", "vocabulary") if settings["shape"] else ("shape",)))
    lines += ["", f"{where['torch_threads']} torch threads, {where['cores']} cores, GPU: {where['gpu']}, clock: "
              f"{settings['clock']}, median of {settings['steps']} steps; load of the machine before: {where['load_before']}; "
              f"{', '.join(f'{key}={value}' for key, value in settings.items() if key not in unused)}."]  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    settings = settings_of(arguments, DEFAULTS)
    for key, choices in (("shape", ("", *SHAPES)), ("quantize", ("none", "nf4"))):
        if settings[key] not in choices:
            sys.exit(f"{key}={settings[key]}: write one of {', '.join(filter(None, choices))}")
    result = measure(settings)
    write("floor", result, table(result), settings["results"])


if __name__ == "__main__":
    main(sys.argv[1:])
