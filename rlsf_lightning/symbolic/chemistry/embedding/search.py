"""Subgraph embedding by backtracking: a depth-first search for a placement of the pattern that meets all constraints."""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.chemistry.embedding.constraints import (
    AtomFinished,
    Constraint,
    NewAtom,
    OpenBranch,
    Reach,
    StereoMarks,
)
from rlsf_lightning.symbolic.chemistry.embedding.pattern_graph import PatternGraph
from rlsf_lightning.symbolic.chemistry.embedding.placement import Placement
from rlsf_lightning.symbolic.chemistry.embedding.rules import RULES

#: Constraints that one search may check, those with many open atoms counting more; beyond it the answer is "cannot tell".
BUDGET = 30_000


class Outcome(NamedTuple):
    """``viable``: False if dead, None if it cannot be told. ``step``: the farthest that any embedding came.
    ``everything_placed``: no atom of the reference is left over."""

    viable: bool | None
    step: int
    everything_placed: bool = False


class _Choice(NamedTuple):
    """Where a search goes on after a dead end: the other candidates for an atom, and the state before it was placed."""

    at: int
    candidates: int
    placed: int
    single: int
    double: int


class Search:
    """One search; ``run`` reads the pattern only as far as some embedding comes."""

    def __init__(self, pattern: PatternGraph) -> None:
        self.pattern = pattern
        self.reference = pattern.reference
        self.placement = Placement(pattern)
        self.choices: list[_Choice] = []

    def run(self) -> Outcome:
        """The outcome, after at most ``BUDGET`` checks."""
        constraints, placement = self.pattern.constraints, self.placement
        at, farthest, budget = 0, -1, BUDGET
        while at < len(constraints) or self.pattern.extend():
            if at == len(constraints):
                continue
            constraint = constraints[at]
            budget -= _cost(constraint)
            if isinstance(constraint, NewAtom):
                candidates = placement.candidates(constraint)
                self.choices.append(_Choice(at, candidates, placement.placed, placement.single, placement.double))
            elif RULES[type(constraint)](placement, constraint):
                at += 1
                continue
            farthest = max(farthest, at)
            while self.choices and not self._place_elsewhere():
                self.choices.pop()
            if not self.choices or budget < 0:
                gave_up = bool(self.choices) or placement.hydrogen_seen
                return Outcome(None if gave_up else False, constraints[farthest].step)
            at = self.choices[-1].at + 1
        last = constraints[-1].step if constraints else -1
        return Outcome(True, last, placement.placed == self.reference.all)

    def _place_elsewhere(self) -> bool:
        """Place the atom of the last choice on its next candidate; False if none is left."""
        at, candidates, placed, single, double = self.choices[-1]
        new, placement = self.pattern.constraints[at], self.placement
        assert isinstance(new, NewAtom)
        while candidates:
            lowest = candidates & -candidates
            place = lowest.bit_length() - 1
            candidates &= ~self.reference.twins[place]
            placement.placed, placement.single, placement.double = placed | lowest, single, double
            placement.image[new.atom] = place
            parent = new.parent.atom
            if parent < 0 or placement.write(parent, new.atom, place, new.order):
                self.choices[-1] = _Choice(at, candidates, placed, single, double)
                return True
        return False


def _cost(constraint: Constraint) -> int:
    if isinstance(constraint, StereoMarks):
        return 1 + len(constraint.centres) // 2
    return 1 + (len(constraint.open) // 4 if isinstance(constraint, (AtomFinished, Reach, OpenBranch)) else 0)
