"""In-process rollouts: continuous batching, the KV cache, token sampling, and the engines that a recipe may name."""
