"""Exact arithmetic on a hand of numbers: reachable values, single steps, spellings."""
