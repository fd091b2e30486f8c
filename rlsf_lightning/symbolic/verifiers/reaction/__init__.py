"""The other side of a chemical reaction as SMILES, with RDKit: what is wrong, in which component, and where it was made."""

from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier

VERIFIER = ReactionVerifier
