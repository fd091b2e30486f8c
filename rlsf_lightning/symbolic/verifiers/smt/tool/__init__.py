"""z3: what it is asked, in a process of its own."""
