"""The Kekulé structures of a reference: a ring may be written in any of them, bond by bond."""

from __future__ import annotations

from rlsf_lightning.symbolic.chemistry.embedding.bonds import Edge

#: Elements with several valences: a ring atom may have another number of double bonds in another Kekulé structure.
_SEVERAL_VALENCES = frozenset(["P", "S", "As", "Se", "Te", "I"])
#: Branches of the search for a Kekulé structure; beyond it one is taken to exist.
_SEARCH_LIMIT = 2_000


class KekuleStructures:
    """Which of the bonds of changing order may be double together. A set of bonds is a mask of their bits."""

    def __init__(self, edges: list[Edge], bit_of: dict[tuple[int, int], int], symbols: list[str]) -> None:
        bonds_at: dict[int, int] = {}
        first = 0
        for edge in edges:
            bit = bit_of.get((edge.a, edge.b), 0)
            if bit:
                bonds_at[edge.a] = bonds_at.get(edge.a, 0) | bit
                bonds_at[edge.b] = bonds_at.get(edge.b, 0) | bit
                first |= bit if edge.order == 2 else 0
        #: (bonds of an atom, how many of them are double in every Kekulé structure)
        self._rules = [
            (mask, (mask & first).bit_count())
            for atom, mask in bonds_at.items()
            if symbols[atom] not in _SEVERAL_VALENCES
        ]
        self._all = (1 << (len(bit_of) // 2)) - 1
        self._known = [first]
        self._impossible: set[tuple[int, int]] = set()
        self._nodes = 0

    def allow(self, single: int, double: int) -> bool:
        """Whether some Kekulé structure has all bonds of ``single`` single and all of ``double`` double."""
        for structure in self._known:
            if not structure & single and not double & ~structure:
                return True
        if single & double or (single, double) in self._impossible:
            return False
        self._nodes = 0
        found = self._solve(single, double)
        if found is None:
            self._impossible.add((single, double))
            return False
        if len(self._known) < 64:
            self._known.append(found)
        return True

    def _solve(self, single: int, double: int) -> int | None:
        """A Kekulé structure (its double bonds), or None. Beyond the limit of the search: as if there were one."""
        self._nodes += 1
        if self._nodes > _SEARCH_LIMIT:
            return double
        changed = True
        while changed:
            changed = False
            for mask, wanted in self._rules:
                missing = wanted - (mask & double).bit_count()
                free = mask & ~single & ~double
                if missing < 0 or missing > free.bit_count():
                    return None
                if free and missing == 0:
                    single |= free
                    changed = True
                elif free and missing == free.bit_count():
                    double |= free
                    changed = True
        free = self._all & ~single & ~double
        if not free:
            return double
        bit = free & -free
        found = self._solve(single, double | bit)
        return found if found is not None else self._solve(single | bit, double)
