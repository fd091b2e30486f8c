"""Viable prefixes of SMILES where no reference is known: by syntax and by counting bonds. Plain Python, no RDKit.

Dead for certain: a syntax error that no continuation mends, a wildcard, an atom with more bonds than it can ever have.
Viable for certain is only what some ending, tried out by the caller, makes a valid molecule. Between the two lies
"cannot tell".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap
from rlsf_lightning.symbolic.chemistry.smiles_tokens import BOND_ORDERS, is_foreign

#: The most bonds that an atom without bracket may have to others without bracket, whatever clean-up does to it.
_MOST_BONDS = {"B": 3, "C": 4, "N": 5, "O": 2, "F": 1, "P": 7, "S": 6, "Cl": 7, "Br": 7, "I": 7}
#: ``:`` counts for one at least; a wildcard bond and a dative one need not count.
_LEAST_ORDERS = {**BOND_ORDERS, ":": 1, "~": 0, "->": 0, "<-": 0}


def certainly_dead_from(read: SmilesMap) -> int | None:
    """The first character from which no continuation is a molecule, as far as syntax and counting bonds tell."""
    wild = next((atom.end - 1 for atom in read.atoms if atom.symbol == "*"), None)
    loose = next((step.start for step in read.steps if step.action == "bond" and step.symbol == "~"), None)
    return min((at for at in (read.dead_from, _overfull_from(read), wild, loose) if at is not None), default=None)


def _overfull_from(read: SmilesMap) -> int | None:
    bonds = [0] * len(read.atoms)
    found: list[int] = []
    for bond in read.bonds:
        ends = (bond.first, bond.second)
        if any(read.atoms[end].bracket for end in ends):  # a metal takes bonds that need not count
            continue
        for end in ends:
            atom = read.atoms[end]
            bonds[end] += _LEAST_ORDERS[bond.symbol]
            if not atom.aromatic and bonds[end] > _MOST_BONDS.get(atom.symbol, 8):
                found.append(read.closed_at(bond))
    return min(found, default=None)


def endings(read: SmilesMap) -> list[str]:
    """Some ways to end what is merely unfinished, one of which often gives a molecule; none for half a bracket atom."""
    if read.fragment is not None:
        return []
    branches = ")" * sum(problem.kind == "unclosed_branch" for problem in read.problems)
    numbers = [str(number) if number < 10 else f"%({number})" for number in read.open_rings]
    found = [first + next_.join(numbers) + branches for first in ("", "C", "c", "CC", "cc") for next_ in ("C", "c")]
    return list(dict.fromkeys(found))


class Prefix(NamedTuple):
    """A prefix of a completion: the SMILES in it, and whether blanks after that have ended it."""

    text: str
    is_ended: bool


def legible_prefix(prefix: str, max_chars: int) -> Prefix | None:
    """None where no continuation is read: too long, or with characters that no SMILES has. Blanks may stand around one."""
    begun = prefix.lstrip()
    text = begun.rstrip()
    if len(text) > max_chars or any(is_foreign(character) for character in text):
        return None
    return Prefix(text, len(text) < len(begun))


def dead_from(
    text: str, max_chars: int, dead_of: Callable[[str], int | None], passes: Callable[[str], bool]
) -> int | None:
    """The first dead character of ``text``; its length where only the end is wrong; None: cannot tell.

    ``dead_of`` says the same of a text of legible characters that is not too long, ``passes`` whether it is right.
    """
    read_to = next((i for i, character in enumerate(text[:max_chars]) if is_foreign(character)), max_chars)
    legible = text[:read_to]
    dead = dead_of(legible)
    if len(legible) == len(text) or (dead is not None and dead < len(legible)):
        return dead
    # Nothing may follow what is legible, but for blanks after the right molecule.
    if passes(legible):
        return len(text) - len(text[read_to:].lstrip())
    return None if dead is None else read_to
