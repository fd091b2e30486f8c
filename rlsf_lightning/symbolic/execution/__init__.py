"""Process isolation for verifiers and their tools: worker pool, tool processes, sandbox. It judges nothing."""
