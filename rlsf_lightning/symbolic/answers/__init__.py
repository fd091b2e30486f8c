"""The answer in a completion: where it stands among thoughts, prose and code fences, and a verifier that judges it alone."""
