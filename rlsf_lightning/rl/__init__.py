"""Reinforcement-learning mathematics: pure functions on tensors, and nothing else.

What a function needs comes in as a tensor and what it finds goes out as one: no state,
no logging, no collective calls (where a statistic spans all ranks, the caller passes the reduction),
no knowledge of tools, certificates or models.

Shape legend, used as suffixes of tensor names:

    B   sequences (completions); prompt-major, so that the samples of one prompt are neighbours
    T   response tokens, end-of-sequence included; shorter completions are right-padded
    P   prompts of a batch
    G   samples of one prompt (the group); B = P * G
    K   steps into which a completion is cut, and the state after the last

``is_action_BT`` is the loss mask (response mask): True where the policy chose a token that counts. Padding and anything else
is False, at the end or in the middle; what a tensor holds there is never read (it may be NaN) and every result is 0 there.
"""
