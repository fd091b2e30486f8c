"""Subgraph embedding: whether the beginning of a SMILES can still become a given reference molecule."""
