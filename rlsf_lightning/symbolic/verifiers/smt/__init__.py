"""SMT-LIB 2 texts against a specification, with z3: constraints or definitions, what is wrong in them and where."""

from rlsf_lightning.symbolic.verifiers.smt.verifier import SmtVerifier

VERIFIER = SmtVerifier
