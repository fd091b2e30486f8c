"""The pairing of an answer's components with those of the reference, and what is wrong with each.

Equal components are paired first, then the most similar ones; one that is no molecule stands for any that is left. Every
mistake is located within its component; a component of the reference that nothing stands for has no place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rdkit import DataStructs

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import shifted
from rlsf_lightning.symbolic.chemistry.compare import Target, compare
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.validity import invalid
from rlsf_lightning.symbolic.verifiers.reaction.check.balance import Free
from rlsf_lightning.symbolic.verifiers.reaction.parse import Component, Sides

#: Pairs of components whose common substructure is looked for.
MAX_COMPARED = 8


class Matched(NamedTuple):
    """``known``: the molecule, None if the text is none. ``partner``: the place of a component in the reference."""

    component: Component
    known: Target | None
    partner: int | None
    equal: bool = False


class Explained(NamedTuple):
    """``free``: the atoms (as they are written) that stand for none of the reference, for each wrong component."""

    findings: list[Finding]
    free: Free
    witness: list[dict[str, Any]]


def match(components: Sequence[tuple[Component, Target | None]], sides: Sides) -> list[Matched]:
    """The components with their partners, no partner twice. Raises ToolFailed where it cannot be told which are equal."""
    molecules = [molecule for _, molecule in components]
    partner: dict[int, int] = {}
    left = dict(enumerate(sides.wanted))
    for i, molecule in enumerate(molecules):
        equal = next((j for j, target in left.items() if molecule and molecule.spells(target)), None)
        if equal is not None:
            partner[i] = equal
            del left[equal]
    is_equal = set(partner)
    unequal = [(i, molecule) for i, molecule in enumerate(molecules) if molecule is not None and i not in partner]
    ranked = sorted((-_likeness(molecule, target), i, j) for i, molecule in unequal for j, target in left.items())
    for _, i, j in ranked:
        if i not in partner and j in left:
            partner[i] = j
            del left[j]
    return [
        Matched(component, molecules[i], partner.get(i), i in is_equal) for i, (component, _) in enumerate(components)
    ]


def explain(matched: list[Matched], sides: Sides, seconds: float) -> Explained:
    """What is wrong with each component, and which are missing. ``seconds`` bounds all searches together; 0: none."""
    pairs = [m for m in matched if m.known is not None and m.partner is not None and not m.equal]
    compared = {m.component.start for m in pairs[:MAX_COMPARED]} if seconds > 0 else set()
    explained = Explained([], [], [])
    for one in matched:
        row: dict[str, Any] = {"span": [one.component.start, one.component.end], "reference": one.partner}
        findings = _of_component(one, sides, one.component.start in compared, seconds / max(1, len(compared)), row)
        row["findings"] = len(findings)
        explained.findings.extend(_dotted(findings, one.component, matched))
        explained.witness.append(row)
        if one.known is not None and not one.equal and [f.kind for f in findings] != ["wrong_stereo"]:
            mapped = {i for i, _ in row.get("mapping", ())}
            free = {i for i, atom in enumerate(read_smiles(one.component.text).atoms) if i not in mapped}
            explained.free.append((one.component, free))
    explained.findings.extend(_missing(matched, sides))
    return explained


def _likeness(a: Target, b: Target) -> float:
    return float(DataStructs.TanimotoSimilarity(a.fingerprint, b.fingerprint))


def _of_component(one: Matched, sides: Sides, compares: bool, seconds: float, row: dict[str, Any]) -> list[Finding]:
    """The findings of a component, spans within it; what stands in the witness goes to ``row``."""
    text, whole = one.component.text, (Span(0, len(one.component.text)),)
    if one.known is None:
        row["canonical"] = None
        return invalid(text) if text else [Finding("empty_component", "no component stands beside this dot")]
    row["canonical"] = one.known.canonical
    if one.equal:
        return []
    if one.partner is None:
        return [Finding("extra_component", "the reference has no such component, or no more of them", whole)]
    target = sides.wanted[one.partner]
    if not compares:
        return [Finding("other_molecule", f"a valid molecule, but not {target.canonical[:100]}", whole)]
    findings, further = compare(text, target, seconds)
    if "mapping" in further:
        row["mapping"] = further["mapping"]
        row["missing"] = _unmapped(target.smiles, {j for _, j in row["mapping"]})
    return [Finding(f.kind, f.message, whole) if f.kind == "other_molecule" else f for f in findings]


def _missing(matched: list[Matched], sides: Sides) -> list[Finding]:
    """A finding for each component of the reference that nothing stands for; what is no molecule stands for any."""
    taken = {one.partner for one in matched}
    left = [j for j in range(len(sides.wanted)) if j not in taken]
    broken = sum(one.known is None and one.component.text != "" for one in matched)
    named = [f"component {j + 1} of the reference: {sides.wanted[j].canonical[:100]}" for j in left]
    if broken:
        named = [f"one of these components of the reference: {' '.join(str(j + 1) for j in left[:20])}"] * len(left)
    return [Finding("missing_component", f"nothing stands for {name}") for name in named[broken:]]


def _unmapped(smiles: str, mapped: set[int]) -> list[int]:
    """The atoms, as they are written, that a mapping leaves out."""
    return [j for j in range(len(read_smiles(smiles).atoms)) if j not in mapped]


def _dotted(findings: list[Finding], component: Component, matched: list[Matched]) -> tuple[Finding, ...]:
    """The findings of a component as those of the answer: what is there for no reason goes with its dot."""
    first, last = matched[0].component, matched[-1].component
    before, after = component != first, component == first and component != last
    if [f.kind for f in findings] not in (["extra_component"], ["empty_component"]):
        return shifted(findings, component.start)
    span = Span(component.start - before, component.end + after)
    return tuple(Finding(f.kind, f.message, (span,), f.weight) for f in findings)
