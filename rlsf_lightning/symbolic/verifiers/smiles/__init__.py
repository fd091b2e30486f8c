"""SMILES against a reference molecule, or of any valid molecule, with RDKit."""

from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

VERIFIER = SmilesVerifier
