"""C++ text read without a grammar: statements, what controls them, variables."""
