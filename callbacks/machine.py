"""Shares the cores between torch and the verifier's workers, and says what the run expects to use of the machine."""

import sys

import torch

from rlsf_lightning import machine
from rlsf_lightning.hooks import RLSFCallback
from rlsf_lightning.prompts import load_prompts

#: Prompts that are looked at for the longest.
PROMPTS = 256


class Machine(RLSFCallback):
    """When training starts, before anything is sampled."""

    def on_fit_start(self, trainer, module) -> None:
        recipe = module.recipe
        ranks = trainer.num_devices if module.device.type == "cpu" else 1
        torch.set_num_threads(machine.torch_threads(recipe.verifier.workers, ranks))
        if not trainer.is_global_zero:
            return
        texts = [
            recipe.data.template.replace("{prompt}", p.text) for p in load_prompts(recipe.data, "train", limit=PROMPTS)
        ]
        longest = max(
            (len(module.policy.encode_prompt(text)) for text in texts), default=0
        )  # the data module tells of none
        expected = machine.needs(module.policy, recipe, longest)
        print(
            f"cores: {machine.cores()}, of which {torch.get_num_threads()} for torch and {recipe.verifier.workers} "
            f"for the verifier\n{machine.described(expected, machine.free_memory(module.device))}",
            file=sys.stderr,
            flush=True,
        )
