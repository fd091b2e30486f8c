"""C++ text read without a grammar (docs/decisions/009): statements, what controls them, variables."""
