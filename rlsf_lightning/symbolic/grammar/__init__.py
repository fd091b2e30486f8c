"""Texts of a formal language: of a Lark grammar, or JSON documents of a JSON Schema."""

from rlsf_lightning.symbolic.grammar.verifier import GrammarVerifier

VERIFIER = GrammarVerifier
