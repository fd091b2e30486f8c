"""Texts of a formal language: of a Lark grammar, or JSON documents of a JSON Schema."""

from rlsf_lightning.symbolic.verifiers.grammar.verifier import GrammarVerifier

VERIFIER = GrammarVerifier
