"""Room 3, the weights: loading, sampling, scoring. It knows tokens and tensors, never verdicts, rewards or losses."""
