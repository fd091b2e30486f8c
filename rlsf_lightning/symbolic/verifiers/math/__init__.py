"""Worked solutions: every equation of literal numbers is recomputed, and the final answer is compared with the reference."""

from rlsf_lightning.symbolic.verifiers.math.verifier import MathVerifier

VERIFIER = MathVerifier
