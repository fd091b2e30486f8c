"""The weight of the KL penalty over a run. The only state of this room: one number, which belongs in the checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rlsf_lightning.rl.kl import adapt_beta


@dataclass
class FixedKl:
    """The weight stays."""

    beta: float

    def __post_init__(self) -> None:
        assert math.isfinite(self.beta) and self.beta >= 0, f"beta must be at least 0, got {self.beta}"

    def update(self, kl: float, samples: int) -> None:
        """Tell what was measured over so many completions; nothing follows from it."""

    def state_dict(self) -> dict[str, float]:
        return {"beta": self.beta}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.beta = state["beta"]


@dataclass
class AdaptiveKl(FixedKl):
    """The weight follows the measured KL by :func:`~rlsf_lightning.rl.kl.adapt_beta`. It never leaves 0 if it starts there.

    ``target`` is in the unit of the KL that ``update`` is told (nats a token, or nats a completion), ``horizon`` in
    completions.
    """

    target: float
    horizon: float

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.target > 0 and self.horizon > 0, f"target {self.target}, horizon {self.horizon}"

    def update(self, kl: float, samples: int) -> None:
        self.beta = adapt_beta(self.beta, kl, target=self.target, samples=samples, horizon=self.horizon)
