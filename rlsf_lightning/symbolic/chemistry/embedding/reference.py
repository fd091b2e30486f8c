"""The target graph of a subgraph embedding: the reference molecule as bit masks over its atoms.

Says, for every token, which atoms of the reference it may stand for, and for every written bond which bonds. Where RDKit's
clean-up rewrites charges and bonds (nitro groups, N-oxides, halogen oxides, metals), both are taken loosely: more may be
allowed than is right, never less. Which atoms may have a mark of stereochemistry is seen here, which mark it has to be is
in ``reference_stereo``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.embedding.bonds import (
    AROMATIC,
    DOUBLE,
    LOOSE,
    ORDER_OF_NUMBER,
    SINGLE,
    Edge,
    edges_of,
    rewrites_of,
)
from rlsf_lightning.symbolic.chemistry.embedding.kekule import KekuleStructures
from rlsf_lightning.symbolic.chemistry.embedding.reference_stereo import ReferenceStereo
from rlsf_lightning.symbolic.chemistry.embedding.sites import CHIRALITIES, Site
from rlsf_lightning.symbolic.chemistry.smiles_tokens import Atom


def bits(mask: int) -> list[int]:
    """The positions of the ones."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


@lru_cache(maxsize=2048)
def reference_of(smiles: str) -> Reference | None:
    """The reference, made once for each SMILES; None if RDKit cannot read it."""
    molecule = rdkit_io.parse(smiles)
    return None if molecule is None else Reference(molecule, smiles)


def known_reference(smiles: str) -> Reference:
    """The same for a SMILES that RDKit has read before."""
    reference = reference_of(smiles)
    assert reference is not None, f"RDKit read {smiles} once"
    return reference


class Reference:
    """The reference as masks: bit i is its atom i."""

    def __init__(self, molecule: Any, smiles: str) -> None:
        atoms = list(molecule.GetAtoms())
        edges = edges_of(molecule, atoms)
        self.size = len(atoms)
        self.all = (1 << self.size) - 1
        self.bond_count = len(edges)
        self.neighbours = [0] * self.size
        #: allowed[order][atom]: the neighbours to which the bond may be written with that order.
        self.allowed = [[0] * self.size for _ in range(LOOSE + 1)]
        #: The bit of a bond whose order differs between Kekulé structures.
        self.kekule_bit: dict[tuple[int, int], int] = {}
        self.rewrites = rewrites_of(edges, atoms)
        self._atom_masks: dict[str, int] = {}
        for edge in edges:
            self._add_edge(edge)
        self.degree = [mask.bit_count() for mask in self.neighbours]
        self.sites = self._make_sites(atoms, edges)
        self.twins = self._find_twins(edges)
        self.kekule = KekuleStructures(edges, self.kekule_bit, [site.symbol for site in self.sites])
        self.stereo = ReferenceStereo(molecule, smiles)

    def _add_edge(self, edge: Edge) -> None:
        a, b = edge.a, edge.b
        self.neighbours[a] |= 1 << b
        self.neighbours[b] |= 1 << a
        allowed: Iterable[int]
        if edge.loose:
            allowed = range(LOOSE + 1)
        elif edge.aromatic:
            allowed = (SINGLE, DOUBLE, AROMATIC)
            self.kekule_bit[a, b] = self.kekule_bit[b, a] = 1 << (len(self.kekule_bit) // 2)
        else:
            kind = ORDER_OF_NUMBER[edge.order]
            # An aromatic bond outside a ring (between two lower-case atoms, say) is read as a single one.
            either = kind == SINGLE or (kind == DOUBLE and edge.in_ring)
            allowed = (kind, AROMATIC) if either else (kind,)
            if (a, b) in self.rewrites:
                allowed = (*allowed, kind + 1)
        for asked in allowed:
            self.allowed[asked][a] |= 1 << b
            self.allowed[asked][b] |= 1 << a

    def _make_sites(self, atoms: list[Any], edges: list[Edge]) -> list[Site]:
        order_sum = [0.0] * self.size
        pi = loose = 0
        for edge in edges:
            ends = 1 << edge.a | 1 << edge.b
            order_sum[edge.a] += edge.order
            order_sum[edge.b] += edge.order
            pi |= ends if edge.order >= 2 else 0
            loose |= ends if edge.loose else 0
        rewritten = {end for pair in self.rewrites for end in pair}
        return [
            Site(
                atom,
                order_sum[i],
                loose=bool(loose >> i & 1),
                rewritten=i in rewritten,
                pi=bool(pi >> i & 1),
                pi_near=bool(pi & self.neighbours[i]),
            )
            for i, atom in enumerate(atoms)
        ]

    def _find_twins(self, edges: list[Edge]) -> list[int]:
        """For each atom with one neighbour, itself and those that can change places with it (as masks)."""
        twins = [1 << i for i in range(self.size)]
        groups: dict[tuple[Any, ...], int] = {}
        for edge in edges:
            for leaf, centre in ((edge.a, edge.b), (edge.b, edge.a)):
                if self.degree[leaf] == 1:
                    key = (centre, edge.order, edge.loose, self.sites[leaf].key())
                    groups[key] = groups.get(key, 0) | 1 << leaf
        for group in groups.values():
            for leaf in bits(group):
                twins[leaf] = group
        return twins

    def atoms_for(self, token: str, atom: Atom) -> int:
        """The mask of atoms that ``atom``, written as ``token``, may stand for."""
        mask = self._atom_masks.get(token)
        if mask is None:
            mask = sum(1 << i for i, site in enumerate(self.sites) if site.accepts(atom))
            mask &= ~(self.stereo.unmarked if atom.chirality else self.stereo.marked)
            self._atom_masks[token] = mask
        return mask

    def atoms_from(self, fragment: str, aromatic: bool) -> int:
        """The mask of atoms that a bracket which begins with ``fragment`` may come to stand for."""
        marks = CHIRALITIES if "@" in fragment else ["@"]
        unmarked = self.stereo.unmarked if "@" in fragment else 0
        mask = 0
        for i, site in enumerate(self.sites):
            allowed = marks if self.stereo.marked >> i & 1 else [""] if unmarked >> i & 1 else ["", *marks]
            mask |= site.may_become(fragment, aromatic, allowed) << i
        return mask
