"""A second opinion on a round trip: the bonds of each named reaction made and broken one by one in the joined reactants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Any

from rdkit import Chem

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.reactions.outcome import NAMED_REACTIONS
from rlsf_lightning.symbolic.chemistry.reactions.reaction import MAX_MATCHES, Reaction, query
from rlsf_lightning.symbolic.verifiers.reaction.parse import Sides
from rlsf_lightning.symbolic.verifiers.reaction.recheck.isomorphism import same_molecule

_SINGLE = Chem.BondType.SINGLE


def leading(texts: Sequence[str], sides: Sides) -> list[str]:
    """The names of the task's reactions that make the product of molecules, which are written so; all of them react."""
    molecules = [rdkit_io.parse(text) for text in texts]
    if any(molecule is None or _is_odd(molecule) for molecule in molecules):
        return []
    return [name for name in sides.reactions if _leads(NAMED_REACTIONS[name], molecules, sides.product.smiles)]


def _is_odd(molecule: Any) -> bool:
    return any(atom.GetAtomMapNum() or atom.GetNumRadicalElectrons() for atom in rdkit_io.atoms_of(molecule))


def _leads(reaction: Reaction, molecules: Sequence[Any], wanted: str) -> bool:
    if len(molecules) != len(reaction.reactants):
        return False
    for order in permutations(molecules):
        matches = [
            molecule.GetSubstructMatches(query(smarts), uniquify=False, maxMatches=MAX_MATCHES)
            for molecule, smarts in zip(order, reaction.reactants, strict=True)
        ]
        for chosen in product(*matches):
            made = _edited(reaction, order, chosen)
            if made is not None and same_molecule(made, wanted):
                return True
    return False


def _edited(reaction: Reaction, order: Sequence[Any], chosen: Sequence[tuple[int, ...]]) -> str | None:
    """The SMILES of what the edits give; None where that is no molecule."""
    joined, offset = Chem.RWMol(), 0
    site: dict[int, int] = {}  # map number -> atom
    leaving: set[int] = set()
    for molecule, smarts, match in zip(order, reaction.reactants, chosen, strict=True):
        joined.InsertMol(molecule)
        for pattern_atom, atom in zip(rdkit_io.atoms_of(query(smarts)), match, strict=True):
            if pattern_atom.GetAtomMapNum():
                site[pattern_atom.GetAtomMapNum()] = atom + offset
            else:
                leaving.add(atom + offset)
        offset = joined.GetNumAtoms()
    atoms = _placed(joined, reaction, site)
    for a, b in _bonded(joined):
        if (a in leaving) != (b in leaving) or (a in site.values() and b in site.values()):
            _rebond(joined, a, b, _order(reaction, atoms, a, b))
    for a, b in _made(reaction, atoms):
        _rebond(joined, a, b, _order(reaction, atoms, a, b))
    return _fragment(joined, next(iter(site.values())), site.values())


def _placed(joined: Any, reaction: Reaction, site: dict[int, int]) -> list[int]:
    """For each atom of the product's pattern its atom, new ones added; charges are set where the pattern has them."""
    atoms = []
    for atom in rdkit_io.atoms_of(query(reaction.product)):
        if not atom.GetAtomMapNum():
            new = Chem.Atom(atom.GetAtomicNum())
            new.SetFormalCharge(atom.GetFormalCharge())
            atoms.append(joined.AddAtom(new))
            continue
        atoms.append(site[atom.GetAtomMapNum()])
        if "+0" in atom.GetSmarts():
            joined.GetAtomWithIdx(atoms[-1]).SetFormalCharge(0)
    return atoms


def _bonded(joined: Any) -> list[tuple[int, int]]:
    return [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in rdkit_io.bonds_of(joined)]


def _made(reaction: Reaction, atoms: Sequence[int]) -> Iterator[tuple[int, int]]:
    for bond in rdkit_io.bonds_of(query(reaction.product)):
        yield atoms[bond.GetBeginAtomIdx()], atoms[bond.GetEndAtomIdx()]


def _order(reaction: Reaction, atoms: Sequence[int], a: int, b: int) -> Any:
    """The bond of the product's pattern between two atoms; None where it has none."""
    if a not in atoms or b not in atoms:
        return None
    bond = query(reaction.product).GetBondBetweenAtoms(atoms.index(a), atoms.index(b))
    return (
        None if bond is None else {"=": Chem.BondType.DOUBLE, "#": Chem.BondType.TRIPLE}.get(bond.GetSmarts(), _SINGLE)
    )


def _rebond(joined: Any, a: int, b: int, order: Any) -> None:
    bond = joined.GetBondBetweenAtoms(a, b)
    if bond is not None:
        if (
            bond.GetBondType() == order
        ):  # one that is made anew changes the order of neighbours, on which chirality depends
            return
        joined.RemoveBond(a, b)
    if order is not None:
        joined.AddBond(a, b, order)


def _fragment(joined: Any, start: int, changed: Any) -> str | None:
    """The SMILES of the fragment with the atom ``start``, the hydrogens of changed atoms counted anew."""
    for i in range(joined.GetNumAtoms()):
        atom = joined.GetAtomWithIdx(i)
        if not atom.GetIsAromatic():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
    kept = next(part for part in Chem.GetMolFrags(joined) if start in part)
    if not set(changed) <= set(kept):
        return None
    for atom in sorted(set(range(joined.GetNumAtoms())) - set(kept), reverse=True):
        joined.RemoveAtom(atom)
    try:
        Chem.SanitizeMol(joined)
    except ValueError:
        return None
    return str(Chem.MolToSmiles(joined))
