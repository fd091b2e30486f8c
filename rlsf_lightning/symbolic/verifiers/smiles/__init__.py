"""SMILES against a reference molecule, with RDKit: what is wrong, at which characters, and where it was made."""

from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

VERIFIER = SmilesVerifier
