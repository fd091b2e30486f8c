"""Repairs an answer by leaving out one token: those next to the first dead character are tried."""

from __future__ import annotations

import re
from collections import Counter

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.verifiers.reaction.check.components import Matched
from rlsf_lightning.symbolic.verifiers.reaction.parse import Sides, known

#: How far before the first dead character a token is looked for; all of a component where there is none.
_BEFORE = 24
#: Tokens that are left out in turn, at most.
_MAX_TRIALS = 60
_TOKEN = re.compile(r"\[[^\[\]]*\]|Cl|Br|%\([0-9]+\)|%[0-9][0-9]|.", re.ASCII)


def superfluous(matched: list[Matched], sides: Sides, dead: int | None) -> list[Finding]:
    """A finding for the token without which the answer is right, where one component is wrong and there is such a token."""
    wrong = [one for one in matched if not one.equal]
    left = set(range(len(sides.wanted))) - {one.partner for one in matched if one.equal}
    if (
        len(wrong) != 1
        or len(left) != 1
        or any(p.kind == "bad_bracket_atom" for p in read_smiles(wrong[0].component.text).problems)
    ):
        return []
    component, target = wrong[0].component, sides.wanted[left.pop()]
    at = None if dead is None else dead - component.start
    for start, end in _tokens(component.text, target, at):
        rest = known(component.text[:start] + component.text[end:])
        if rest is not None and rest.spells(target):
            span = Span(component.start + start, component.start + end)
            return [Finding("superfluous", "without this the answer is the reference", (span,))]
    return []


def _tokens(text: str, target: Target, dead: int | None) -> list[tuple[int, int]]:
    """The tokens whose loss would leave the atoms of the reference, those next to the first dead character first."""
    wanted = Counter(atom.GetSymbol() for atom in target.molecule.GetAtoms() if atom.GetAtomicNum() > 1)
    atoms = [atom for atom in read_smiles(text).atoms if atom.symbol != "H"]
    extra = Counter(atom.symbol for atom in atoms) - wanted
    if wanted - Counter(atom.symbol for atom in atoms) or extra.total() > 1:
        return []
    is_extra = {(atom.start, atom.end): atom.symbol in extra for atom in atoms}
    found = []
    for match in _TOKEN.finditer(text):
        is_near = dead is None or dead - _BEFORE <= match.start() <= dead
        if is_near and is_extra.get(match.span(), not extra and match[0][0] != "["):
            found.append(match.span())
    return found[::-1][:_MAX_TRIALS]
