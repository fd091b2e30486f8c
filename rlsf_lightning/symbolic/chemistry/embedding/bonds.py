"""The bonds of a reference: their orders, and those that RDKit's clean-up may have made from others."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from rdkit import Chem

SINGLE, DOUBLE, TRIPLE, QUADRUPLE, AROMATIC, LOOSE = range(6)
#: What a written bond symbol asks for.
ORDER_OF_SYMBOL = {"-": SINGLE, "=": DOUBLE, "#": TRIPLE, "$": QUADRUPLE, ":": AROMATIC}
ORDER_OF_NUMBER = {1.0: SINGLE, 2.0: DOUBLE, 3.0: TRIPLE, 4.0: QUADRUPLE}
_NONMETALS = frozenset("* H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Te I Xe At Rn".split())
#: Centre, leaf and order of the charged bonds that RDKit's clean-up makes from neutral ones of a higher order.
_REWRITTEN: dict[tuple[str, str, int | None], int] = {
    ("N", "O", SINGLE): SINGLE,
    ("N", "N", DOUBLE): DOUBLE,
    ("Cl", "O", SINGLE): SINGLE,
    ("Br", "O", SINGLE): SINGLE,
    ("I", "O", SINGLE): SINGLE,
}
_DATIVE = {Chem.BondType.DATIVE, Chem.BondType.DATIVEONE, Chem.BondType.DATIVEL, Chem.BondType.DATIVER}


class Rewrite(NamedTuple):
    """A bond between a positive centre and a negative leaf that clean-up may have made from a neutral, higher one."""

    centre: int
    leaf: int
    #: The order that it has in the reference.
    order: int
    #: Some other leaf can take the higher bond instead.
    optional: bool


class Edge(NamedTuple):
    """A bond of the reference; ``order`` is that of one Kekulé structure. ``loose``: any order may be written."""

    a: int
    b: int
    order: float
    aromatic: bool
    in_ring: bool
    loose: bool


def edges_of(molecule: Any, atoms: list[Any]) -> list[Edge]:
    """The bonds. Loose are those whose order depends on RDKit's version or has no number: at metals, dative ones, and
    between opposite charges in an aromatic ring."""
    copy = Chem.Mol(molecule)
    try:
        Chem.Kekulize(copy, clearAromaticFlags=True)
    except Chem.KekulizeException:
        copy = molecule  # the order 1.5 stays, which is loose
    metals = [atom.GetSymbol() not in _NONMETALS for atom in atoms]
    charges = [atom.GetFormalCharge() for atom in atoms]
    edges = []
    for bond, kekule_bond in zip(list(molecule.GetBonds()), list(copy.GetBonds()), strict=True):
        a, b, aromatic = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), bond.GetIsAromatic()
        order = 0.0 if kekule_bond.GetBondType() in _DATIVE else kekule_bond.GetBondTypeAsDouble()
        loose = order not in ORDER_OF_NUMBER or metals[a] or metals[b] or (aromatic and charges[a] * charges[b] < 0)
        edges.append(Edge(a, b, order, aromatic, bond.IsInRing(), loose))
    return edges


def rewrites_of(edges: list[Edge], atoms: list[Any]) -> dict[tuple[int, int], Rewrite]:
    """The bonds (from either end) that RDKit's clean-up makes: nitro groups, azides, N-oxides, halogen oxides."""
    charges = [atom.GetFormalCharge() for atom in atoms]
    found = []
    for edge in edges:
        if charges[edge.a] * charges[edge.b] < 0 and not edge.aromatic:
            leaf, centre = sorted((edge.a, edge.b), key=charges.__getitem__)
            order = _REWRITTEN.get(
                (atoms[centre].GetSymbol(), atoms[leaf].GetSymbol(), ORDER_OF_NUMBER.get(edge.order))
            )
            if order is not None and charges[leaf] == -1:
                found.append((centre, leaf, order))
    leaves = Counter(centre for centre, _, _ in found)
    rewrites = {}
    for centre, leaf, order in found:
        rewrite = Rewrite(centre, leaf, order, optional=leaves[centre] > charges[centre])
        rewrites[centre, leaf] = rewrites[leaf, centre] = rewrite
    return rewrites
