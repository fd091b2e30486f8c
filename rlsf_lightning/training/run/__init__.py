"""A run: its folder, its checkpoints, how it stops and goes on, and what its ranks agree on."""
