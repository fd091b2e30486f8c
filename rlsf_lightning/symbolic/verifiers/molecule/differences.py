"""From what is stated and what was counted to findings: what is missing has no place, what is in excess has its atoms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.spans import atom_spans
from rlsf_lightning.symbolic.verifiers.molecule.facts import Fact, Formula

#: What a missing or an extra one is called in the kinds of findings.
NOUNS = {"functional_group": "group", "ring": "ring", "element": "element", "smarts": "substructure"}
KINDS = frozenset(
    [f"{sign}_{noun}" for noun in NOUNS.values() for sign in ("missing", "extra")]
    + "wrong_hydrogens wrong_charge wrong_fragments wrong_heavy_atoms wrong_molecular_weight wrong_rings".split()
    + ["wrong_stereocentres"]
)


def holds(fact: Fact, found: float | dict[str, int], charge: int) -> bool:
    """Whether the fact is true of a molecule with this charge in which so much was found."""
    if fact.formula is not None:
        return dict(fact.formula.counts) == found and fact.formula.charge == charge
    assert not isinstance(found, dict), f"{fact.subject} is counted as a number"
    return fact.low <= found <= fact.high


def differences(
    fact: Fact, found: float | dict[str, int], matches: Sequence[Sequence[int]], charge: int, text: str, read: SmilesMap
) -> list[Finding]:
    """The findings for a fact that does not hold. ``matches``: the atoms of what was counted, as they are written."""
    atoms = sorted({atom for match in matches for atom in match})
    if fact.formula is not None:
        assert isinstance(found, dict), "a formula is counted by element"
        return _of_formula(fact.formula, found, charge, read)
    assert not isinstance(found, dict), f"{fact.subject} is counted as a number"
    message = f"stated: {fact.name[:40]}, {_wanted(fact)}; found: {found:g}"
    is_excess = found > fact.high
    if fact.subject in NOUNS:
        noun = NOUNS[fact.subject]
        if is_excess:
            return [Finding(f"extra_{noun}", message, merged([*atom_spans(read, atoms), *_bonds_in(matches, read)]))]
        return [Finding(f"missing_{noun}", message)]
    return [Finding(f"wrong_{fact.name}", message, _places(fact.name, is_excess, atoms, text, read))]


def with_bonds(findings: list[Finding], text: str) -> list[Finding]:
    """With the bonds of atoms that have too many, and of rings that cannot be kekulised: any may be the wrong one."""
    if not any(finding.kind in ("valence", "kekulisation") for finding in findings):
        return findings
    read = read_smiles(text)
    widened = []
    for finding in findings:
        if finding.kind in ("valence", "kekulisation"):
            inside = {
                i for i, atom in enumerate(read.atoms) if any(s.start <= atom.start < s.end for s in finding.spans)
            }
            if finding.kind == "kekulisation":
                inside |= {
                    end for bond in read.bonds for end in bond[:2] if inside & {*bond[:2]} and read.atoms[end].aromatic
                }
            places = set(finding.spans)
            for bond in read.bonds:
                if inside & {bond.first, bond.second}:
                    written = bond.spans or [(read.atoms[bond.second].start, read.atoms[bond.second].end)]
                    places |= {Span(*place) for place in written}
            finding = replace(finding, spans=merged(places))
        widened.append(finding)
    return widened


def _bonds_in(matches: Sequence[Sequence[int]], read: SmilesMap) -> list[Span]:
    """The bonds that are written, and ring digits, between atoms of the same match: a double bond is part of an alkene."""
    return [
        Span(*place)
        for inside in map(set, matches)
        for bond in read.bonds
        if bond.first in inside and bond.second in inside
        for place in bond.spans
    ]


def merged(places: Iterable[Span]) -> tuple[Span, ...]:
    """The same characters in as few spans as there can be."""
    spans: list[Span] = []
    for place in sorted(places):
        if spans and place.start <= spans[-1].end:
            spans[-1] = Span(spans[-1].start, max(spans[-1].end, place.end))
        else:
            spans.append(place)
    return tuple(spans)


def _wanted(fact: Fact) -> str:
    if fact.low == fact.high:
        return f"exactly {fact.low:g}"
    if fact.high == float("inf"):
        return f"at least {fact.low:g}"
    return f"at most {fact.high:g}" if fact.low in (0, -float("inf")) else f"from {fact.low:g} to {fact.high:g}"


def _places(name: str, is_excess: bool, atoms: Sequence[int], text: str, read: SmilesMap) -> tuple[Span, ...]:
    """Charges of the sign that is too many, ring digits, dots, marked centres; nothing has a place where it is missing."""
    if name == "charge":
        return charge_spans(read, 1 if is_excess else -1)
    if not is_excess:
        return ()
    if name == "rings":
        digits = {span for bond in read.bonds if len(bond.spans) == 2 for span in bond.spans}
        return tuple(Span(*span) for span in sorted(digits))
    if name == "fragments":
        return tuple(Span(match.start(), match.end()) for match in re.finditer(r"\.", text))
    return atom_spans(read, atoms)


def charge_spans(read: SmilesMap, sign: int) -> tuple[Span, ...]:
    """The atoms that are written with a charge of this sign."""
    return atom_spans(read, [i for i, atom in enumerate(read.atoms) if atom.charge * sign > 0])


def _of_formula(formula: Formula, found: dict[str, int], charge: int, read: SmilesMap) -> list[Finding]:
    stated = dict(formula.counts)
    extra = {s: n - stated.get(s, 0) for s, n in found.items() if s != "H" and n > stated.get(s, 0)}
    missing = {s: n - found.get(s, 0) for s, n in stated.items() if s != "H" and n > found.get(s, 0)}
    findings = []
    if extra:
        atoms = [i for i, atom in enumerate(read.atoms) if atom.symbol in extra]
        findings.append(
            Finding("extra_element", f"more than the formula has: {_listed(extra)}", atom_spans(read, atoms))
        )
    if missing:
        findings.append(Finding("missing_element", f"less than the formula has: {_listed(missing)}"))
    if found.get("H", 0) != stated.get("H", 0):
        message = f"the formula has {stated.get('H', 0)} hydrogens; found: {found.get('H', 0)}"
        findings.append(Finding("wrong_hydrogens", message))
    if charge != formula.charge:
        message = f"the formula has the charge {formula.charge:+d}; found: {charge:+d}"
        findings.append(Finding("wrong_charge", message, charge_spans(read, 1 if charge > formula.charge else -1)))
    return findings


def _listed(counts: dict[str, int]) -> str:
    return " ".join(f"{symbol} by {count}" for symbol, count in sorted(counts.items()))
