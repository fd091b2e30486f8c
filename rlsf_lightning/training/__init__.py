"""The training step and what surrounds it: rollout, loss, optimiser, data module, callbacks, a run's folder."""
