"""Checks of a recipe's data before a run: known answers, lengths, splits that share something."""
