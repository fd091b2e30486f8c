"""The molecular graph that a valid SMILES spells, built without RDKit for an independent count.

Atoms, bonds, charges and hydrogens come from the text alone. Which atoms and bonds are aromatic, and what stands between
two lower-case atoms, is a convention that is taken over from RDKit. Explicit hydrogens are merged into their atoms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlsf_lightning.symbolic.chemistry.periodic_table import VALENCES
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap
from rlsf_lightning.symbolic.chemistry.smiles_tokens import BOND_ORDERS

AROMATIC = 0
_ORDERS = {**BOND_ORDERS, ":": 1}


@dataclass
class Site:
    """One atom. ``bonds``: the order of each bond, ``AROMATIC`` for aromatic ones, by the neighbour's number."""

    number: int
    symbol: str
    charge: int
    hydrogens: int
    aromatic: bool
    marked: bool
    isotope: int
    bonds: dict[int, int] = field(default_factory=dict)
    ring_bonds: set[int] = field(default_factory=set)


#: Atoms by their number as they are written.
Graph = dict[int, Site]


def graph_of(read: SmilesMap, aromatic_atoms: set[int], perceived: Mapping[frozenset[int], int]) -> Graph:
    """``perceived``: the order, or AROMATIC, of every bond whose order the text does not say by itself."""
    graph = {
        i: Site(i, atom.symbol, atom.charge, atom.hydrogens, i in aromatic_atoms, "@" in atom.chirality, atom.isotope)
        for i, atom in enumerate(read.atoms)
    }
    written = dict.fromkeys(graph, 0)
    lower = {i for i, atom in enumerate(read.atoms) if atom.aromatic}
    lower |= {end for bond in read.bonds if bond.symbol == ":" for end in (bond.first, bond.second)}  # read as such
    for bond in read.bonds:
        order = _ORDERS.get(bond.symbol, 0)
        for here, there in ((bond.first, bond.second), (bond.second, bond.first)):
            written[here] += order
            graph[here].bonds[there] = perceived.get(frozenset((here, there)), order)
    for i, site in graph.items():
        if not read.atoms[i].bracket:
            orders = list(site.bonds.values())
            is_pi = i in lower and AROMATIC in orders
            used = written[i] if is_pi or i not in lower else sum(orders)
            site.hydrogens = _filled(site.symbol, used, is_pi)
    _merge_hydrogens(graph)
    _charge_separated(graph)
    _mark_rings(graph)
    return graph


def _filled(symbol: str, used: int, is_aromatic: bool) -> int:
    """The hydrogens of an atom without bracket; an aromatic carbon has one more bond than is written, if it has room."""
    if is_aromatic:
        return max(0, 3 - used) if symbol == "C" else 0
    return next((valence - used for valence in VALENCES.get(symbol, ()) if valence >= used), 0)


def _merge_hydrogens(graph: Graph) -> None:
    for i, site in list(graph.items()):
        plain = site.symbol == "H" and not (site.charge or site.isotope or site.hydrogens)
        if plain and len(site.bonds) == 1 and i in graph:
            (other,) = site.bonds
            if graph[other].symbol != "H":
                del graph[other].bonds[i], graph[i]
                graph[other].hydrogens += 1


def _charge_separated(graph: Graph) -> None:
    """Nitro groups and azides that are written with five bonds at the nitrogen get charges, as RDKit gives them."""
    for i, site in graph.items():
        if site.symbol != "N" or site.charge or sum(site.bonds.values()) + site.hydrogens != 5 or site.aromatic:
            continue
        for wanted, order in (("O", 2), ("N", 3)):
            leaf = next((j for j, n in site.bonds.items() if n == order and graph[j].symbol == wanted), None)
            if leaf is not None and len(graph[leaf].bonds) == 1 and not graph[leaf].charge:
                site.bonds[leaf] = graph[leaf].bonds[i] = order - 1
                site.charge, graph[leaf].charge = 1, -1
                break


def _mark_rings(graph: Graph) -> None:
    """A bond lies in a ring unless it is the only way between its ends (Tarjan's bridges, without recursion)."""
    entered: dict[int, int] = {}
    lowest: dict[int, int] = {}
    for start in graph:
        if start in entered:
            continue
        entered[start] = lowest[start] = len(entered)
        stack = [(start, -1, iter(list(graph[start].bonds)))]
        while stack:
            atom, parent, neighbours = stack[-1]
            following = next(neighbours, None)
            if following is None:
                stack.pop()
                if parent >= 0:
                    lowest[parent] = min(lowest[parent], lowest[atom])
                    if lowest[atom] <= entered[parent]:
                        _ring_bond(graph, atom, parent)
            elif following not in entered:
                entered[following] = lowest[following] = len(entered)
                stack.append((following, atom, iter(list(graph[following].bonds))))
            elif following != parent:
                lowest[atom] = min(lowest[atom], entered[following])
                _ring_bond(graph, atom, following)


def _ring_bond(graph: Graph, a: int, b: int) -> None:
    graph[a].ring_bonds.add(b)
    graph[b].ring_bonds.add(a)


def weight_symbols(graph: Graph) -> list[str]:
    """The element of every atom, hydrogens included."""
    return [name for site in graph.values() for name in [site.symbol, *["H"] * site.hydrogens]]


def part_count(graph: Graph) -> int:
    """The number of connected parts."""
    seen: set[int] = set()
    parts = 0
    for start in graph:
        parts += start not in seen
        edge = [start]
        while edge:
            atom = edge.pop()
            if atom not in seen:
                seen.add(atom)
                edge += graph[atom].bonds
    return parts
