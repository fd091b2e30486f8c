"""Results of queries: rows compared, and the order that a reference asks for."""
