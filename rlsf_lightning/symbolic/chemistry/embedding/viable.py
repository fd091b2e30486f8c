"""Viable prefixes of SMILES against a reference molecule, and the first dead character, by subgraph embedding.

A prefix is viable where its partial graph embeds in the reference: atoms on atoms, bonds on bonds; an atom to
which nothing more can be attached has all of its bonds (open ring digits stand for missing ones, each for one of its
own), whatever is missing can still be reached, some Kekulé structure has the bond orders that are written, and marks of
stereochemistry say what the reference says as soon as it is determined what they say. Every start, branch order, ring
numbering and mixture of bracket, Kekulé and aromatic forms is allowed. One backtracking search decides a whole string:
it meets the constraints token by token, and the farthest that any embedding comes is the first dead token.

A ring digit may be closed behind a dot: ``C1CC`` can become propylbenzene as ``C1CC.c1ccccc1``.

"Dead" is certain, with two exceptions that nobody writes: hydrogens as atoms of their own, and lower-case letters where no
double bond is near, are not counted as ways to go on.
"Viable" is nearly so. Let through are a few aromatic forms that RDKit cannot kekulise, and of stereochemistry: centres
with a lone pair, what is not tetrahedral, and direction marks at both ends of one ring bond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from rlsf_lightning.symbolic.certificates import first_dead
from rlsf_lightning.symbolic.chemistry.embedding.pattern_graph import PatternGraph
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference
from rlsf_lightning.symbolic.chemistry.embedding.search import Search
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.smiles_tokens import LONGER, may_become_ring_number, read_atom, ring_symbol

#: The beginning of what may be a hydrogen that is written as an atom of its own, up to its symbol.
_HYDROGEN = re.compile(r"\[0?(?:(?=H)|#(?=1))", re.ASCII)


def is_viable(reference: Reference, prefix: str) -> bool | None:
    """Whether ``prefix`` or some continuation of it spells the reference; None: cannot tell. False stays False."""
    read = read_smiles(prefix)
    if read.dead_from is not None:
        return False
    answers = set()
    for pattern in _readings(reference, prefix, read):
        answers.add(Search(pattern).run().viable)
        if True in answers:
            return True
    if None not in answers:
        return False
    # A hydrogen as an atom of its own gives no answer, except where no bracket at all was right.
    starts = [atom.start for atom in read.atoms] + ([] if read.fragment is None else [read.fragment])
    before = next((match.end() for match in (_HYDROGEN.match(prefix, start) for start in starts) if match), None)
    return False if before is not None and is_viable(reference, prefix[:before]) is False else None


class Death(NamedTuple):
    """``at``: the first character with which the string is dead, or its length if it ends too early; None if it cannot
    be told. ``complete``: the string spells the whole reference, as far as this search sees."""

    at: int | None
    complete: bool = False


def find_death(reference: Reference, text: str) -> Death:
    """Where ``text``, which is not a SMILES of the reference, stopped being able to become one."""
    read = read_smiles(text)
    outcome = Search(PatternGraph(reference, text, read)).run()
    if outcome.viable is None:
        return Death(None)
    if not outcome.viable:
        step = read.steps[outcome.step]
        if step.end - step.start == 1 and not _longer_mask(reference, text[step.start]):
            return Death(step.start)
        return Death(_first_dead(reference, text, step.start, step.end))
    whole = read.steps[-1].end if read.steps else 0
    if read.dead_from is not None:
        return Death(_first_dead(reference, text, whole, read.dead_from))
    if read.fragment is not None:
        return Death(_first_dead(reference, text, whole, len(text)))
    complete = not read.problems and len(read.bonds) == reference.bond_count and outcome.everything_placed
    return Death(None if complete else len(text), complete)


def _first_dead(reference: Reference, text: str, viable: int, dead: int) -> int | None:
    """The first i for which ``text[: i + 1]`` is dead: ``text[:viable]`` is not, ``text[: dead + 1]`` would be."""
    try:
        return viable + first_dead(text[viable:dead], partial(_is_surely_viable, reference, text[:viable]))
    except _CannotTell:
        return None


class _CannotTell(Exception):
    """The search for the first dead character meets a prefix of which it is not known."""


def _is_surely_viable(reference: Reference, before: str, more: str) -> bool:
    answer = is_viable(reference, before + more)
    if answer is None:
        raise _CannotTell
    return answer


def _readings(reference: Reference, prefix: str, read: SmilesMap) -> Iterator[PatternGraph]:
    """The pattern with each thing that the last, perhaps unfinished, token may become."""
    pattern, current = PatternGraph(reference, prefix, read), read.current
    if read.fragment is None:
        pattern.last_mask = _longer_mask(reference, prefix[-1:])
        yield pattern
        return
    fragment = prefix[read.fragment :]
    if fragment[0] == "[":
        hydrogen = _HYDROGEN.match(fragment) is not None
        for lower_case in (False, True):
            pattern = PatternGraph(reference, prefix, read)
            mask = reference.atoms_from(fragment, lower_case)
            pattern.tail = partial(
                pattern.add_atom, current, read.pending, lower_case, mask, hydrogen=hydrogen and not lower_case
            )
            yield pattern
        return
    pattern.tail = partial(pattern.open_ring, current, read.pending)
    yield pattern
    for number, (atom_index, symbol) in read.open_rings.items():
        if may_become_ring_number(fragment, number) and atom_index not in (current, *pattern.bonded(current)):
            pattern = PatternGraph(reference, prefix, read)
            pattern.tail = partial(
                pattern.close_ring, current, atom_index, ring_symbol(symbol, read.pending), number, read.pending
            )
            yield pattern


def _longer_mask(reference: Reference, token: str) -> int:
    """The atoms that a token may come to stand for because it is the beginning of a longer one."""
    longer = LONGER.get(token)
    atom = read_atom(longer) if longer else None
    return reference.atoms_for(longer, atom) if longer and atom else 0
