"""SMT-LIB 2 as it is taken here: reading S-expressions, checking sorts, evaluating terms. Knows no task and no solver."""
