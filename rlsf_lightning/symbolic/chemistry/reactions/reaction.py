"""A named reaction: its sites in given reactants, and the products that its reaction SMARTS makes of them.

Every call bounds its matches, and molecules come from SMILES of bounded length. Whether a product is certain is for
``outcome`` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdChemReactions

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.reactions.groups import ALWAYS, COMPETING

#: Matches of one pattern, and products of one run, that are looked at.
MAX_MATCHES = 200


@dataclass(frozen=True)
class Reaction:
    """``reactants``: a SMARTS each; atoms with a map number are those of ``product``, the others leave."""

    name: str
    reactants: tuple[str, ...]
    product: str
    #: What is added and adds no atom that is followed: alternatives, each a SMILES with dots; "" for nothing.
    reagents: tuple[str, ...]
    #: Names of ``COMPETING`` that make the product uncertain, beside ``ALWAYS``.
    competing: tuple[str, ...] = ()
    #: The last reactant, where it is always this molecule.
    partner: str | None = None

    @property
    def smarts(self) -> str:
        """The reaction SMARTS."""
        return f"{'.'.join(self.reactants)}>>{self.product}"

    def sites(self, role: int, molecule: Any) -> list[tuple[int, ...]]:
        """The atoms of every match of one reactant's pattern, each set of atoms once."""
        return list(molecule.GetSubstructMatches(query(self.reactants[role]), maxMatches=MAX_MATCHES))

    def has_one_site(self, role: int, molecule: Any) -> bool:
        """Whether the molecule can react as this reactant at one place only, as no other one, and nothing competes."""
        sites = self.sites(role, molecule)
        if len(sites) != 1:
            return False
        if any(self.sites(other, molecule) for other in range(len(self.reactants)) if other != role):
            return False
        site = set(sites[0])
        return not any(site.isdisjoint(match) for group in self.rivals for match in _matches(group, molecule))

    @property
    def rivals(self) -> tuple[str, ...]:
        """The names of all groups that may not stand beside a site."""
        return (*self.competing, *(group for group in ALWAYS if group not in self.competing))

    def products(self, molecules: Sequence[Any]) -> list[str]:
        """The distinct products of reactants in the order of ``reactants``, as canonical SMILES."""
        with rdkit_io.quiet():
            runs = _compiled(self.smarts).RunReactants(tuple(map(_plain, molecules)), maxProducts=MAX_MATCHES)
            made = [_sanitised(product) for (product,) in runs]
        return sorted({smiles for smiles in made if smiles is not None})

    def orders(self, molecules: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The orders in which each of the molecules can be one of the reactants."""
        if len(molecules) != len(self.reactants):
            return []
        return [
            order
            for order in permutations(molecules)
            if all(molecule.HasSubstructMatch(query(self.reactants[i])) for i, molecule in enumerate(order))
        ]


@lru_cache(maxsize=1024)
def query(smarts: str) -> Any:
    """The compiled SMARTS."""
    return Chem.MolFromSmarts(smarts)


@lru_cache(maxsize=256)
def _compiled(smarts: str) -> Any:
    reaction = rdChemReactions.ReactionFromSmarts(smarts)
    reaction.Initialize()
    return reaction


def _matches(group: str, molecule: Any) -> Any:
    return molecule.GetSubstructMatches(query(COMPETING[group]), maxMatches=MAX_MATCHES)


def _plain(molecule: Any) -> Any:
    """A copy whose atoms count their hydrogens anew: those of a bracket would stay as they are."""
    copy = Chem.Mol(molecule)
    for atom in rdkit_io.atoms_of(copy):
        if not atom.GetIsAromatic() and not atom.GetNumRadicalElectrons():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
    copy.UpdatePropertyCache(strict=False)
    return copy


def _sanitised(product: Any) -> str | None:
    try:
        Chem.SanitizeMol(product)
    except ValueError:  # not every match of a pattern leaves possible valences
        return None
    return rdkit_io.canonical(product)
