"""Rollouts in process: continuous batching, the KV cache, token sampling, and the engines that a recipe may name."""
