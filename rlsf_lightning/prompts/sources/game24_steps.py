"""The game of 24 in steps: the hands and splits of `game24`, with an operation a line and what it leaves."""

from rlsf_lightning.prompts.generated import Generated
from rlsf_lightning.prompts.sources.game24 import generated


def prompts(split: str) -> Generated:
    """As of ``game24``; the target of a prompt is a list of steps, the reference an expression."""
    return generated(split, in_steps=True)
