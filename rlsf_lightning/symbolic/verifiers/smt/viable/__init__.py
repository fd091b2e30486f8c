"""Whether a prefix can still become a text that passes, and the first dead character."""

from rlsf_lightning.symbolic.verifiers.smt.viable.viability import Viability

__all__ = ["Viability"]
