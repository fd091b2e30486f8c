"""Subgraph embedding: whether the prefix of a SMILES can still become a given reference molecule."""
