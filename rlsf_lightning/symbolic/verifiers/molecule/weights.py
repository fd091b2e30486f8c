"""Standard atomic weights (g/mol)."""

from rlsf_lightning.symbolic.chemistry.periodic_table import ATOMIC_WEIGHTS as WEIGHTS

__all__ = ["WEIGHTS"]
