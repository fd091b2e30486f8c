"""Python's regular expressions without backtracking: no pattern can hang, and a match may be cut off by the end of the text.

The match is the one that ``re`` finds. Beyond ``re`` it tells whether a match could go on behind the end of the text. Not
covered: back-references, conditional, atomic and possessive parts, which are refused.
"""

from __future__ import annotations

from collections import deque

from rlsf_lightning.symbolic.verifiers.grammar.regex.automaton import MAX_STATES, Automaton
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.regex.program import MATCH, assemble
from rlsf_lightning.symbolic.verifiers.grammar.regex.syntax import parse_pattern


class Regex(Automaton):
    """One pattern, as ``re.compile`` reads it.

    Raises ValueError for what is no pattern, what is not covered, and what has more than ``MAX_STEPS`` steps.
    """

    def __init__(self, pattern: str, flags: int = 0, *, dollar_is_end: bool = False) -> None:
        parsed = parse_pattern(pattern, flags, dollar_is_end=dollar_is_end)
        self._is_anchored = parsed.is_anchored
        super().__init__(assemble(parsed.nodes))

    def covers(self, text: str, fuel: Fuel) -> bool:
        """Whether the whole text can be matched."""
        return self._run(text, fuel, partial=False, anywhere=False, whole=True)[0]

    def finds(self, text: str, fuel: Fuel) -> bool:
        """Whether there is a match anywhere in the text."""
        return self._run(text, fuel, partial=False, anywhere=True, whole=False)[0]

    def may_find(self, text: str, fuel: Fuel) -> bool:
        """Whether there may be a match in the text or in a longer one that begins with it. False is certain."""
        if not self._is_anchored:
            return True
        scan = self.scan(text, 0, len(text), fuel, partial=True)
        return scan.end is not None or scan.alive

    def may_cover(self, text: str, fuel: Fuel) -> bool:
        """Whether some longer text that begins with this one may be matched as a whole. False is certain."""
        return self._run(text, fuel, partial=True, anywhere=False, whole=True)[1]

    def shortest_rest(self, text: str, fuel: Fuel, alphabet: str) -> str | None:
        """A shortest string of the alphabet's characters with which ``text`` is matched as a whole; None: none found."""
        state = self.open(text, 0, len(text), fuel, True, True)[0]
        for position in range(len(text)):
            state = self.step(state, text, position, len(text), fuel, True, keep=True)[0]
        seen, queue = {state}, deque([(state, "")])
        while queue and len(seen) < MAX_STATES:
            state, rest = queue.popleft()
            if MATCH in state and self.covers(text + rest, fuel):
                return rest
            for character in alphabet:
                longer = text + rest + character
                after = self.step(state, longer, len(longer) - 1, len(longer), fuel, True, keep=True)[0]
                if after and after not in seen:
                    seen.add(after)
                    queue.append((after, rest + character))
        return None

    def _run(self, text: str, fuel: Fuel, *, partial: bool, anywhere: bool, whole: bool) -> tuple[bool, bool]:
        """(matched, still alive at the end). ``whole``: only a match that ends with the text counts."""
        end, position, state = len(text), 0, self.open(text, 0, len(text), fuel, partial, whole)[0]
        while True:
            matched = MATCH in state
            if matched and (not whole or position == end):
                return True, any(step != MATCH for step in state)
            if position == end:
                return False, bool(state)
            state = self.step(state, text, position, end, fuel, partial, keep=whole or anywhere)[0]
            position += 1
            if anywhere:
                fresh = self.open(text, position, end, fuel, partial, True)[0]
                state = tuple(dict.fromkeys((*state, *fresh)))
            elif not state:
                return False, False
