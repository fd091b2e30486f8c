"""The policy: loading, sampling and scoring. It knows tokens and tensors, never verdicts, rewards or losses."""
