"""Checks a name: can OPSIN read it, and is it a name of the reference?"""

from rlsf_lightning.symbolic.verifiers.iupac_name.check.name import Checked, check

__all__ = ["Checked", "check"]
