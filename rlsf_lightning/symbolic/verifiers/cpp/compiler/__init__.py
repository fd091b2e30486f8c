"""g++ in a sandbox: programs are compiled, run on tests, and run again with coverage and sanitizers."""
