"""One cell of busy.py: the medians of some training steps of the shipped recipe, printed as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rlsf_lightning.config.environment import prepare_environment


def main(arguments: Sequence[str]) -> None:
    waiting, steps, *overrides = arguments
    if waiting == "commands":
        prepare_environment()  # as they do, before torch is imported

    import torch
    from steps_common import medians, run_steps

    from rlsf_lightning.config.recipe import load_recipe

    own = ["evaluation.split=null", "callbacks={progress: null, samples: null, heldout: null}"]
    found = run_steps(load_recipe("chem_iupac", [*own, *overrides]), int(steps) + 1, forced=False)[1:]
    print(json.dumps({**medians(found, "seconds"), "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main(sys.argv[1:])
