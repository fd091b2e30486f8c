"""The verifiers that ship: each folder is one, with its ``VERIFIER`` class; ``verifier: NAME`` in a recipe."""
