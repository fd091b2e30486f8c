"""rlsf_lightning as a contender: its ``fit`` command on a recipe, with the reward as a callback of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from omegaconf import OmegaConf

from rivals import ours_callback
from rivals.gate import Gate, read_task, take_device
from rlsf_lightning import fit
from rlsf_lightning.config.recipe import load_recipe

#: What our trainer calls it.
PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "nf4": "bf16-mixed"}


def recipe(task: dict[str, Any]) -> dict[str, Any]:
    """What a user would write into ``recipes/NAME.yaml``."""
    is_ppo, precision = task["algorithm"] == "ppo", task["precision"]
    return {
        "base": "_base",
        "run_dir": f"{task['folder']}/ours_{task['algorithm']}",
        "data": {"path": task["prompts_file"], "template": "{prompt}"},
        "policy": {
            "name": task["model"],
            "quantize": "nf4" if precision == "nf4" else "none",
            "lora": {"r": 16, "alpha": 32},
        },
        "verifier": "smiles",  # never asked: the callback below writes the reward
        "rollout": {
            "batch_size": task["prompts"],
            "samples_per_prompt": task["samples"],
            "max_new_tokens": task["tokens"],
        },
        "algorithm": {
            "advantage": "gae" if is_ppo else "grpo",
            "normalise": "centre" if is_ppo else "none",
            "kl": {"form": "k1" if is_ppo else "k3", "beta": task["beta"]},
            "value_coef": 0.1,
            "epochs": task["epochs"],
            "minibatches": task["minibatches"],
            "lr": task["lr"],
            "warmup_steps": 0,
        },
        "evaluation": {"split": None},
        "trainer": {"accelerator": task["device"], "precision": PRECISION[precision], "limit_train_batches": 10**6},
        "callbacks": {
            "verifier": None,
            "heldout": None,
            "rivals.ours_callback:TokenShare": {"first": task["rewarded_from"], "length": task["tokens"]},
            "rivals.ours_callback:Turns": {},
        },
    }


def main() -> None:
    task = read_task()
    ours_callback.GATE = Gate()
    torch.set_num_threads(task["threads"])
    take_device(task)
    path = Path(task["folder"]) / f"ours_{task['algorithm']}.yaml"
    written = OmegaConf.merge(recipe(task), task["ours"])
    path.write_text(OmegaConf.to_yaml(written))
    fit.run(load_recipe(str(path)))


if __name__ == "__main__":
    main()
