"""Reactions to ask for: a named reaction, building blocks of the pool, and the one product that they certainly give."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.prompts.chemistry import pool
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.reactions import groups
from rlsf_lightning.symbolic.chemistry.reactions.outcome import NAMED_REACTIONS, certain_product
from rlsf_lightning.symbolic.chemistry.reactions.reaction import Reaction

#: Molecules that are tried for one reactant before a draw comes to nothing.
TRIES = 60
#: Products of more characters are left out.
LONGEST_PRODUCT = 80
_REACTIONS = tuple(NAMED_REACTIONS.values())
_HYDROXYL = r"(?<!=O\))O(?:\)|$)|\(O\)"
_CARBOXYL = r"C\(=O\)O(?:\)|$)"
_ALKYL_ESTER = r"C\(=O\)OCC?(?:\)|$)|^CC?OC\(=O\)"
_CARBONYL = r"C=O|C\(=O\)C|\d=O"
#: A site -> a regular expression of what the SMILES of molecules with it contain: a filter, so that few are looked at in vain.
_SPELT = {
    groups.ACID: _CARBOXYL,
    groups.ACID_WITH_OXYGEN: _CARBOXYL,
    groups.ACYL_CHLORIDE: r"C\(=O\)Cl",
    groups.SULFONYL_CHLORIDE: r"S\(=O\)\(=O\)Cl",
    groups.ALKYL_ESTER: _ALKYL_ESTER,
    groups.ALKYL_ESTER_WITH_OXYGEN: _ALKYL_ESTER,
    groups.ACID_LOSING_OXYGEN: _CARBOXYL,
    groups.ALCOHOL: _HYDROXYL,
    groups.PHENOL: _HYDROXYL,
    groups.PRIMARY_CARBINOL: r"CO(?:\)|$)",
    groups.PRIMARY_CARBINOL_LOSING_OXYGEN: r"CO(?:\)|$)",
    groups.SECONDARY_CARBINOL: _HYDROXYL,
    groups.PRIMARY_AMINE: r"N(?:\)|$)",
    groups.SECONDARY_AMINE: r"CN\d?C",
    groups.THIOL: r"S(?:\)|$)",
    groups.ALKYL_HALIDE: r"C(?:Br|I)",
    groups.ARYL_HALIDE: r"Br|I",
    groups.BORONIC_ACID: r"B\(",
    groups.TERMINAL_ALKYNE: r"C#C",
    groups.ALDEHYDE: r"C=O",
    groups.ALDEHYDE_LOSING_OXYGEN: r"C=O",
    groups.KETONE: _CARBONYL,
    groups.KETONE_LOSING_OXYGEN: _CARBONYL,
    groups.CARBONYL_LOSING_OXYGEN: _CARBONYL,
    groups.ALKENE: r"C=C",
    groups.NITRILE: r"C#N",
    groups.NITRILE_LOSING_NITROGEN: r"C#N",
    groups.ALKENE_NOT_CONJUGATED: r"C=C",
    groups.ANILINE: r"N(?:\)|$)",
    groups.ISOCYANATE: r"N=C=O",
    groups.ISOTHIOCYANATE: r"N=C=S",
    groups.AZIDE: r"\[N-\]",
    groups.NITROARENE: r"\[N\+\]",
    groups.ARYL_FLUORIDE: r"F.*\[N\+\]|\[N\+\].*F",
    groups.GRIGNARD_HALIDE: r"Br",
    groups.ACCEPTOR: r"C=CC\(=O\)[CO]|C=CC#N|C\(=O\)C=C",
    groups.TERMINAL_EPOXIDE: r"CO1|\(O1\)",
    groups.BOC_AMINE: r"OC\(=O\)N|NC\(=O\)OC\(C\)\(C\)C",
    groups.BENZYL_ETHER: r"OCC1=CC=CC=C1|C1=CC=C\(C=C1\)CO",
    groups.DIOXOLANE: r"OCCO1|1COC",
    groups.PRIMARY_AMIDE: r"C\(=O\)N(?:\)|$)",
    groups.ARYL_METHYL_ETHER: r"^COC1=|OC(?:\)|$)",
    groups.SULFIDE: r"S",
    groups.ALKYNE: r"C#C",
    groups.TERMINAL_ALKENE: r"C=C",
}


class Drawn(NamedTuple):
    """Canonical SMILES: one of each reactant, in the reaction's order; ``reagents`` with dots, perhaps empty."""

    reaction: str
    reactants: tuple[str, ...]
    reagents: str
    product: str


def draw(rng: random.Random) -> Drawn | None:
    """A named reaction on random molecules; None where the draw found no molecules for it, or no certain product."""
    reaction = rng.choice(_REACTIONS)
    reactants = []
    for role in range(len(reaction.reactants)):
        is_partner = reaction.partner is not None and role == len(reaction.reactants) - 1
        smiles = reaction.partner if is_partner else _reactant(rng, reaction, role)
        if smiles is None:
            return None
        reactants.append(smiles)
    reagents = rng.choice(reaction.reagents)
    product = certain_product(reaction, [pool.parsed(smiles) for smiles in reactants])
    if product is None or len(product) > LONGEST_PRODUCT:
        return None
    return Drawn(reaction.name, tuple(map(_canonical, reactants)), reagents, product)


def _reactant(rng: random.Random, reaction: Reaction, role: int) -> str | None:
    candidates = pool.matching(_SPELT.get(reaction.reactants[role], ""))
    return pool.drawn(rng, candidates, lambda smiles: _suits(reaction.name, role, smiles), TRIES)


@lru_cache(maxsize=400_000)
def _suits(name: str, role: int, smiles: str) -> bool:
    return NAMED_REACTIONS[name].has_one_site(role, pool.parsed(smiles))


def _canonical(smiles: str) -> str:
    return rdkit_io.canonical(pool.parsed(smiles))
