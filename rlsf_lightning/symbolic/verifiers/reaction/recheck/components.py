"""A second opinion on the components of an answer, their pairing with the reference and the findings in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.certificates import shifted
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import fingerprint
from rlsf_lightning.symbolic.chemistry.crosscheck import agrees_with_text
from rlsf_lightning.symbolic.chemistry.validity import invalid
from rlsf_lightning.symbolic.verifiers.reaction.parse import Component, Sides, components_of, known
from rlsf_lightning.symbolic.verifiers.reaction.recheck.isomorphism import same_molecule, similarity
from rlsf_lightning.symbolic.verifiers.reaction.recheck.mapping import differences_stand


class Row(NamedTuple):
    """A component, and what stands in the witness on it. ``equal``: it is the component of the reference at ``partner``."""

    component: Component
    molecule: Any | None
    partner: int | None
    equal: bool
    witness: dict[str, Any]


def rows_of(witness: Any, text: str, sides: Sides) -> list[Row] | None:
    """The components with what the witness says of them; None if that is not so."""
    components = components_of(text)
    if not isinstance(witness, list) or len(witness) != len(components):
        return None
    left = dict(enumerate(sides.wanted))
    rows = []
    for component, row in zip(components, witness, strict=True):
        target = known(component.text)
        molecule = None if target is None else target.molecule
        partner, canonical = row.get("reference"), row.get("canonical")
        if row.get("span") != [component.start, component.end] or type(row.get("findings")) is not int:
            return None
        if partner is not None and (type(partner) is not int or partner not in range(len(sides.wanted))):
            return None
        if canonical != (None if molecule is None else rdkit_io.canonical(molecule)):
            return None
        same = [j for j, target in left.items() if molecule and same_molecule(component.text, target.smiles)]
        if same:
            if partner is None or partner not in same:
                return None
            left.pop(partner)
        rows.append(Row(component, molecule, partner, bool(same), row))
    return rows if _partners_stand(rows, list(left), sides) else None


def _partners_stand(rows: list[Row], left: list[int], sides: Sides) -> bool:
    """The molecules that are not right take what is left of the reference, each once, and none would rather have another
    one that would rather have it."""
    others = [row for row in rows if not row.equal]
    takers = {row.partner: row for row in others if row.partner is not None}
    able = [row for row in others if row.molecule is not None]
    if len(takers) != min(len(able), len(left)) or not takers.keys() <= set(left):
        return False
    taken = [row.partner for row in others if row.partner is not None]
    if len(taken) != len(takers) or any(row.molecule is None for row in takers.values()):
        return False
    prints = {j: fingerprint(sides.wanted[j].molecule) for j in left}

    def likeness(row: Row, j: int) -> float:
        return similarity([fingerprint(row.molecule)], [prints[j]])

    for row in able:
        own = -1.0 if row.partner is None else likeness(row, row.partner)
        for j in left:
            its = likeness(takers[j], j) if j in takers else -1.0
            if likeness(row, j) > max(own, its) + 1e-9:
                return False
    return True


def component_stands(row: Row, mine: list[Finding], rows: list[Row], sides: Sides, offset: int) -> bool:
    """Whether the findings of one component do."""
    component = row.component
    start, end = component.start + offset, component.end + offset
    if row.equal:
        return not mine and row.witness.keys() <= {"span", "reference", "canonical", "findings"}
    if not component.text or (row.partner is None and row.molecule is not None):
        kind = "extra_component" if component.text else "empty_component"
        is_first, is_last = row is rows[0], row is rows[-1]
        with_dot = Span(start - (not is_first), end + (is_first and not is_last))
        return [(f.kind, f.spans) for f in mine] == [(kind, (with_dot,))]
    if not mine or any(not start <= span.start <= span.end <= end for f in mine for span in f.spans):
        return False
    if [f.kind for f in mine] == ["other_molecule"]:
        return row.molecule is not None and mine[0].spans == (Span(start, end),)
    if row.partner is not None and row.molecule is not None:
        return differences_stand(mine, component.text, start, sides.wanted[row.partner].smiles, row.witness)
    # Which atoms have too many bonds, or cannot be kekulised, nobody else knows: RDKit is asked once more.
    if tuple(mine) != shifted(invalid(component.text), start):
        return False
    return agrees_with_text(Certificate(Verdict.FAIL, tuple(mine)), component.text, start, None)


def is_superfluous(finding: Finding, rows: list[Row], sides: Sides, offset: int) -> bool:
    """Whether the one component that is not right is without this the one that is left of the reference."""
    wrong = [row.component for row in rows if not row.equal]
    left = set(range(len(sides.wanted))) - {row.partner for row in rows if row.equal}
    if len(wrong) != 1 or len(left) != 1 or len(finding.spans) != 1:
        return False
    start, end = (at - offset - wrong[0].start for at in (finding.spans[0].start, finding.spans[0].end))
    if not 0 <= start < end <= len(wrong[0].text):
        return False
    return same_molecule(wrong[0].text[:start] + wrong[0].text[end:], sides.wanted[left.pop()].smiles)


def texts_of(rows: Sequence[Row]) -> list[str] | None:
    """The components, if all are molecules."""
    return [row.component.text for row in rows] if all(row.molecule is not None for row in rows) else None


def score_of(rows: list[Row], sides: Sides) -> float:
    """Of an answer that is not right."""
    if any(row.molecule is None for row in rows):
        return 0.0
    ours = [fingerprint(row.molecule) for row in rows]
    theirs = [fingerprint(target.molecule) for target in sides.wanted]
    return min(MOST_WITHOUT_PASS, similarity(ours, theirs))
