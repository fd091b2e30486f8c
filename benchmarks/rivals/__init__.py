"""The contenders of throughput.py, each a process of its own, and what they share. Nothing here is part of the package."""
