"""SMILES that a description asks for, with RDKit: what is stated and missing, what is there in excess, and where."""

from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier

VERIFIER = MoleculeVerifier
