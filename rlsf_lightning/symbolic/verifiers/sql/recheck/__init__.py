"""A second opinion on a certificate about a query: a fresh database, rows sorted and compared in pairs, changes applied.

All that a certificate says is checked but its messages, and that it has no first dead character. Whatever it says, the
answer is True or False: it may come from a stranger.
"""

from rlsf_lightning.symbolic.verifiers.sql.recheck.certificate import stands

__all__ = ["stands"]
