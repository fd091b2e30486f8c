"""Whether two SMILES are one molecule, by InChI and by isomorphism of labelled graphs (networkx): without canonical SMILES.

InChI has its options /FixedH, as a standard InChI merges tautomers that differ in a mobile hydrogen, and /RecMet, as
it cuts the bonds of metals. It also merges charges that resonance moves, and drops atom maps: that is what the graph
is for, which knows nothing of stereochemistry. Both have to agree for "the same".
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import networkx
from rdkit import Chem, RDLogger, rdBase
from rdkit.Chem import inchi

_OPTIONS = "/FixedH /RecMet"
RDLogger.DisableLog("rdApp.*")


class Molecule(NamedTuple):
    """``graph``: heavy atoms and hydrogens that stand by themselves, with all that is said of them."""

    mol: Any
    graph: Any
    inchi: str


class Sameness(NamedTuple):
    is_same: bool
    reason: str


def plain_text(text: str) -> str | None:
    """Why a text is no SMILES, whatever RDKit makes of it."""
    if not text or not text.isascii():
        return "empty, or not ASCII"
    return "white space inside" if any(c.isspace() or not c.isprintable() for c in text) else None


@lru_cache(maxsize=50_000)
def read(smiles: str) -> Molecule | None:
    """None: RDKit refuses it, or it has no atom or a wildcard."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None or not mol.GetNumAtoms() or any(not atom.GetAtomicNum() for atom in mol.GetAtoms()):
            return None
        return Molecule(mol, graph_of(mol), inchi.MolToInchi(mol, options=_OPTIONS))


def graph_of(mol: Any) -> Any:
    """Atoms and bonds as networkx has them."""
    graph = networkx.Graph()
    for atom in mol.GetAtoms():
        said = (atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetTotalNumHs(), atom.GetIsotope(),
                atom.GetNumRadicalElectrons(), atom.GetAtomMapNum(), atom.GetIsAromatic())  # fmt: skip
        graph.add_node(atom.GetIdx(), said=str(said))
    for bond in mol.GetBonds():
        ends = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
        graph.add_edge(*ends, said=str(bond.GetBondType()))
    return graph


def compare(one: Molecule, other: Molecule) -> Sameness:
    """By both."""
    if not _is_isomorphic(one.graph, other.graph):
        return Sameness(False, "another graph")
    if not one.inchi or not other.inchi:
        return Sameness(True, "the same graph; no InChI")
    return Sameness(one.inchi == other.inchi, f"the same graph; {one.inchi} and {other.inchi}")


def _is_isomorphic(one: Any, other: Any) -> bool:
    if len(one) != len(other) or one.size() != other.size():
        return False
    hashes = [
        networkx.weisfeiler_lehman_graph_hash(g, edge_attr="said", node_attr="said", iterations=4) for g in (one, other)
    ]
    if hashes[0] != hashes[1]:
        return False
    matcher = networkx.algorithms.isomorphism.GraphMatcher(
        one, other, lambda a, b: a["said"] == b["said"], lambda a, b: a["said"] == b["said"]
    )
    return bool(matcher.is_isomorphic())
