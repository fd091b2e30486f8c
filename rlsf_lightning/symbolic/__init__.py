"""Room 1, certificates: what symbolic tools say of completions, and where. No torch, lightning or transformers, ever."""
