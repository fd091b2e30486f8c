"""A bound on the work that one text may cost."""

from __future__ import annotations

from rlsf_lightning.errors import ToolFailed


class OutOfFuelError(ToolFailed):
    """Something took more steps than it may."""


class Fuel:
    """How many steps may still be taken."""

    def __init__(self, steps: int) -> None:
        self.steps = self.left = steps

    def burn(self, steps: int) -> None:
        """Raise OutOfFuelError once it is used up."""
        self.left -= steps
        if self.left < 0:
            raise OutOfFuelError(f"more than {self.steps} steps")
