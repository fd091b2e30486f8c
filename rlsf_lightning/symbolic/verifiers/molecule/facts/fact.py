"""A fact that a description states of a molecule, read from JSON and checked word by word. Nothing is measured here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rdkit import Chem

from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS

#: ``{"property": NAME}``. Rings are independent cycles; stereocentres are the tetrahedral ones whose configuration is given.
PROPERTIES = ("charge", "fragments", "heavy_atoms", "molecular_weight", "rings", "stereocentres")
SUBJECTS = ("functional_group", "ring", "element", "smarts", "formula", "property")
MAX_SMARTS = 200
_BOUNDS = ("count", "min", "max")
_LARGEST = 100_000
EXAMPLE = 'write "facts": [{"functional_group": "carboxylic acid", "count": 1}]'
_FORMULA = re.compile(r"((?:[A-Z][a-z]?[0-9]{0,4})+)(?:([+-])([0-9]{0,2}))?", re.ASCII)
_TERM = re.compile(r"([A-Z][a-z]?)([0-9]*)", re.ASCII)


@dataclass(frozen=True)
class Formula:
    """Atoms of each element (hydrogen too), and the charge."""

    counts: tuple[tuple[str, int], ...]
    charge: int


@dataclass(frozen=True)
class Fact:
    """One statement. It holds if what is counted is from ``low`` to ``high``; a formula must be equal."""

    subject: str
    name: str
    low: float = -math.inf
    high: float = math.inf
    #: What defines a group, a ring or a substructure.
    smarts: str = ""
    formula: Formula | None = None

    def stated(self) -> dict[str, Any]:
        """As JSON, in the words of the prompt."""
        fact: dict[str, Any] = {self.subject: self.name}
        if self.low == self.high:
            return fact | {"count": self.low}
        bounds = {"min": self.low, "max": self.high}
        return fact | {key: value for key, value in bounds.items() if math.isfinite(value)}


def fact_of(given: object) -> Fact:
    """The fact that one JSON object states. Raises UserError for what is not in the vocabulary."""
    if not isinstance(given, dict):
        raise UserError(f"the fact {str(given)[:100]} is no mapping; {EXAMPLE}")
    subjects = [key for key in given if key in SUBJECTS]
    unknown = [key for key in given if key not in (*SUBJECTS, *_BOUNDS)]
    if unknown or len(subjects) != 1:
        hint = did_you_mean(unknown[0], (*SUBJECTS, *_BOUNDS)) if unknown else ""
        raise UserError(
            f"the fact {str(given)[:100]} must have one of {', '.join(SUBJECTS)} and perhaps {', '.join(_BOUNDS)}{hint}; "
            f"{EXAMPLE}"
        )
    subject = subjects[0]
    name = given[subject]
    if not isinstance(name, str):
        raise UserError(f"the fact {str(given)[:100]}: `{subject}` must be a text; {EXAMPLE}")
    if subject == "formula":
        if len(given) > 1:
            raise UserError(f"the fact {str(given)[:100]}: a formula has no count; write {{'formula': 'C9H8O4'}}")
        return Fact(subject, name, formula=_formula(name))
    smarts = _smarts(subject, name)
    low, high = _bounds(given, subject, name)
    return Fact(subject, name, low, high, smarts)


def _smarts(subject: str, name: str) -> str:
    """What defines the named thing, after a check that there is such a thing."""
    if subject == "smarts":
        with rdkit_io.quiet():
            pattern = Chem.MolFromSmarts(name) if name.isascii() and len(name) <= MAX_SMARTS else None
        if pattern is None or not pattern.GetNumAtoms():
            raise UserError(
                f"RDKit does not read the SMARTS {name[:100]!r} (at most {MAX_SMARTS} characters); "
                'write {"smarts": "[CX3]=[OX1]"}'
            )
        return name
    known: Mapping[str, Any] = {
        "functional_group": FUNCTIONAL_GROUPS,
        "ring": RINGS,
        "element": dict.fromkeys(ELEMENTS[1:]),
        "property": dict.fromkeys(PROPERTIES),
    }[subject]
    if name not in known:
        listed = f" (there are {', '.join(known)})" if subject != "element" else ""
        other = '; or write {"smarts": ...}' if subject in ("functional_group", "ring") else ""
        raise UserError(f"molecule knows no {subject} {name[:50]!r}{did_you_mean(name, list(known))}{listed}{other}")
    return known[name].smarts if known[name] is not None else ""


def _bounds(given: dict[str, Any], subject: str, name: str) -> tuple[float, float]:
    """(low, high)."""
    is_weight = subject == "property" and name == "molecular_weight"
    for key in _BOUNDS:
        value = given.get(key, 0)
        is_number = isinstance(value, int | float if is_weight else int) and not isinstance(value, bool)
        least = -_LARGEST if name == "charge" else 0
        if not is_number or not least <= value <= _LARGEST:
            kind = "a number" if is_weight else "a whole number"
            raise UserError(f"the fact {str(given)[:100]}: `{key}` must be {kind} of at least {least}")
    if "count" in given:
        if is_weight or "min" in given or "max" in given:
            raise UserError(
                f'the fact {str(given)[:100]}: write either "count" or "min" and "max" (a weight has a range)'
            )
        return given["count"], given["count"]
    if subject == "property" and "min" not in given and "max" not in given:
        raise UserError(f'the fact {str(given)[:100]} states nothing; write {{"property": "rings", "count": 2}}')
    if subject == "property":
        low, high = given.get("min", -math.inf), given.get("max", math.inf)
    else:
        low, high = given.get("min", 0 if "max" in given else 1), given.get("max", math.inf)
    if low > high:
        raise UserError(f"the fact {str(given)[:100]}: `min` is above `max`")
    return low, high


def _formula(text: str) -> Formula:
    match = _FORMULA.fullmatch(text)
    counts: dict[str, int] = {}
    for symbol, number in _TERM.findall(match[1]) if match else ():
        counts[symbol] = counts.get(symbol, 0) + int(number or 1)
    if match is None or not counts.keys() <= set(ELEMENTS[1:]):
        raise UserError(f'{text[:50]!r} is no formula; write {{"formula": "C9H8O4"}}, or "C2H3O2-" for an ion')
    charge = int(match[3] or 1) if match[2] else 0
    return Formula(tuple(counts.items()), -charge if match[2] == "-" else charge)
