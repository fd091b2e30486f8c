"""Response tokens a second through one whole iteration, and peak memory: this framework against TRL, side by side.

    python benchmarks/throughput.py [cells=embedded/*,check/*] [threads=2] [iterations=5] [key=value ...]

On a GPU, with more tokens a cell (GPU_SIZES), and with what fits into 24 GiB of it:

    python benchmarks/throughput.py device=cuda precision=bf16 "cells=smollm2/*,qwen2_1.5b/*" [memory_gb=24]
    python benchmarks/throughput.py device=cuda precision=nf4 "cells=smollm2/*,qwen2_1.5b/*" [memory_gb=24]

A cell is MODEL/LENGTHS/RIVAL: ``embedded``, ``vocab150k``, ``smollm2`` or ``qwen2_1.5b`` (on a CPU only where ``cells=``
names it); ``forced`` (no end token, every completion as
long as allowed) or ``natural`` (the end token has one fixed chance at each step, half of the allowed length on average);
``ppo_example`` (TRL's PPOTrainer with value and reward models of the policy's size), ``ppo_best`` (with a tiny value
model and a reward that costs nothing) or ``grpo``. ``check/CONTENDER`` shows that a contender learns.

Both sides load the same folder of random weights, prompts and tokenizer; samples, lengths, epochs, minibatches, dtype,
LoRA and threads are equal. Each contender is a process of its own; in a cell they take turns, iteration by iteration, so
that what else the machine does meets both: both are in memory all the time, so that a GPU needs room for the two.
TRL lives in environments that this script makes under ``environments=``. A contender that dies leaves its last line in the
table; the other one and the other cells go on, and the exit status is 1.

Written after every cell to benchmarks/results/throughput_<machine>_<date>.json and .md, with what is not the default of
device, precision and memory in the name; a cell that the file has with the same settings is not run again unless a
contender died in it (``again=true`` does).
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from rivals.contender import Contender, race
from rivals.figures import compare, learns, summary, table

HERE = Path(__file__).parent
MODES = ("forced", "natural")
#: What a rival is called -> its script, the algorithm of both sides, and the KL weight of both.
RIVALS: dict[str, dict[str, Any]] = {
    "ppo_example": {"script": "trl_ppo", "algorithm": "ppo", "form": "example", "beta": 0.05},
    "ppo_best": {"script": "trl_ppo", "algorithm": "ppo", "form": "best", "beta": 0.05},
    "grpo": {"script": "trl_grpo", "algorithm": "grpo", "form": "", "beta": 0.0},
}
#: Sizes of an iteration, so that a cell takes minutes on two cores.
SIZES: dict[str, dict[str, int]] = {
    "embedded": {"prompts": 16, "samples": 4, "tokens": 64},
    "vocab150k": {"prompts": 8, "samples": 4, "tokens": 48},
    "smollm2": {"prompts": 4, "samples": 4, "tokens": 32},
    "qwen2_1.5b": {"prompts": 2, "samples": 2, "tokens": 8},
}
#: On a GPU, of every model: the largest at which PPOTrainer, which keeps all logits, takes less than 80 GB.
GPU_SIZES = {"prompts": 16, "samples": 4, "tokens": 256}
#: Not among a CPU's cells unless asked for.
FOR_GPUS = ("qwen2_1.5b",)
#: Precision -> dtype of the written weights, and what the report says on a GPU and on a CPU.
PRECISIONS = {
    "fp32": ("float32", "fp32", "fp32"),
    "bf16": (
        "bfloat16",
        "bf16 weights, adapters in fp32 under autocast",
        "bf16 under autocast, over weights that are bf16 with TRL and fp32 with ours",
    ),
    "nf4": (
        "bfloat16",
        "NF4 base around bf16, adapters in fp32 under autocast; TRL's in bf16, as its value and reward models",
        "NF4 base around bf16 (ours around fp32 without bf16 instructions), adapters in fp32 under autocast; TRL's in bf16, "
        "as its value and reward models",
    ),
}
CHECKS = {"ours_ppo": "ppo_best", "ours_grpo": "grpo", "ppo_best": "ppo_best", "grpo": "grpo"}
CHECK = {"prompts": 8, "samples": 8, "tokens": 16, "lr": 2e-3, "beta": 0.0}
CHECK_STEPS, CHECK_GAIN = 24, 0.1
#: Settings that a contender is told.
TOLD = ("threads", "epochs", "minibatches", "lr", "seed", "device", "precision", "memory_gb", "ours")
DEFAULTS: dict[str, Any] = {
    "cells": "",
    "threads": 2,
    "iterations": 5,
    "warmups": 2,
    "epochs": 1,
    "minibatches": 4,
    "lr": 1e-6,
    "seed": 0,
    "device": "cpu",
    # fp32, bf16 or nf4.
    "precision": "fp32",
    # GiB of a GPU that a contender may reserve; 0: all.
    "memory_gb": 0.0,
    "environments": str(Path.home() / ".cache" / "rlsf_lightning" / "rivals"),
    "logs": "",
    "out": "",
    "again": False,
    # More keys of our recipe, as JSON: what a user would add to it.
    "ours": {},
    # Other sizes, as JSON: prompts, samples, tokens.
    "sizes": {},
}


def main(arguments: list[str]) -> None:
    settings = parse(arguments)
    from rivals.environment import own_versions

    path = Path(settings["out"] or HERE / "results" / f"throughput_{variant(settings)}_{date.today()}.json")
    result = json.loads(path.read_text()) if path.exists() else {"cells": {}}
    result |= {"machine": machine(), "processor": processor(), "versions": {"ours": own_versions()}}
    configuration = {k: v for k, v in settings.items() if k not in ("cells", "out", "again", "logs")}
    dead = []
    with tempfile.TemporaryDirectory() as folder:
        for name in cell_names(settings["cells"], settings["device"]):
            done = result["cells"].get(name)
            if done and done["settings"] == configuration and "died" not in done and not settings["again"]:
                print(f"{name}: done before")
                continue
            print(f"{name} ...", flush=True)
            cell = run_cell(name, settings, Path(folder))
            dead += [name] if "died" in cell else []
            result["cells"][name] = cell | {"settings": configuration}
            path.write_text(json.dumps(result, indent=1) + "\n")
            path.with_suffix(".md").write_text(report(result))
            print(table({name: cell}), flush=True)
    print(f"written to {path}")
    if dead:
        raise SystemExit(f"a contender died in {', '.join(dead)}")


def parse(arguments: list[str]) -> dict[str, Any]:
    """``key=value`` over DEFAULTS, each as the type of its default."""
    settings = dict(DEFAULTS)
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in DEFAULTS:
            raise SystemExit(f"no setting `{key}`: {', '.join(DEFAULTS)}")
        kind = type(DEFAULTS[key])
        settings[key] = json.loads(value) if kind in (dict, bool) else kind(value)
    for key, choices in (("device", ("cpu", "cuda")), ("precision", tuple(PRECISIONS))):
        if settings[key] not in choices:
            raise SystemExit(f"{key}={settings[key]}: write one of {', '.join(choices)}")
    if settings["device"] == "cuda" and settings["precision"] == "fp32":
        raise SystemExit(
            "precision=fp32 device=cuda: our dense base is bf16 on a GPU, so the sides would not be equal. "
            "Write precision=bf16 or precision=nf4."
        )
    if settings["memory_gb"] and settings["device"] == "cpu":
        raise SystemExit(
            f"memory_gb={settings['memory_gb']:g} limits a GPU's memory. Write device=cuda, or leave it out."
        )
    return settings


def cell_names(patterns: str, device: str) -> list[str]:
    """The cells that fit one of the patterns, in their order; without patterns all that are meant for the device."""
    names = [f"check/{name}" for name in CHECKS]
    names += [f"{model}/{mode}/{rival}" for model in SIZES for mode in MODES for rival in RIVALS]
    if not patterns:
        return [name for name in names if device == "cuda" or name.partition("/")[0] not in FOR_GPUS]
    found = (name for pattern in patterns.split(",") for name in names if fnmatch.fnmatch(name, pattern))
    chosen = list(dict.fromkeys(found))
    if not chosen:
        raise SystemExit(f"cells={patterns}: none of {', '.join(names)}")
    return chosen


# --- one cell -----------------------------------------------------------------------------------------------------


def run_cell(name: str, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    if name.startswith("check/"):
        return run_check(name.partition("/")[2], settings, folder)
    model, mode, rival = name.split("/")
    sizes = SIZES[model] | (GPU_SIZES if settings["device"] == "cuda" else {}) | settings["sizes"]
    task, facts = make_task(model, mode, {**RIVALS[rival], **sizes}, settings, folder)
    contenders = [Contender("ours", task, settings), Contender(RIVALS[rival]["script"], task, settings)]
    reports, died = race(contenders, settings["warmups"] + settings["iterations"])
    sides = dict(zip(("ours", "rival"), contenders, strict=True))
    found = {
        side: summary(reports[c.script], settings["warmups"]) | c.loaded
        for side, c in sides.items()
        if c.script not in died
    }
    return {
        "model": model,
        "mode": mode,
        "rival_name": f"TRL {contenders[1].versions['trl']} {rival}",
        **({"died": died} if died else {"ratio": compare(found["ours"], found["rival"])}),
        **found,
        "sizes": sizes,
        "facts": facts,
        "task": {k: v for k, v in task.items() if k not in ("texts", "folder", "model", "prompts_file")},
        "rival_versions": contenders[1].versions,
        "reports": reports,
    }


def run_check(who: str, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Whether a contender's reward rises on the trivial task, with a learning rate that lets it."""
    rival = RIVALS[CHECKS[who]]
    task, _ = make_task("embedded", "forced", {**rival, **CHECK}, settings, folder)
    contender = Contender("ours" if who.startswith("ours") else rival["script"], task, settings)
    reports, died = race([contender], CHECK_STEPS)
    rewards = [report["reward"] for report in reports[contender.script]]
    if died:
        return {"died": died, "rewards": rewards, "task": CHECK, **contender.loaded}
    quarter = CHECK_STEPS // 4
    return {
        "learns": learns(rewards, CHECK_GAIN),
        "first": sum(rewards[:quarter]) / quarter,
        "last": sum(rewards[-quarter:]) / quarter,
        "rewards": rewards,
        "task": CHECK,
        **contender.loaded,
    }


def make_task(
    model: str, mode: str, changes: dict[str, Any], settings: dict[str, Any], folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both contenders are told, and facts of the model; the weights are written once for all cells."""
    import torch
    from rivals.models import SHAPES, prepare, write_prompts

    weights = folder / f"{model}_{mode}_{changes['tokens']}"
    facts_file = weights / "facts.json"
    if not facts_file.exists():
        facts_file.parent.mkdir()
        dtype = getattr(torch, PRECISIONS[settings["precision"]][0])
        facts = prepare(weights, model, mode, changes["tokens"], settings["seed"], dtype)
        facts_file.write_text(json.dumps(facts))
    prompts_file = folder / f"prompts_{changes['prompts']}.jsonl"
    task = {
        **{key: settings[key] for key in TOLD},
        "mode": mode,
        "model": str(weights),
        "folder": str(folder),
        "prompts_file": str(prompts_file),
        "texts": write_prompts(prompts_file, changes["prompts"], settings["seed"]),
        "rewarded_from": SHAPES[model]["vocab_size"] // 2,
        **changes,
    }
    return task, json.loads(facts_file.read_text())


# --- what is written ----------------------------------------------------------------------------------------------


def machine() -> str:
    return f"{platform.machine()}_{os.cpu_count()}cores"


def processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{names[0] if names else platform.processor()} x {os.cpu_count()}"


def variant(settings: dict[str, Any]) -> str:
    """The machine, and of device, precision and memory what is not the default: results that a file must not mix."""
    parts = [settings[key] for key in ("device", "precision") if settings[key] != DEFAULTS[key]]
    return "_".join([machine(), *parts, *([f"{settings['memory_gb']:g}gb"] if settings["memory_gb"] else [])])


def conditions(cell: dict[str, Any]) -> str:
    """On what, and in which precision, a cell was measured."""
    some = {**DEFAULTS, **cell["settings"]}
    _, on_gpu, on_cpu = PRECISIONS[some["precision"]]
    gpus = [side["device"] for side in (cell, cell.get("ours", {}), cell.get("rival", {})) if side.get("device")]
    where = f"GPU {gpus[0] if gpus else '(none was reached)'}" if some["device"] == "cuda" else "CPU"
    limit = f", {some['memory_gb']:g} GiB of it for each contender" if some["memory_gb"] else ""
    precision = on_gpu if some["device"] == "cuda" else on_cpu
    return (
        f"{where}{limit}; {precision}; {some['threads']} threads, LoRA r 16 on all linear layers, {some['epochs']} epoch(s), "
        f"{some['minibatches']} minibatches; median of {some['iterations']} iterations after {some['warmups']} warm-ups"
    )


def report(result: dict[str, Any]) -> str:
    """The Markdown beside the JSON."""
    cells = result["cells"]
    sizes = {c["model"]: c["sizes"] for c in cells.values() if "sizes" in c}
    measured: dict[str, list[str]] = {}
    for name, cell in cells.items():
        measured.setdefault(conditions(cell), []).append(name)
    lines = [
        "# Throughput and peak memory against TRL",
        "",
        f"Host: {result['processor']}. Contenders by turns; ± half the range. Memory is the process's peak (VmHWM), imports "
        "and weights included; beyond loaded leaves out what stood in memory before the first iteration. "
        "GPU memory is the most that torch reserved.",
        *(line if len(measured) == 1 else f"{', '.join(names)}: {line}" for line, names in measured.items()),
        f"Completions a step: {'; '.join(f'{m}: {s}' for m, s in sizes.items())}.",
        f"Versions: {json.dumps(result['versions'])}.",
        "",
        table(cells),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
