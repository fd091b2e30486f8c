"""All named reactions, and what they make of given molecules: certainly one product, or none, or it cannot be told.

A product is certain where every reactant has one site for the reaction and nothing beside it competes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from rlsf_lightning.symbolic.chemistry.compare import Target, target_of
from rlsf_lightning.symbolic.chemistry.reactions.conversions import EXCHANGES, OXIDATIONS, REDUCTIONS
from rlsf_lightning.symbolic.chemistry.reactions.couplings import ACYLATIONS, ALKYLATIONS, CARBON_BONDS
from rlsf_lightning.symbolic.chemistry.reactions.reaction import Reaction

#: name -> reaction.
NAMED_REACTIONS = {
    each.name: each
    for table in (ACYLATIONS, ALKYLATIONS, CARBON_BONDS, OXIDATIONS, REDUCTIONS, EXCHANGES)
    for each in table
}
#: Reactants of a named reaction at most.
MOST_REACTANTS = max(len(each.reactants) for each in NAMED_REACTIONS.values())


class Outcome(NamedTuple):
    """``reaction``: one that leads to the product, by name. ``doubt``: why it cannot be told. Both None: none leads there."""

    reaction: str | None = None
    doubt: str | None = None


def certain_product(reaction: Reaction, molecules: Sequence[Any]) -> str | None:
    """The canonical SMILES of the one product of reactants in the reaction's order; None where that is not certain."""
    if not all(reaction.has_one_site(role, molecule) for role, molecule in enumerate(molecules)):
        return None
    products = reaction.products(molecules)
    return products[0] if len(products) == 1 else None


def outcome(components: Sequence[Target], product: Target, names: Collection[str]) -> Outcome:
    """Whether one of the named reactions makes exactly this product of all these components together."""
    molecules = [component.molecule for component in components]
    if any(atom.GetAtomMapNum() or atom.GetNumRadicalElectrons() for each in molecules for atom in each.GetAtoms()):
        return Outcome()
    doubt = None
    for name in names:
        reaction = NAMED_REACTIONS[name]
        for order in reaction.orders(molecules):
            found = _reaches(reaction, order, product)
            if found.reaction:
                return found
            doubt = doubt or found.doubt
    return Outcome(doubt=doubt)


def _reaches(reaction: Reaction, order: Sequence[Any], product: Target) -> Outcome:
    products = [target for target in map(target_of, reaction.products(order)) if target is not None]
    if any(each.spells(product) for each in products):
        if certain_product(reaction, order) is not None:
            return Outcome(reaction.name)
        return Outcome(doubt=f"{reaction.name}: other products, or a group that competes")
    if any(each.flat == product.flat for each in products):
        return Outcome(doubt=f"{reaction.name}: the stereochemistry of its product")
    return Outcome()
