"""Checks a molecule against the facts that are stated: what is missing has no place, what is in excess that of its atoms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.records import MOST_WITHOUT_PASS, Finding
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap
from rlsf_lightning.symbolic.chemistry.spans import atom_spans
from rlsf_lightning.symbolic.chemistry.validity import INVALID_KINDS, Limits, valid_molecule, wildcards_and_radicals
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import Fact, Formula
from rlsf_lightning.symbolic.verifiers.molecule.facts.measure import measure
from rlsf_lightning.symbolic.verifiers.molecule.locate import (
    charge_spans,
    match_spans,
    property_spans,
    with_bonds,
)
from rlsf_lightning.symbolic.verifiers.molecule.parse import Parsed
from rlsf_lightning.symbolic.verifiers.molecule.task import Task

#: What a missing or an extra one is called in the kinds of findings.
NOUNS = {"functional_group": "group", "ring": "ring", "element": "element", "smarts": "substructure"}
KINDS = (
    INVALID_KINDS
    | {f"{sign}_{noun}" for noun in NOUNS.values() for sign in ("missing", "extra")}
    | frozenset(
        "forbidden_atom wildcard radical wrong_hydrogens wrong_charge wrong_fragments wrong_heavy_atoms".split()
    )
    | frozenset("wrong_molecular_weight wrong_rings wrong_stereocentres".split())
)
#: Occurrences that a witness lists for one fact at most.
MAX_LISTED = 100


class Checked(NamedTuple):
    """``findings``: none where it is right; ``score``: of what is wrong, the share of facts that hold."""

    findings: list[Finding]
    score: float
    witness: dict[str, Any]


def check(parsed: Parsed, task: Task) -> Checked:
    """The findings of a SMILES, spans of its text. The witness has a row for every fact, with the atoms as they are written."""
    text, molecule = parsed.text, parsed.molecule
    if molecule is None:
        return Checked(with_bonds(parsed.findings, text), 0.0, {})
    findings = parsed.findings + wildcards_and_radicals(text, molecule)
    read, numbers, charge = parsed.read, parsed.numbers(), parsed.charge
    rows: list[dict[str, Any]] = []
    for fact in task.facts:
        found, matches = measure(fact, molecule)
        written = [[numbers[atom] for atom in match] for match in matches]
        if fact.subject == "element" and fact.name == "H":
            written = []
        is_true = holds(fact, found, charge)
        if not is_true:
            findings += differences(fact, found, written, charge, text, read)
        rows.append({"fact": fact.stated(), "holds": is_true, "found": found, "atoms": written[:MAX_LISTED]})
    share = sum(row["holds"] for row in rows) / len(rows)
    return Checked(findings, min(MOST_WITHOUT_PASS, share), {"canonical": rdkit_io.canonical(molecule), "facts": rows})


def passes(text: str, task: Task, limits: Limits) -> bool:
    """Whether ``check`` finds nothing. Hundreds of texts are tried out: no time is spent on places."""
    molecule = valid_molecule(text, limits)
    if molecule is None:
        return False
    charge = int(Chem.GetFormalCharge(molecule))
    if not all(holds(fact, measure(fact, molecule).found, charge) for fact in task.facts):
        return False
    return not wildcards_and_radicals(text, molecule)


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
    if fact.formula is not None:
        assert isinstance(found, dict), "a formula is counted by element"
        return _of_formula(fact.formula, found, charge, read)
    assert not isinstance(found, dict), f"{fact.subject} is counted as a number"
    message = f"stated: {fact.name[:40]}, {_wanted(fact)}; found: {found:g}"
    is_excess = found > fact.high
    if fact.subject in NOUNS:
        noun = NOUNS[fact.subject]
        if is_excess:
            return [Finding(f"extra_{noun}", message, match_spans(matches, read))]
        return [Finding(f"missing_{noun}", message)]
    return [Finding(f"wrong_{fact.name}", message, property_spans(fact.name, is_excess, matches, text, read))]


def _wanted(fact: Fact) -> str:
    if fact.low == fact.high:
        return f"exactly {fact.low:g}"
    if fact.high == float("inf"):
        return f"at least {fact.low:g}"
    return f"at most {fact.high:g}" if fact.low in (0, -float("inf")) else f"from {fact.low:g} to {fact.high:g}"


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
