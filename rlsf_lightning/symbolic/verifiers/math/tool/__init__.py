"""math-verify, asked in a process with limits of time and memory."""
