"""The facts of a molecule counted again, on a graph that is read from the text without RDKit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.periodic_table import ATOMIC_WEIGHTS
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import Fact
from rlsf_lightning.symbolic.verifiers.molecule.recheck import smarts
from rlsf_lightning.symbolic.verifiers.molecule.recheck.graph import (
    AROMATIC,
    Graph,
    graph_of,
    part_count,
    weight_symbols,
)

_ORDER_OF = {1.0: 1, 2.0: 2, 3.0: 3, 4.0: 4, 1.5: AROMATIC}


def read_graph(text: str, read: SmilesMap) -> Graph | None:
    """The second reading; None where it does not apply: metals and other elements for which there are no plain rules."""
    molecule = rdkit_io.parse_all_atoms(text)
    if molecule is None or any(bond.symbol in ("~", "->", "<-") for bond in read.bonds):
        return None
    aromatic = {atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetIsAromatic()}
    orders = {
        frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())): _ORDER_OF.get(bond.GetBondTypeAsDouble(), 1)
        for bond in molecule.GetBonds()
    }
    lower = {i for i, atom in enumerate(read.atoms) if atom.aromatic}
    perceived = {ends: order for ends, order in orders.items() if order == AROMATIC or ends <= lower}
    return graph_of(read, aromatic, perceived)


def counts_the_same(fact: Fact, row: Mapping[str, Any], graph: Graph, read: SmilesMap) -> bool:
    """Whether the row of the witness is what the graph says, as far as that can be said."""
    found, atoms = row["found"], [tuple(match) for match in row["atoms"]]
    charge = sum(site.charge for site in graph.values())
    if fact.formula is not None:
        counts = Counter(weight_symbols(graph))
        expected = counts == dict(fact.formula.counts) and charge == fact.formula.charge
        return dict(counts) == found and row["holds"] == expected
    if row["holds"] != (fact.low <= found <= fact.high):
        return False
    if fact.smarts:
        matches = smarts.find(fact.smarts, graph)
        return matches is None or (found == len(matches) and atoms == matches[: len(atoms)])
    if fact.subject == "element":
        sites = [site.number for site in graph.values() if site.symbol == fact.name]
        count = weight_symbols(graph).count(fact.name)
        return found == count and (fact.name == "H" or atoms == [(site,) for site in sites][: len(atoms)])
    return _property_is(fact.name, found, atoms, graph, charge)


def _property_is(name: str, found: float, atoms: list[tuple[int, ...]], graph: Graph, charge: int) -> bool:
    if name == "charge":
        return found == charge
    if name == "fragments":
        return found == part_count(graph)
    if name == "rings":
        bonds = sum(len(site.bonds) for site in graph.values()) // 2
        return found == bonds - len(graph) + part_count(graph)
    if name == "heavy_atoms":
        return found == sum(site.symbol not in ("H", "*") for site in graph.values())
    if name == "molecular_weight":
        if any(site.isotope for site in graph.values()):
            return True
        return (
            abs(found - sum(ATOMIC_WEIGHTS.get(symbol, 0.0) for symbol in weight_symbols(graph))) < 0.02 + found * 1e-5
        )
    marked = {site.number for site in graph.values() if site.marked}
    return found == len(atoms) and {atom for (atom,) in atoms} <= marked
