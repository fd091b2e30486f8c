"""The game of 24: all hands of 1 to 13 that have a solution, and in training other numbers and targets; expressions."""

from functools import partial

from rlsf_lightning.prompts.generated import Generated
from rlsf_lightning.prompts.sources.game24.hands import make_24, make_any

HELD_OUT = {"validation", "test"}


def prompts(split: str) -> Generated:
    """Training is endless; a held-out split has the hands of 1 to 13 that fall into it, each once, with the target 24.

    The target of a prompt is an expression. The numbers decide on the split, whatever is to be made of them.
    """
    return generated(split, in_steps=False)


def generated(split: str, *, in_steps: bool) -> Generated:
    """The same hands with answers as expressions or as steps: they fall into the same splits."""
    make = make_24 if split in HELD_OUT else make_any
    return Generated("game24", partial(make, in_steps=in_steps), split)
