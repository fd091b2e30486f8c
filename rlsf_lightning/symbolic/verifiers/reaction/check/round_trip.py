"""The round trip of an answer: whether named reactions lead from its components back to the product."""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.reactions.outcome import MOST_REACTANTS, Outcome, outcome
from rlsf_lightning.symbolic.verifiers.reaction.parse import Component, Sides


def is_tried(components: Sequence[tuple[Component, Target | None]], sides: Sides) -> bool:
    """Whether the task asks for a round trip, and these are molecules."""
    return bool(sides.reactions and components) and all(molecule is not None for _, molecule in components)


def round_trip(components: Sequence[tuple[Component, Target | None]], sides: Sides) -> Outcome:
    """What the named reactions of the task make of all components together."""
    if not is_tried(components, sides) or len(components) > MOST_REACTANTS:
        return Outcome()
    return outcome([molecule for _, molecule in components if molecule is not None], sides.product, sides.reactions)


def no_reaction() -> Finding:
    """The finding for molecules of which none makes the product. It has no place."""
    return Finding("no_reaction", "no named reaction makes the product of these")
