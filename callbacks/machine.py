"""Shares the cores between torch and the verifier's workers, and says what the run expects to use of the machine.

Which device and versions it runs with is written to ``machine.json``.
"""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from rlsf_lightning.config.cores import cores
from rlsf_lightning.prompts import recipe_prompts
from rlsf_lightning.training import memory_estimate
from rlsf_lightning.training.hooks import RLSFCallback
from rlsf_lightning.training.run.writing import write_json

#: Prompts that are looked at for the longest.
PROMPTS = 256
#: Whose versions are noted, beside Python's.
PACKAGES = ("rlsf-lightning", "torch", "lightning", "transformers", "peft", "rdkit")


class Machine(RLSFCallback):
    """When training starts, before anything is sampled."""

    writes_rewards = False

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        return ()

    def on_fit_start(self, trainer, module) -> None:
        recipe = module.recipe
        ranks = trainer.num_devices if module.device.type == "cpu" else 1
        torch.set_num_threads(memory_estimate.torch_threads(recipe.verifier.workers, ranks))
        if not trainer.is_global_zero:
            return
        prompts = recipe_prompts(recipe, "train", limit=PROMPTS)
        longest = max((len(module.encode(prompt)) for prompt in prompts), default=0)  # the data module raises for none
        expected = memory_estimate.needs(module.policy, recipe, longest)
        print(
            f"cores: {cores()}, of which {torch.get_num_threads()} for torch and {recipe.verifier.workers} "
            f"for the verifier\n{memory_estimate.described(expected, memory_estimate.free_memory(module.device))}",
            file=sys.stderr,
            flush=True,
        )
        if module.run_dir is not None:
            write_json(
                Path(module.run_dir) / "machine.json", {"device": described(module.device), "versions": versions()}
            )


def described(device: torch.device) -> str:
    """A device in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{cores()} cores, {platform.machine()}"


def versions() -> dict[str, str]:
    """Of Python and the packages that are installed."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
