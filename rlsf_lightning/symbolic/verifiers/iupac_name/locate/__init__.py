"""Narrower places for what ``check`` found: those of the change that mends a name, else of the wrong atoms."""

from rlsf_lightning.symbolic.verifiers.iupac_name.locate.locator import Locator

__all__ = ["Locator"]
