"""Prefixes that no continuation makes compile."""
