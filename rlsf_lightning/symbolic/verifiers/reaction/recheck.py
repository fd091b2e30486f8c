"""A second opinion on a certificate about a reaction, by other means than those that made it.

Molecules are compared by matching one onto the other instead of by canonical SMILES, atoms are counted in the text instead of
in the molecule, similarities are added up by hand, and a first dead character is tried out. The findings within a
component go to the second opinion on SMILES.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import fingerprint
from rlsf_lightning.symbolic.chemistry.spans import MAX_FINDINGS, is_bad, shifted
from rlsf_lightning.symbolic.chemistry.validity import invalid
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.reaction.isomorphism import same_molecule, similarity
from rlsf_lightning.symbolic.verifiers.reaction.recheck_books import books_stand
from rlsf_lightning.symbolic.verifiers.reaction.recheck_dead import dead_end_stands, dead_stands
from rlsf_lightning.symbolic.verifiers.reaction.recheck_mapping import differences_stand
from rlsf_lightning.symbolic.verifiers.reaction.task import Component, Task, components_of, known, task_of
from rlsf_lightning.symbolic.verifiers.smiles.recheck import stands as component_stands


class Verifier(Protocol):
    """What is asked of the verifier."""

    max_chars: int

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether some continuation passes."""
        ...


class _Row(NamedTuple):
    """A component, and what stands in the witness on it. ``equal``: it is the component of the reference at ``partner``."""

    component: Component
    molecule: Any | None
    partner: int | None
    equal: bool
    witness: dict[str, Any]


def stands(certificate: Certificate, prompt: Prompt, completion: str, verifier: Verifier) -> bool:
    """Whether nothing is found against the certificate."""
    task = task_of(prompt)
    if certificate.verdict is Verdict.ABSTAIN:
        failed = str(certificate.witness.get("error", "")).startswith("RDKit")
        return failed and not certificate.findings and certificate.dead_from is None
    if isinstance(task, str) or any(finding.weight != 1.0 for finding in certificate.findings):
        return False
    text, offset = stripped(completion)
    if not text or len(text) > verifier.max_chars or any(map(is_bad, text)):
        return _refusal_stands(certificate, text, offset, verifier.max_chars) and dead_stands(
            certificate, prompt, completion, verifier.viable
        )
    rows = _rows(certificate.witness.get("components"), text, task)
    if rows is None:
        return False
    is_right = len(rows) == len(task.wanted) and all(row.equal for row in rows)
    if is_right or certificate.verdict is Verdict.PASS:
        is_plain = all(row.witness["findings"] == 0 for row in rows)
        right = is_right and is_plain and certificate.verdict is Verdict.PASS
        return right and books_stand(certificate, [], _texts(rows), task, 0)
    return (
        _findings_stand(certificate, rows, task, text, offset)
        and abs(certificate.score - _score(rows, task)) < 1e-9
        and dead_stands(certificate, prompt, completion, verifier.viable)
    )


def _refusal_stands(certificate: Certificate, text: str, offset: int, max_chars: int) -> bool:
    """What is refused without a look at its components."""
    if certificate.verdict is not Verdict.FAIL or certificate.score or certificate.witness:
        return False
    if len(certificate.findings) != 1:
        return False
    (finding,) = certificate.findings
    blamed = [at - offset for span in finding.spans for at in range(span.start, span.end)]
    if not text:
        return finding.kind == "empty" and not finding.spans
    if len(text) > max_chars:
        return finding.kind == "too_long" and blamed == list(range(max_chars, len(text)))
    return finding.kind == "bad_character" and blamed == [i for i, character in enumerate(text) if is_bad(character)]


def _rows(witness: Any, text: str, task: Task) -> list[_Row] | None:
    """The components with what the witness says of them; None if that is not so."""
    components = components_of(text)
    if not isinstance(witness, list) or len(witness) != len(components):
        return None
    left = dict(enumerate(task.wanted))
    rows = []
    for component, row in zip(components, witness, strict=True):
        target = known(component.text)
        molecule = None if target is None else target.molecule
        partner, canonical = row.get("reference"), row.get("canonical")
        if row.get("span") != [component.start, component.end] or type(row.get("findings")) is not int:
            return None
        if partner is not None and (type(partner) is not int or partner not in range(len(task.wanted))):
            return None
        if canonical != (None if molecule is None else rdkit_io.canonical(molecule)):
            return None
        same = [j for j, target in left.items() if molecule and same_molecule(component.text, target.smiles)]
        if same:
            if partner is None or partner not in same:
                return None
            left.pop(partner)
        rows.append(_Row(component, molecule, partner, bool(same), row))
    return rows if _partners_stand(rows, list(left), task) else None


def _partners_stand(rows: list[_Row], left: list[int], task: Task) -> bool:
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
    prints = {j: fingerprint(task.wanted[j].molecule) for j in left}

    def likeness(row: _Row, j: int) -> float:
        return similarity([fingerprint(row.molecule)], [prints[j]])

    for row in able:
        own = -1.0 if row.partner is None else likeness(row, row.partner)
        for j in left:
            its = likeness(takers[j], j) if j in takers else -1.0
            if likeness(row, j) > max(own, its) + 1e-9:
                return False
    return True


def _findings_stand(certificate: Certificate, rows: list[_Row], task: Task, text: str, offset: int) -> bool:
    """Findings come in the order of the components, as many as the witness says, then those of the whole answer."""
    findings = list(certificate.findings)
    is_cut = len(findings) > MAX_FINDINGS
    rest = findings[:-1] if is_cut else findings
    for row in rows:
        mine, rest = rest[: row.witness["findings"]], rest[row.witness["findings"] :]
        if len(mine) < row.witness["findings"] and is_cut:
            break
        if len(mine) != row.witness["findings"] or not _component_stands(row, mine, rows, task, offset):
            return False
    if is_cut:
        return certificate.findings[-1].message.startswith("and ")
    if rest and rest[-1].kind == "dead_end":
        *rest, dead_end = rest
        if not dead_end_stands(certificate, dead_end, text, offset):
            return False
    if rest and rest[-1].kind == "superfluous":
        *rest, superfluous = rest
        if not _is_superfluous(superfluous, rows, task, offset):
            return False
    missing = [f for f in rest if f.kind == "missing_component" and not f.spans]
    stand_for_one = sum(row.partner is not None or (row.molecule is None and row.component.text != "") for row in rows)
    if len(missing) != max(0, len(task.wanted) - stand_for_one):
        return False
    wrong = [(row.component, {i for i, _ in row.witness.get("mapping", ())}) for row in rows if not row.equal]
    return books_stand(certificate, [f for f in rest if f not in missing], _texts(rows), task, offset, wrong)


def _component_stands(row: _Row, mine: list[Finding], rows: list[_Row], task: Task, offset: int) -> bool:
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
        return differences_stand(mine, component.text, start, task.wanted[row.partner].smiles, row.witness)
    # Which atoms have too many bonds, or cannot be kekulised, nobody else knows: RDKit is asked once more.
    if tuple(mine) != shifted(invalid(component.text), start):
        return False
    return component_stands(Certificate(Verdict.FAIL, tuple(mine)), component.text, start, None)


def _is_superfluous(finding: Finding, rows: list[_Row], task: Task, offset: int) -> bool:
    """Whether the one component that is not right is without this the one that is left of the reference."""
    wrong = [row.component for row in rows if not row.equal]
    left = set(range(len(task.wanted))) - {row.partner for row in rows if row.equal}
    if len(wrong) != 1 or len(left) != 1 or len(finding.spans) != 1:
        return False
    start, end = (at - offset - wrong[0].start for at in (finding.spans[0].start, finding.spans[0].end))
    if not 0 <= start < end <= len(wrong[0].text):
        return False
    return same_molecule(wrong[0].text[:start] + wrong[0].text[end:], task.wanted[left.pop()].smiles)


def _texts(rows: Sequence[_Row]) -> list[str] | None:
    """The components, if all are molecules."""
    return [row.component.text for row in rows] if all(row.molecule is not None for row in rows) else None


def _score(rows: list[_Row], task: Task) -> float:
    """Of an answer that is not right."""
    if any(row.molecule is None for row in rows):
        return 0.0
    ours = [fingerprint(row.molecule) for row in rows]
    theirs = [fingerprint(target.molecule) for target in task.wanted]
    return min(MOST_WITHOUT_PASS, similarity(ours, theirs))
