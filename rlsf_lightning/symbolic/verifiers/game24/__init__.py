"""The game of 24: an expression, or steps, that make the target out of the numbers, each used once."""

from rlsf_lightning.symbolic.verifiers.game24.verifier import Game24Verifier

VERIFIER = Game24Verifier
