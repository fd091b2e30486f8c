"""Exact arithmetic of a hand of numbers: what can be made of it, one step or all the way, and how a value is spelled."""
