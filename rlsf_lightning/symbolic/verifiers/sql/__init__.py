"""SQL queries against a reference query, on a database in SQLite: what is wrong, and where."""

from rlsf_lightning.symbolic.verifiers.sql.verifier import SqlVerifier

VERIFIER = SqlVerifier
