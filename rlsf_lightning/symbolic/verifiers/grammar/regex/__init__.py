"""Non-backtracking matcher of Python's regular expressions, with bounded work."""
