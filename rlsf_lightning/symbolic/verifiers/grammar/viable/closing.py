"""Search for terminals that close all that is open in a state of the parser."""

from __future__ import annotations

import heapq

from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END, Grammar, Stack
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

#: How many states of the parser a way to the end is looked for in, how deep they may be and how long it may be.
_MAX_TRIED, _MAX_CLOSING = 3_000, 300


def shortest_closing(stack: Stack, grammar: Grammar, fuel: Fuel) -> list[str] | None:
    """Those that make the stack small are tried first; None: none was found."""
    tried = {_states_of(stack)}
    if len(min(tried)) > _MAX_CLOSING:  # every open rule needs at least its end
        return None
    queue: list[tuple[int, int, Stack, list[str]]] = [(0, 0, stack, [])]
    while queue and len(tried) < _MAX_TRIED:
        _, _, stack, words = heapq.heappop(queue)
        fuel.burn(20)
        expected = grammar.expected(stack)
        if END in expected:
            return words
        for name in expected if len(words) < _MAX_CLOSING else ():
            after = grammar.advance(stack, name)
            assert after is not None
            states = _states_of(after)
            if states not in tried and grammar.sample(name) is not None:
                tried.add(states)
                heapq.heappush(queue, (len(states) + len(words), len(tried), after, [*words, name]))
    return None


def _states_of(stack: Stack) -> tuple[int, ...]:
    states = []
    rest: Stack | None = stack
    while rest is not None:
        states.append(rest[0])
        rest = rest[1]
    return tuple(states)
