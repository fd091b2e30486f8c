"""Equality of molecules: isomorphism of their graphs that keeps the stereochemistry, and the marks in which two differ."""
