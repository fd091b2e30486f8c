"""Regular expressions of Python, matched without backtracking and with a bound on the work."""
