"""Response tokens a second through one whole iteration, and peak memory: this framework against TRL, side by side.

    python benchmarks/throughput.py [cells=embedded/*,check/*] [threads=2] [iterations=5] [key=value ...]

A cell is MODEL/LENGTHS/RIVAL: ``embedded``, ``vocab150k`` or ``smollm2``; ``forced`` (no end token, every completion as
long as allowed) or ``natural`` (the end token has one fixed chance at each step, half of the allowed length on average);
``ppo_example`` (TRL's PPOTrainer with value and reward models of the policy's size), ``ppo_best`` (with a tiny value
model and a reward that costs nothing) or ``grpo``. ``check/CONTENDER`` shows that a contender learns.

Both sides load the same folder of random weights, prompts and tokenizer; samples, lengths, epochs, minibatches, dtype,
LoRA and threads are equal. Each contender is a process of its own; in a cell they take turns, iteration by iteration, so
that what else the machine does meets both. TRL lives in environments that this script makes under ``environments=``.

Written after every cell to benchmarks/results/throughput_<machine>_<date>.json and .md; a cell that the file has with
the same settings is not run again (``again=true`` does).
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

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
}
CHECKS = {"ours_ppo": "ppo_best", "ours_grpo": "grpo", "ppo_best": "ppo_best", "grpo": "grpo"}
CHECK = {"prompts": 8, "samples": 8, "tokens": 16, "lr": 2e-3, "beta": 0.0}
CHECK_STEPS, CHECK_GAIN = 24, 0.1
DEFAULTS: dict[str, Any] = {
    "cells": "*",
    "threads": 2,
    "iterations": 5,
    "warmups": 2,
    "epochs": 1,
    "minibatches": 4,
    "lr": 1e-6,
    "seed": 0,
    "device": "cpu",
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

    path = Path(settings["out"] or HERE / "results" / f"throughput_{machine()}_{date.today()}.json")
    result = json.loads(path.read_text()) if path.exists() else {"cells": {}}
    result |= {"machine": machine(), "processor": processor(), "versions": {"ours": own_versions()}}
    with tempfile.TemporaryDirectory() as folder:
        for name in cell_names(settings["cells"]):
            configuration = {k: v for k, v in settings.items() if k not in ("cells", "out", "again", "logs")}
            done = result["cells"].get(name)
            if done and done["settings"] == configuration and not settings["again"]:
                print(f"{name}: done before")
                continue
            print(f"{name} ...", flush=True)
            cell = run_cell(name, settings, Path(folder))
            result["cells"][name] = cell | {"settings": configuration}
            path.write_text(json.dumps(result, indent=1) + "\n")
            path.with_suffix(".md").write_text(report(result))
            print(table({name: cell}), flush=True)
    print(f"written to {path}")


def parse(arguments: list[str]) -> dict[str, Any]:
    """``key=value`` over DEFAULTS, each as the type of its default."""
    settings = dict(DEFAULTS)
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in DEFAULTS:
            raise SystemExit(f"no setting `{key}`: {', '.join(DEFAULTS)}")
        kind = type(DEFAULTS[key])
        settings[key] = json.loads(value) if kind in (dict, bool) else kind(value)
    return settings


def cell_names(patterns: str) -> list[str]:
    names = [f"check/{name}" for name in CHECKS]
    names += [f"{model}/{mode}/{rival}" for model in SIZES for mode in MODES for rival in RIVALS]
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
    sizes = SIZES[model] | settings["sizes"]
    task, facts = make_task(model, mode, {**RIVALS[rival], **sizes}, settings, folder)
    contenders = [Contender("ours", task, settings), Contender(RIVALS[rival]["script"], task, settings)]
    reports: dict[str, list[dict[str, Any]]] = {c.script: [] for c in contenders}
    try:
        for iteration in range(settings["warmups"] + settings["iterations"]):
            for contender in contenders[:: 1 if iteration % 2 == 0 else -1]:
                busy = os.getloadavg()[0]
                reports[contender.script].append(contender.go() | {"load_before": busy})
    finally:
        for contender in contenders:
            contender.stop()
    ours, theirs = ({**summary(reports[c.script], settings["warmups"]), "loaded_mb": c.loaded_mb} for c in contenders)
    return {
        "model": model,
        "mode": mode,
        "rival_name": f"TRL {contenders[1].versions['trl']} {rival}",
        "ratio": compare(ours, theirs),
        "ours": ours,
        "rival": theirs,
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
    try:
        rewards = [contender.go()["reward"] for _ in range(CHECK_STEPS)]
    finally:
        contender.stop()
    quarter = CHECK_STEPS // 4
    return {
        "learns": learns(rewards, CHECK_GAIN),
        "first": sum(rewards[:quarter]) / quarter,
        "last": sum(rewards[-quarter:]) / quarter,
        "rewards": rewards,
        "task": CHECK,
    }


def make_task(
    model: str, mode: str, changes: dict[str, Any], settings: dict[str, Any], folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both contenders are told, and facts of the model; the weights are written once for all cells."""
    from rivals.models import SHAPES, prepare, write_prompts

    weights = folder / f"{model}_{mode}_{changes['tokens']}"
    facts_file = weights / "facts.json"
    if not facts_file.exists():
        facts_file.parent.mkdir()
        facts_file.write_text(json.dumps(prepare(weights, model, mode, changes["tokens"], settings["seed"])))
    prompts_file = folder / f"prompts_{changes['prompts']}.jsonl"
    task = {
        **{key: settings[key] for key in ("threads", "epochs", "minibatches", "lr", "seed", "device", "ours")},
        "mode": mode,
        "model": str(weights),
        "folder": str(folder),
        "prompts_file": str(prompts_file),
        "texts": write_prompts(prompts_file, changes["prompts"], settings["seed"]),
        "rewarded_from": SHAPES[model]["vocab_size"] // 2,
        **changes,
    }
    return task, json.loads(facts_file.read_text())


class Contender:
    """A child process that works when told to."""

    def __init__(self, script: str, task: dict[str, Any], settings: dict[str, Any]) -> None:
        from rivals.environment import python_of, versions_of

        self.script = script
        python = sys.executable if script == "ours" else python_of(Path(settings["environments"]), script)
        self.versions = versions_of(python)
        folder = Path(tempfile.mkdtemp(dir=task["folder"]))  # of its own: a run is never written over another
        task = {**task, "folder": str(folder)}
        task_file = folder / f"{script}.json"
        task_file.write_text(json.dumps(task))
        self.log = Path(settings["logs"] or folder) / f"{script}.log"
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(settings["threads"]),
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "TRL_EXPERIMENTAL_SILENCE": "1",
        }
        if script == "ours":
            environment["PYTHONPATH"] = str(HERE.parent)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [python, HERE / "rivals" / f"{script}.py", task_file],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                cwd=folder,
            )
        self.loaded_mb = self._read()["loaded_mb"]

    def go(self) -> dict[str, Any]:
        """One iteration."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
            self.process.wait(timeout=60)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.script} died:\n" + "\n".join(self.log.read_text().splitlines()[-30:]))
        return json.loads(line)


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


def report(result: dict[str, Any]) -> str:
    """The Markdown beside the JSON."""
    cells = result["cells"]
    some = next(iter(cells.values()))["settings"]
    sizes = {c["model"]: c["sizes"] for c in cells.values() if "sizes" in c}
    lines = [
        "# Throughput and peak memory against TRL",
        "",
        f"{result['processor']}, {some['threads']} threads, fp32, LoRA r 16 on all linear layers, {some['epochs']} epoch(s), "
        f"{some['minibatches']} minibatches; median of {some['iterations']} iterations after {some['warmups']} warm-ups, "
        "contenders by turns; ± half the range. Memory is the process's peak (VmHWM), imports and weights included; "
        "the last column leaves out what stood in memory before the first iteration.",
        f"Completions a step: {'; '.join(f'{m}: {s}' for m, s in sizes.items())}.",
        f"Versions: {json.dumps(result['versions'])}.",
        "",
        table(cells),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
