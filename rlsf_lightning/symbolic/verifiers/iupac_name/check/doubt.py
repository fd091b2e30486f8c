"""Names that say more of stereochemistry than OPSIN or a SMILES can: of racemates, and with marks that OPSIN cannot assign.

Each is held against the reference as far as it can be read. Where it is wrong whatever the rest means it stays wrong; else
there is no verdict.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, same_but_for_stereo
from rlsf_lightning.symbolic.chemistry.equality.same_molecule import same_molecule
from rlsf_lightning.symbolic.chemistry.equality.written_marks import has_marks
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import american
from rlsf_lightning.symbolic.verifiers.iupac_name.task import MAX_SMILES
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer

#: Groups of centres that are racemic by themselves; of more, only the first are exchanged.
MAX_GROUPS = 4
_GROUP = re.compile(r"(r)|[&o][0-9]+:([0-9,]+)")
#: OPSIN's own words for what it does not know.
_LIMITATION = re.compile(r"limitation in OPSIN|not currently interpretable by OPSIN|not known to be able to support")
_OF_BOND = re.compile(r'type="(?:cisOrTrans|EorZ)"')
#: A descriptor of a pseudoasymmetric centre, as in (1r,4r) and (4as,8bs).
_PSEUDOASYMMETRIC = re.compile(r"\d[a-z]?'*[rs](?=[,)])")
_MOST_STEPS = 100_000


def configurations(extended: str) -> Iterator[str]:
    """The configurations that a name stands for, its own first. ``extended``: OPSIN's SMILES with groups of stereocentres."""
    smiles, _, layer = extended.partition(" ")
    read = read_smiles(smiles)
    centres = [i for i, atom in enumerate(read.atoms) if atom.chirality]
    groups = [
        centres if is_whole else [int(atom) for atom in atoms.split(",") if atom]
        for is_whole, atoms in _GROUP.findall(layer.rpartition("$")[2])
    ][:MAX_GROUPS]
    for chosen in itertools.product((False, True), repeat=len(groups)):
        yield _inverted(smiles, read, {atom for group in itertools.compress(groups, chosen) for atom in group})


def check_racemate(extended: str, target: Target) -> None:
    """Raises ToolFailed where the reference is one of several configurations that the name stands for."""
    own, *others = configurations(extended)
    if all(same_molecule(own, other) for other in others):  # a meso compound is its own mirror image
        return
    if any(same_molecule(each, target.smiles) for each in (own, *others)):
        raise ToolFailed(
            "a racemate or a relative configuration, of which the reference has one form: a SMILES cannot say which is meant"
        )


def check_unassigned(text: str, answer: dict[str, Any], target: Target, server: NameServer) -> None:
    """Raises ToolFailed for a name that OPSIN cannot read because of its stereochemistry, if it may be right.

    ``answer``: that of ``read``. It may be right where all that OPSIN does assign is so in the reference, which has more
    stereochemistry of the kind that the name speaks of.
    """
    if "tokens" not in answer or not has_marks(target.smiles) or not _may_be_limitation(answer, target):
        return
    smiles = server.ask("lenient", american(text)[0])["smiles"]
    molecule = rdkit_io.parse(smiles) if 0 < len(smiles) <= MAX_SMILES else None
    if molecule is not None and same_but_for_stereo(smiles, molecule, target) and _agrees(molecule, target):
        raise ToolFailed(f"stereochemistry that OPSIN cannot assign: {re.sub('<[^>]*>', '', answer['message'])}")


def _may_be_limitation(answer: dict[str, Any], target: Target) -> bool:
    """Whether OPSIN may fail at what it does not know, by its message and by the words of the name."""
    message, words = str(answer["message"]), [value for _, tag, value in answer["tokens"] if tag == "stereoChemistry"]
    if _LIMITATION.search(message):
        return True
    if _OF_BOND.search(message) and {"cis", "trans"} & {word.lower() for word in words}:
        return _has_sides(target)
    return any(map(_PSEUDOASYMMETRIC.search, words)) and _has_pseudoasymmetric(target)


def _agrees(molecule: Any, target: Target) -> bool:
    """Whether the reference has all of the stereochemistry of a molecule with the same atoms and bonds."""
    with rdkit_io.quiet():
        return bool(target.molecule.HasSubstructMatch(molecule, useChirality=True))


def _has_sides(target: Target) -> bool:
    """Whether the reference has something to be cis or trans: a marked double bond, or two marked atoms of rings."""
    marked = [atom for atom in target.molecule.GetAtoms() if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    return "/" in target.smiles or "\\" in target.smiles or sum(atom.IsInRing() for atom in marked) > 1


def _has_pseudoasymmetric(target: Target) -> bool:
    """Whether a centre of the reference is labelled r or s, or cannot be labelled."""
    molecule = Chem.Mol(target.molecule)
    try:
        with rdkit_io.quiet():
            rdCIPLabeler.AssignCIPLabels(molecule, maxRecursiveIterations=_MOST_STEPS)
    except RuntimeError:
        return True
    marked = [atom for atom in molecule.GetAtoms() if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    return any(not atom.HasProp("_CIPCode") or atom.GetProp("_CIPCode") in "rs" for atom in marked)


def _inverted(smiles: str, read: SmilesMap, atoms: Collection[int]) -> str:
    """With the opposite mark at these atoms."""
    for i in sorted(atoms, reverse=True):
        start, end = read.atoms[i].start, read.atoms[i].end
        token = smiles[start:end]
        other = token.replace("@@", "@") if "@@" in token else token.replace("@", "@@")
        smiles = smiles[:start] + other + smiles[end:]
    return smiles
