"""Which component of an answer stands for which one of the reference, and what is wrong with each.

Equal components are paired first, then the most similar ones; one that is no molecule stands for any that is left. Every
mistake is located within its component; a component of the reference that nothing stands for has no place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rdkit import DataStructs

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.compare import Target, compare
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.spans import atom_spans, shifted
from rlsf_lightning.symbolic.chemistry.validity import invalid
from rlsf_lightning.symbolic.verifiers.reaction.task import Component, Task, components_of, known

#: Pairs of components whose common substructure is looked for.
MAX_COMPARED = 8


class Matched(NamedTuple):
    """``known``: the molecule, None if the text is none. ``partner``: the place of a component in the reference."""

    component: Component
    known: Target | None
    partner: int | None
    equal: bool = False


class Explained(NamedTuple):
    """``free``: the atoms (as they are written) that stand for none of the reference, for each component with any."""

    findings: list[Finding]
    free: list[tuple[Component, set[int]]]
    witness: list[dict[str, Any]]


def match(text: str, task: Task) -> list[Matched]:
    """The components of ``text`` with their partners, no partner twice."""
    components = components_of(text)
    molecules = [known(component.text) for component in components]
    partner: dict[int, int] = {}
    left = dict(enumerate(task.wanted))
    for i, molecule in enumerate(molecules):
        equal = next((j for j, target in left.items() if molecule and molecule.canonical == target.canonical), None)
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
    return [Matched(component, molecules[i], partner.get(i), i in is_equal) for i, component in enumerate(components)]


def explain(matched: list[Matched], task: Task, seconds: float) -> Explained:
    """What is wrong with each component, and which are missing. ``seconds`` bounds all searches together; 0: none."""
    pairs = [m for m in matched if m.known is not None and m.partner is not None and not m.equal]
    compared = {m.component.start for m in pairs[:MAX_COMPARED]} if seconds > 0 else set()
    explained = Explained([], [], [])
    for one in matched:
        row: dict[str, Any] = {"span": [one.component.start, one.component.end], "reference": one.partner}
        findings = _of_component(one, task, one.component.start in compared, seconds / max(1, len(compared)), row)
        row["findings"] = len(findings)
        explained.findings.extend(_dotted(findings, one.component, matched))
        explained.witness.append(row)
        if one.known is not None and not one.equal and [f.kind for f in findings] != ["wrong_stereo"]:
            mapped = {i for i, _ in row.get("mapping", ())}
            free = {i for i, atom in enumerate(read_smiles(one.component.text).atoms) if i not in mapped}
            explained.free.append((one.component, free))
    explained.findings.extend(_missing(matched, task))
    return explained


def _likeness(a: Target, b: Target) -> float:
    return float(DataStructs.TanimotoSimilarity(a.fingerprint, b.fingerprint))


def unsupplied_atoms(excess: dict[str, int], free: list[tuple[Component, set[int]]]) -> list[Finding]:
    """A finding for each element of which there are too many atoms, at those that could be the ones too many."""
    findings = []
    for symbol, count in sorted(excess.items()):
        spans: list[Span] = []
        for component, atoms in free:
            read = read_smiles(component.text)
            of_it = [i for i in atoms if read.atoms[i].symbol == symbol]
            spans += [span for f in shifted([_at(read, of_it)], component.start) for span in f.spans]
        message = f"the reactants have {count} {symbol} less than this answer"
        findings.append(Finding("unsupplied_atoms", message, tuple(spans)))
    return findings


def charge_imbalance(excess: int, free: list[tuple[Component, set[int]]]) -> list[Finding]:
    """The finding for a charge that the given side has not, at the charges of that sign that no neighbour makes up for."""
    if excess == 0:
        return []
    spans: list[Span] = []
    for component, _ in free:
        read = read_smiles(component.text)
        if sum(atom.charge for atom in read.atoms) * excess > 0:
            spans += [s for f in shifted([_at(read, _lone_charges(read, excess))], component.start) for s in f.spans]
    return [Finding("charge_imbalance", f"a charge of {excess:+d} against the other side", tuple(spans))]


def _lone_charges(read: SmilesMap, sign: int) -> list[int]:
    """The atoms with a charge of this sign that are bonded to none of the other."""
    made_up = set()
    for bond in read.bonds:
        if read.atoms[bond.first].charge * read.atoms[bond.second].charge < 0:
            made_up |= {bond.first, bond.second}
    return [i for i, atom in enumerate(read.atoms) if atom.charge * sign > 0 and i not in made_up]


def _at(read: SmilesMap, atoms: list[int]) -> Finding:
    return Finding("", "", atom_spans(read, atoms))


def _of_component(one: Matched, task: Task, compares: bool, seconds: float, row: dict[str, Any]) -> list[Finding]:
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
    target = task.wanted[one.partner]
    if not compares:
        return [Finding("other_molecule", f"a valid molecule, but not {target.canonical[:100]}", whole)]
    findings, further = compare(text, target, seconds)
    if "mapping" in further:
        row["mapping"] = further["mapping"]
        row["missing"] = _unmapped(target.smiles, {j for _, j in row["mapping"]})
    return [Finding(f.kind, f.message, whole) if f.kind == "other_molecule" else f for f in findings]


def _missing(matched: list[Matched], task: Task) -> list[Finding]:
    """A finding for each component of the reference that nothing stands for; what is no molecule stands for any."""
    taken = {one.partner for one in matched}
    left = [j for j in range(len(task.wanted)) if j not in taken]
    broken = sum(one.known is None and one.component.text != "" for one in matched)
    named = [f"component {j + 1} of the reference: {task.wanted[j].canonical[:100]}" for j in left]
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
