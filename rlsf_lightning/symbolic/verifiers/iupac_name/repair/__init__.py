"""Changes of a name: candidates, and what they make of it."""
