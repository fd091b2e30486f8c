"""Reactants of a product: the named reactions of ``chem_forward`` reversed."""

from __future__ import annotations

import random

from rlsf_lightning.prompts.chemistry.reactions import draw
from rlsf_lightning.prompts.generated import Generated, Task


def prompts(split: str) -> Generated:
    """``text``: the product; ``reference``: reactants between dots, without reagents. All canonical SMILES.

    The facts are those of the verifier ``reaction``. A product stands in one split only. Raises UserError for an unknown
    split, and where ``chemicals`` is missing.
    """
    return Generated("chem_retro", _task, split)


def _task(rng: random.Random) -> Task | None:
    drawn = draw(rng)
    if drawn is None:
        return None
    facts = {"direction": "retro", "product": drawn.product}
    return Task(drawn.product, ".".join(sorted(drawn.reactants)), key=drawn.product, facts=facts)
