"""Elements of stereochemistry as arrangements of ligands, whatever the order in which a SMILES names these.

A ligand is an atom, or ``~a`` for the hydrogen that belongs to atom ``a``, or ``NOTHING`` for a lone pair.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

#: The ligand of a place that holds no atom.
NOTHING = 1 << 30

#: A key for each ligand, equal for those that cannot be told apart.
KeyOf = Callable[[int], Any]


class Arrangement(NamedTuple):
    """One element of stereochemistry.

    ``kind``: centre (four ligands, in an order with the parity ``sign``), axis (a double bond or an allene: two ligands at
    one end, two at the other; ``sign`` +1: the first of both ends on one side, or in the order that @ stands for), or square
    (the first two opposite each other, and the last two). ``holders``: the atoms that it belongs to.
    """

    kind: str
    holders: tuple[int, ...]
    ligands: tuple[int, ...]
    sign: int = 1

    def seen(self, key_of: KeyOf) -> Any:
        """What it is to those who know the ligands by these keys only; 0 if they cannot tell it from its opposite."""
        keys = [key_of(ligand) for ligand in self.ligands]
        if self.kind == "square":
            return tuple(sorted([tuple(sorted(keys[:2])), tuple(sorted(keys[2:]))]))
        if self.kind == "centre":
            return 0 if len(set(keys)) < len(keys) else self.sign * parity(keys)
        return 0 if keys[0] == keys[1] or keys[2] == keys[3] else self.sign * parity(keys[:2]) * parity(keys[2:])

    def is_told(self, key_of: KeyOf) -> bool:
        """Whether these keys tell it from all others of its kind."""
        keys = [key_of(ligand) for ligand in self.ligands]
        return len(set(keys)) == len(keys) if self.kind == "square" else self.seen(key_of) != 0

    def renumbered(self, number: Mapping[int, int]) -> Arrangement:
        """The same with other numbers for the atoms."""

        def other(ligand: int) -> int:
            return ligand if ligand == NOTHING else ~number[~ligand] if ligand < 0 else number[ligand]

        holders, ligands = (number[holder] for holder in self.holders), map(other, self.ligands)
        return self._replace(holders=tuple(holders), ligands=tuple(ligands))

    def others(self) -> Iterator[Arrangement]:
        """The other arrangements of the same ligands."""
        if self.kind == "square":
            a, b, c, d = self.ligands
            yield self._replace(ligands=(a, c, b, d))
            yield self._replace(ligands=(a, d, b, c))
        else:
            yield self._replace(sign=-self.sign)


def parity(keys: Sequence[Any]) -> int:
    """+1 if an even number of exchanges sorts them, -1 if an odd one does."""
    return -1 if sum(a > b for a, b in itertools.combinations(keys, 2)) % 2 else 1
