"""The prompt sources that ship: each file is one, with a function ``prompts(split)``; ``data.source: NAME`` in a recipe."""
