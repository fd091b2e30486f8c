"""Running verifiers and their tools without harm: the worker pool, tool processes, the sandbox. It judges nothing."""
