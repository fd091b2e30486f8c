"""Molecules to a description: sentences made of facts that RDKit finds in real molecules."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.prompts.chemistry import pool
from rlsf_lightning.prompts.chemistry.wording import Fact, description
from rlsf_lightning.prompts.generated import Generated, Task
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import fact_of
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS
from rlsf_lightning.symbolic.verifiers.molecule.facts.measure import composition, measure

#: Facts on groups and rings in one description at most.
MOST_GROUPS = 4
_SUBJECTS = {
    **{name: ("functional_group", fact_of({"functional_group": name})) for name in FUNCTIONAL_GROUPS},
    **{name: ("ring", fact_of({"ring": name})) for name in RINGS},
}
#: Groups that a description may deny: those that many molecules have.
_DENIED = ("alcohol", "amide", "carboxylic acid", "ester", "ether", "ketone", "methyl", "primary amine")


def prompts(split: str) -> Generated:
    """``text``: the description; ``reference``: the molecule that it was made from, as canonical SMILES; any other will do.

    The facts are those of the verifier ``molecule``. Every description states how many atoms of each heavy element there
    are, and all molecules with the same ones fall into one split. Raises UserError for an unknown split, and where
    ``chemicals`` is missing.
    """
    return Generated("chem_molgen", _task, split)


class _Profile(NamedTuple):
    """``atoms``: of each element, hydrogen too; ``groups``: how many of each group and ring that there are."""

    canonical: str
    formula: str
    atoms: dict[str, int]
    groups: dict[str, int]
    rings: int
    weight: float


def _task(rng: random.Random) -> Task:
    profile = _profile(rng.choice(pool.molecules()))
    facts = _composition(rng, profile) + _groups(rng, profile) + _further(rng, profile)
    key = " ".join(f"{symbol}{count}" for symbol, count in sorted(profile.atoms.items()) if symbol != "H")
    return Task(description(rng, facts), profile.canonical, key=key, facts={"facts": facts})


@lru_cache(maxsize=50_000)
def _profile(smiles: str) -> _Profile:
    molecule = pool.parsed(smiles)
    counts = {name: len(measure(fact, molecule).matches) for name, (_, fact) in _SUBJECTS.items()}
    atoms = dict(composition(molecule))
    rings, weight = (
        measure(fact_of({"property": name, "min": 0}), molecule).found for name in ("rings", "molecular_weight")
    )
    assert not isinstance(rings, dict) and not isinstance(weight, dict), "properties are numbers"
    return _Profile(
        rdkit_io.canonical(molecule),
        "".join(f"{symbol}{count if count > 1 else ''}" for symbol, count in _hill_order(atoms)),
        atoms,
        {name: count for name, count in counts.items() if count},
        int(rings),
        float(weight),
    )


def _hill_order(atoms: dict[str, int]) -> list[tuple[str, int]]:
    """Carbon, hydrogen, then the others by symbol, as formulas are written."""
    return sorted(atoms.items(), key=lambda item: ({"C": 0, "H": 1}.get(item[0], 2), item[0]))


def _composition(rng: random.Random, profile: _Profile) -> list[Fact]:
    """The formula, or the number of atoms of each heavy element."""
    if rng.random() < 0.6:
        return [{"formula": profile.formula}]
    heavy = [(symbol, count) for symbol, count in _hill_order(profile.atoms) if symbol != "H"]
    facts: list[Fact] = [{"element": symbol, "count": count} for symbol, count in heavy]
    if rng.random() < 0.5:
        facts.append({"property": "heavy_atoms", "count": sum(count for _, count in heavy)})
    return facts


def _groups(rng: random.Random, profile: _Profile) -> list[Fact]:
    names = sorted(profile.groups)
    chosen = rng.sample(names, min(len(names), rng.randint(1, MOST_GROUPS)))
    facts: list[Fact] = []
    for name in chosen:
        fact, count, manner = {_SUBJECTS[name][0]: name}, profile.groups[name], rng.random()
        facts.append(fact | ({"count": count} if manner < 0.5 else {"min": count} if manner < 0.7 else {}))
    return facts


def _further(rng: random.Random, profile: _Profile) -> list[Fact]:
    """A group that is not there, the number of rings, and a range of the weight, each now and then."""
    facts: list[Fact] = []
    absent = [name for name in _DENIED if name not in profile.groups]
    if absent and rng.random() < 0.2:
        facts.append({"functional_group": rng.choice(absent), "count": 0})
    if rng.random() < 0.3:
        facts.append({"property": "rings", "count": profile.rings})
    if rng.random() < 0.15:
        low = int(profile.weight) // 10 * 10
        facts.append({"property": "molecular_weight", "min": low, "max": low + 10})
    return facts
