"""Measuring a policy on held-out prompts: metrics, bootstrap intervals, reports and their comparison."""
