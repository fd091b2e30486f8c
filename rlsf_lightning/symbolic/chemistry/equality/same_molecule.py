"""Whether two SMILES spell one molecule: by isomorphism that keeps the stereochemistry.

RDKit's canonical SMILES of one molecule may differ for bridged, spiro and square-planar ones, and be equal for molecules
that are not, as it drops marks at symmetric places. So they decide only where nothing is marked.
"""

from __future__ import annotations

from functools import lru_cache

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry.equality.isomorphism import Budget, are_isomorphic, without_void
from rlsf_lightning.symbolic.chemistry.equality.stereo_graph import graph_of


@lru_cache(maxsize=4096)
def same_molecule(ours: str, theirs: str) -> bool:
    """``is_same`` within the steps that one comparison may take."""
    return is_same(ours, theirs, Budget())


def is_same(ours: str, theirs: str, budget: Budget) -> bool:
    """Whether two valid SMILES spell one molecule: isotopes, charges, atom maps and stereochemistry count.

    A mark that changes nothing (at an atom with two equal ligands, say) counts for none. Raises ToolFailed where this cannot be
    told: with marks that no tool here reads, or when too many atoms are alike.
    """
    if ours == theirs:
        return True
    first, second = graph_of(ours), graph_of(theirs)
    if not are_isomorphic(first.graph.without_stereo(), second.graph.without_stereo(), budget):
        return False
    if first.undecided or second.undecided:
        raise ToolFailed("RDKit cannot tell what a mark of stereochemistry here means: not compared with the reference")
    if are_isomorphic(first.graph, second.graph, budget):
        return True
    return are_isomorphic(without_void(first.graph, budget), without_void(second.graph, budget), budget)
