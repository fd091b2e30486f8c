"""An error-tolerant SMILES parser: the molecular graph, the syntax errors and the steps of reading, all with offsets.

The grammar is RDKit's (2026.9), as wide as that parser is: nothing that it accepts is an error here, while it rejects
some strings that pass here. No chemistry: no valences, no aromaticity, no stereochemistry. Plain Python, no RDKit.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.symbolic.chemistry.smiles_tokens import (
    Atom,
    may_become_atom,
    may_become_ring,
    read_atom,
    ring_symbol,
)

MAX_PROBLEMS = 50
#: Longer strings are read anew whenever they are asked for.
MAX_KEPT = 1000
#: Characters of an unfinished bracket atom or ring number that are looked at.
MAX_FRAGMENT = 60

_TOKEN = re.compile(
    r"(?P<atom>Cl|Br|[BCNOFPSI]|[bcnops]|\*|\[[^\[\]]*\])"
    r"|(?P<bond>->|<-|<\Z|\\\\|[-=#$:~/\\])"
    r"|(?P<ring>[0-9]|%[1-9][0-9]|%\([0-9]{1,5}\))"
    r"|(?P<mark>[().])",
    re.ASCII,
)


class Bond(NamedTuple):
    """A bond between atoms ``first`` and ``second`` (indices); ``spans``: its symbol and its ring digits, if written."""

    first: int
    second: int
    symbol: str
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def is_ring_closure(self) -> bool:
        """Whether it is written as a pair of ring numbers."""
        return len(self.spans) == 2


class Problem(NamedTuple):
    """A mistake at ``[start, end)``; ``dead_from``: the first character after which no continuation mends it, or None if
    only the end of the string is wrong."""

    kind: str
    start: int
    end: int
    message: str
    dead_from: int | None = None


class Step(NamedTuple):
    """One thing that reading a token did, for those who follow the string from left to right.

    ``action``: atom (``atom`` with the bond to ``other``, -1: none), open or close (a ring bond of ``atom``; close: with
    ``other``), bond (a symbol that waits after ``atom``), push, pop (``other``: the atom that the branch leaves from) or
    dot.
    """

    action: str
    start: int
    end: int
    atom: int = -1
    other: int = -1
    symbol: str = ""


class SmilesMap(NamedTuple):
    """Everything that was read. ``steps`` ends before the first problem that nothing mends; the other lists go on.

    At the end: ``current`` is the atom that the next one is bonded to (-1: none), ``pending`` the bond symbol between,
    ``open_rings`` the atom and symbol of each ring number that is not closed, ``fragment`` the offset of a bracket or
    ``%`` that may still become a whole token, or None.
    """

    atoms: list[Atom]
    bonds: list[Bond]
    problems: list[Problem]
    steps: list[Step]
    current: int
    pending: str
    open_rings: dict[int, tuple[int, str]]
    fragment: int | None
    #: Some ring number is open at a dot: what stands before and after it may be bonded (``C1.C1`` is ethane).
    spans_dots: bool = False

    @property
    def dead_from(self) -> int | None:
        """The first character after which no continuation is a SMILES, or None if some is."""
        return next((p.dead_from for p in self.problems if p.dead_from is not None), None)

    def closed_at(self, bond: Bond) -> int:
        """The character with which a bond is there: the last of its ring numbers, or the first of its second atom."""
        return bond.spans[-1][1] - 1 if bond.is_ring_closure else self.atoms[bond.second].start


def read_smiles(text: str) -> SmilesMap:
    """Atoms, bonds, steps and mistakes of ``text``, in time that is linear in its length.

    At most ``MAX_PROBLEMS`` mistakes are listed; the rest of the string is then not read. What was read of a short string is
    kept for those who ask for the same one next, so nobody may change it.
    """
    return _kept(text) if len(text) <= MAX_KEPT else _read(text)


@lru_cache(maxsize=128)
def _kept(text: str) -> SmilesMap:
    return _read(text)


def _read(text: str) -> SmilesMap:
    reader = _Reader(text)
    at = 0
    while at < len(text) and len(reader.problems) < MAX_PROBLEMS:
        at = reader.read_token(at)
    reader.finish()
    return SmilesMap(
        atoms=reader.atoms,
        bonds=reader.bonds,
        problems=reader.problems,
        steps=reader.steps,
        current=reader.current,
        pending=reader.pending[0] if reader.pending else "",
        open_rings={number: (atom, symbol) for number, (atom, symbol, _) in reader.rings.items()},
        fragment=reader.fragment,
        spans_dots=reader.spans_dots,
    )


class _Reader:
    """The state between two tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.atoms: list[Atom] = []
        self.bonds: list[Bond] = []
        self.problems: list[Problem] = []
        self.steps: list[Step] = []
        self.fragment: int | None = None
        self.spans_dots = False
        self.intact = True  # no problem so far that nothing mends
        self.current = -1  # the atom that the next one is bonded to
        self.pending: tuple[str, int, int] | None = None  # a bond symbol that waits for its second atom
        self.after = ""  # "(" or "." directly after these, else ""
        self.branches: list[tuple[int, int]] = []  # atom, offset of its parenthesis
        self.rings: dict[int, tuple[int, str, tuple[tuple[int, int], ...]]] = {}  # number -> atom, symbol, spans
        self.neighbours: list[set[int]] = []

    def read_token(self, at: int) -> int:
        """Read the token at offset ``at``; where the next one begins."""
        match = _TOKEN.match(self.text, at)
        if match is None:
            return self.read_unknown(at)
        end = match.end()
        kind = match.lastgroup
        if kind == "atom":
            self.read_atom(at, end)
        elif kind == "bond":
            self.read_bond(at, end)
        elif kind == "ring":
            self.read_ring(at, end)
        elif self.text[at] == "(":
            self.open_branch(at, end)
        elif self.text[at] == ")":
            self.close_branch(at, end)
        else:
            self.read_dot(at, end)
        return end

    def fail(self, kind: str, start: int, end: int, message: str, dead_from: int | None = None) -> None:
        """Note a problem that nothing mends."""
        self.problems.append(Problem(kind, start, end, message, start if dead_from is None else dead_from))
        self.intact = False

    def step(self, action: str, start: int, end: int, atom: int = -1, other: int = -1, symbol: str = "") -> None:
        if self.intact:
            self.steps.append(Step(action, start, end, atom, other, symbol))

    def read_unknown(self, at: int) -> int:
        """What begins no token: a character that no SMILES has, or a bracket or ring number that is not whole."""
        text, end = self.text, at + 1
        if text[at] == "%" and (self.current < 0 or self.after == "("):
            self.fail("syntax", at, end, "the ring number does not follow an atom")
        elif text[at] in "[%":
            could_be = may_become_atom if text[at] == "[" else may_become_ring
            kind = "bad_bracket_atom" if text[at] == "[" else "syntax"
            while end < len(text) and end - at < MAX_FRAGMENT and could_be(text[at : end + 1]):
                end += 1
            if end == len(text):
                self.problems.append(Problem(kind, at, end, f"{text[at:end]} is not finished"))
                self.fragment = at
            else:
                what = "an atom" if text[at] == "[" else "a ring number"
                self.fail(kind, at, end + 1, f"{text[at : end + 1]!a} cannot become {what}", end)
        else:
            while end < len(text) and text[end] not in "[%" and _TOKEN.match(text, end) is None:
                end += 1
            self.fail("bad_character", at, end, f"{text[at : min(end, at + 20)]!a} is no SMILES symbol")
        return end

    def read_atom(self, at: int, end: int) -> None:
        token = self.text[at:end]
        atom = read_atom(token)
        if atom is None:
            known = next(size for size in range(1, len(token) + 1) if not may_become_atom(token[:size]))
            self.fail("bad_bracket_atom", at, end, f"{token[:40]} is no atom", at + known - 1)
            atom = Atom(0, end - at, "*", bracket=True)
        index = len(self.atoms)
        self.atoms.append(atom._replace(start=at, end=end))
        self.neighbours.append(set())
        symbol = ""
        if self.current >= 0:
            symbol, *span = self.pending or ("", 0, 0)
            self.join(self.current, index, symbol, ((span[0], span[1]),) if self.pending else ())
        self.step("atom", at, end, index, self.current, symbol)
        self.current, self.pending, self.after = index, None, ""

    def join(self, first: int, second: int, symbol: str, spans: tuple[tuple[int, int], ...]) -> None:
        self.bonds.append(Bond(first, second, symbol, spans))
        self.neighbours[first].add(second)
        self.neighbours[second].add(first)

    def read_bond(self, at: int, end: int) -> None:
        symbol = self.text[at:end].replace("\\\\", "\\").replace("<-", "<").replace("<", "<-")
        if self.current < 0:
            self.fail("dangling_bond", at, end, f"the bond {symbol} has no atom before it")
        elif self.pending is not None:
            self.fail("dangling_bond", self.pending[1], end, f"the bond {symbol} follows another bond symbol", at)
        else:
            self.step("bond", at, end, self.current, symbol=symbol)
            self.pending = (symbol, at, end)

    def read_ring(self, at: int, end: int) -> None:
        if self.current < 0 or self.after == "(":
            self.fail("syntax", at, end, f"the ring number {self.text[at:end]} does not follow an atom")
            return
        number = int(self.text[at:end].strip("%()"))
        symbol = self.pending[0] if self.pending else ""
        spans = ((self.pending[1], end),) if self.pending else ((at, end),)
        self.pending = None
        if number not in self.rings:
            self.rings[number] = (self.current, symbol, spans)
            self.step("open", at, end, self.current, symbol=symbol)
            return
        other, opening, opened_at = self.rings.pop(number)
        if other == self.current:
            self.fail("ring_to_self", at, end, f"ring {number} bonds the atom to itself")
        elif other in self.neighbours[self.current]:
            self.fail("duplicate_bond", at, end, f"ring {number} repeats a bond that is there already")
        else:
            symbol = ring_symbol(opening, symbol)
            self.join(other, self.current, symbol, opened_at + spans)
            self.step("close", at, end, self.current, other, symbol)

    def open_branch(self, at: int, end: int) -> None:
        if self.current < 0 or self.after == "(":
            self.fail("syntax", at, end, "the branch does not follow an atom")
        elif self.pending is not None:
            self.fail("dangling_bond", *self.pending[1:], "a bond symbol stands inside its branch: (=C), not =(C)", at)
            self.pending = None
        else:
            self.step("push", at, end, self.current)
        self.branches.append((self.current, at))
        self.after = "("

    def close_branch(self, at: int, end: int) -> None:
        if not self.branches:
            self.fail("extra_close", at, end, "the parenthesis closes no branch")
            return
        if self.pending is not None:
            self.fail("dangling_bond", *self.pending[1:], "the bond leads to no atom", at)
        elif self.after:
            self.fail("syntax", at, end, "the branch is empty" if self.after == "(" else "nothing follows the dot")
        atom, _ = self.branches.pop()
        self.step("pop", at, end, self.current, atom)
        self.current, self.pending, self.after = atom, None, ""

    def read_dot(self, at: int, end: int) -> None:
        self.spans_dots |= bool(self.rings)
        if self.current < 0 or self.after:
            self.fail("syntax", at, end, "the dot does not follow an atom")
        elif self.pending is not None:
            self.fail("dangling_bond", *self.pending[1:], "the bond leads to no atom", at)
        else:
            self.step("dot", at, end, self.current)
        self.current, self.pending, self.after = -1, None, "."

    def finish(self) -> None:
        """What is still open at the end of the string."""
        end = len(self.text)
        if self.pending is not None:
            self.problems.append(Problem("dangling_bond", *self.pending[1:], "the bond leads to no atom"))
        elif self.after == "." and self.fragment is None:
            self.problems.append(Problem("syntax", end - 1, end, "nothing follows the dot"))
        for _, at in self.branches:
            self.problems.append(Problem("unclosed_branch", at, at + 1, "the branch is not closed"))
        for number, (_, _, spans) in self.rings.items():
            self.problems.append(Problem("unclosed_ring", *spans[0], f"ring {number} is opened and not closed"))
        del self.problems[MAX_PROBLEMS:]
