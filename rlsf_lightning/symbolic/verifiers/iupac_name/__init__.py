"""IUPAC names against a reference molecule, read by OPSIN: what is wrong, at which characters, and from where on it is dead."""

from rlsf_lightning.symbolic.verifiers.iupac_name.verifier import IupacNameVerifier

VERIFIER = IupacNameVerifier
