"""Repairs of a molecule: the single change of an atom, a branch, a bond symbol or a ring number that makes all facts true.

What is missing has no place by itself. But where something stands in its place, taking that away or writing another
element there makes everything true, and says where the mistake may be. The changes are tried out in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.chemistry.repair import REPAIRABLE, repairs
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.verifiers.molecule.check import Checked
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import Fact
from rlsf_lightning.symbolic.verifiers.molecule.task import Task

#: Places that are named at most, and changes that are tried out.
MAX_PLACES = 8
MAX_CHANGES = 300
_BONDS = "-=#:/\\$"
_UPPER = ("C", "N", "O", "S", "F", "Cl", "Br", "P", "I", "B")
_LOWER = ("c", "n", "o", "s")
#: Properties that another element in the place of an atom leaves as they are.
_KEPT = frozenset(["rings", "fragments", "heavy_atoms"])


class Change(NamedTuple):
    """``new`` stands in the place of ``text[start:end]``; empty: that is left out."""

    start: int
    end: int
    new: str


def repair(checked: Checked, text: str, offset: int, task: Task, is_right: Callable[[str], bool]) -> Checked:
    """With the places, in findings and witness, of changes after which ``text``, which begins at ``offset``, is right.

    The first finding gets them where it is a parenthesis or a ring number without its partner, else the first without a
    place.
    """
    findings, rows = checked.findings, checked.witness.get("facts")
    if findings[0].kind in REPAIRABLE:
        places = repairs(text, read_smiles(text), len(text), is_right, most=MAX_CHANGES, places=MAX_PLACES)
        added = [place for place in places if place not in findings[0].spans]
        departure = [[place.start + offset, place.end + offset] for place in added]
        return _with_spans(checked, 0, (*findings[0].spans, *added), {"departure": departure})
    at = next((i for i, finding in enumerate(findings) if not finding.spans), None)
    changes = [] if at is None or rows is None else _changes_to(text, task.facts, rows, is_right)
    if at is None or not changes:
        return checked
    spans = tuple(dict.fromkeys(Span(start, end) for start, end, _ in changes))
    mended = [[start + offset, end + offset, new] for start, end, new in changes]
    return _with_spans(checked, at, spans, {"mended": mended})


def _with_spans(checked: Checked, at: int, spans: tuple[Span, ...], witness: dict[str, Any]) -> Checked:
    findings = [replace(f, spans=spans) if i == at else f for i, f in enumerate(checked.findings)]
    return Checked(findings, checked.score, checked.witness | witness)


def _changes_to(
    text: str, facts: Sequence[Fact], rows: Sequence[Mapping[str, Any]], is_right: Callable[[str], bool]
) -> list[Change]:
    """``rows``: what was found of every fact (``found``, ``holds``)."""
    read = read_smiles(text)
    found: list[Change] = []
    tried = set()
    for change in (*_removals(text, read), *_exchanges(read, facts, rows)):
        start, end, new = change
        changed = text[:start] + new + text[end:]
        if changed in tried:
            continue
        tried.add(changed)
        if is_right(changed):
            found.append(change)
        if len(found) == MAX_PLACES or len(tried) == MAX_CHANGES:
            break
    return found


def _removals(text: str, read: SmilesMap) -> Iterator[Change]:
    """Single atoms with the bond and the parentheses that go with them, branches, bond symbols."""
    for atom in read.atoms:
        start, end = atom.start, atom.end
        while start and text[start - 1] in _BONDS:
            start -= 1
        if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
            start, end = start - 1, end + 1
        yield Change(start, end, "")
    opened: list[int] = []
    for step in read.steps:
        if step.action == "push":
            opened.append(step.start)
        elif step.action == "pop":
            yield Change(opened.pop(), step.end, "")
        elif step.action == "bond":
            yield Change(step.start, step.end, "")


def _exchanges(read: SmilesMap, facts: Sequence[Fact], rows: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """Another element for an atom, where the stated numbers of atoms allow it."""
    counts = _Counts(facts, rows)
    if counts.hopeless:
        return
    for atom in read.atoms:
        for new in _LOWER if atom.aromatic else _UPPER:
            if new.capitalize() != atom.symbol and counts.allow(atom.symbol, new.capitalize()):
                yield Change(atom.start, atom.end, new)


class _Counts:
    """What the stated numbers of atoms say of an atom of one element in the place of another."""

    def __init__(self, facts: Sequence[Fact], rows: Sequence[Mapping[str, Any]]) -> None:
        self.hopeless = any(
            fact.subject == "property" and fact.name in _KEPT and not row["holds"]
            for fact, row in zip(facts, rows, strict=True)
        )
        #: (element, found, lowest, highest)
        self.stated: list[tuple[str, float, float, float]] = []
        for fact, row in zip(facts, rows, strict=True):
            if fact.formula is not None:
                right = dict(fact.formula.counts)
                symbols = (row["found"].keys() | right.keys()) - {"H"}
                self.stated += [(s, row["found"].get(s, 0), right.get(s, 0), right.get(s, 0)) for s in symbols]
                self.stated += [(s, 0, 0, 0) for s in _UPPER if s not in symbols]
            elif fact.subject == "element" and fact.name != "H":
                self.stated.append((fact.name, row["found"], fact.low, fact.high))

    def allow(self, old: str, new: str) -> bool:
        """Whether all stated numbers are right after the exchange."""
        return all(low <= n + (s == new) - (s == old) <= high for s, n, low, high in self.stated)
