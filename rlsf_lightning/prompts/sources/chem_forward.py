"""Products of named reactions: reactants and reagents of real molecules, and the one product that they certainly give."""

from __future__ import annotations

import random

from rlsf_lightning.prompts.chemistry.reactions import draw
from rlsf_lightning.prompts.generated import Generated, Task


def prompts(split: str) -> Generated:
    """``text``: reactants and reagents between dots, in random order; ``reference``: the product. Both canonical SMILES.

    A product stands in one split only. Raises UserError for an unknown split, and where ``chemicals`` is missing.
    """
    return Generated("chem_forward", _task, split)


def _task(rng: random.Random) -> Task | None:
    drawn = draw(rng)
    if drawn is None:
        return None
    given = [*drawn.reactants, *filter(None, drawn.reagents.split("."))]
    rng.shuffle(given)
    return Task(".".join(given), drawn.product, key=drawn.product)
