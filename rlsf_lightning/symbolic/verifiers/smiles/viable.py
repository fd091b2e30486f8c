"""Viable prefixes of a SMILES, and the first dead character of a wrong one, with a reference and without.

With a reference a prefix is embedded in it; without one, syntax and counting bonds say what is dead, and endings that make
a molecule what is viable.
"""

from __future__ import annotations

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.embedding import viable as embedding
from rlsf_lightning.symbolic.chemistry.embedding.reference import known_reference
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from, dead_from, endings
from rlsf_lightning.symbolic.chemistry.validity import Limits, valid_molecule, wildcards_and_radicals
from rlsf_lightning.symbolic.verifiers.smiles.parse import parse_prefix
from rlsf_lightning.symbolic.verifiers.smiles.task import Task


def is_viable(prefix: str, task: Task, limits: Limits) -> bool | None:
    """Whether ``prefix``, or some continuation of it, passes; None: cannot tell."""
    parsed = parse_prefix(prefix, limits)
    if parsed is None:
        return False
    try:
        target = task.target(limits.elements)
    except ToolFailed:
        return None
    if parsed.is_ended:
        return _passes(parsed.text, target, limits)
    if target is None:
        return _is_viable_alone(parsed.text, limits)
    return embedding.is_viable(known_reference(target.smiles), parsed.text)


def first_dead(text: str, target: Target | None, limits: Limits) -> int | None:
    """Offset in ``text`` of its first dead character; its length where only the end is wrong; None: cannot tell."""

    def dead_of(legible: str) -> int | None:
        if target is None:
            return _dead_alone(legible, limits)
        return embedding.find_death(known_reference(target.smiles), legible).at

    def passes(legible: str) -> bool:
        return _passes(legible, target, limits) is True

    return dead_from(text, limits.max_chars, dead_of, passes)


def _passes(text: str, target: Target | None, limits: Limits) -> bool | None:
    """Whether ``text`` passes; None: cannot tell."""
    molecule = valid_molecule(text, limits)
    if molecule is None:
        return False
    if target is None:
        return not wildcards_and_radicals(text, molecule)
    try:
        return target.is_spelt_by(text, rdkit_io.canonical(molecule))
    except ToolFailed:
        return None


def _dead_alone(text: str, limits: Limits) -> int | None:
    """The first dead character where there is no reference."""
    certain = _certainly_dead_from(text, limits)
    if certain is not None:
        return certain
    return len(text) if _is_viable_alone(text, limits) else None


def _is_viable_alone(text: str, limits: Limits) -> bool | None:
    """Whether some ending gives a molecule: False and True are certain."""
    if _certainly_dead_from(text, limits) is not None:
        return False
    return True if any(_passes(text + ending, None, limits) for ending in endings(read_smiles(text))) else None


def _certainly_dead_from(text: str, limits: Limits) -> int | None:
    read = read_smiles(text)
    found = (certainly_dead_from(read), limits.elements.dead_from(read, len(text)))
    return min((at for at in found if at is not None), default=None)
