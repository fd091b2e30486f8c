"""Molecules as text and graph: a SMILES parser with spans, RDKit, comparison, viability. Shared by four verifiers."""
