"""Both sides of a reaction and an answer, read into components: the SMILES between dots, each with its molecule.

Stretches that a ring number bonds to each other across a dot are one component, as in ``CC1=O.N1C``; a branch ends before
the dot.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, target_of
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import Prefix, legible_prefix
from rlsf_lightning.symbolic.chemistry.validity import illegible
from rlsf_lightning.symbolic.verifiers.reaction.task import GIVEN, Task


class Component(NamedTuple):
    """A stretch of an answer between two dots, or several that are bonded to each other."""

    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Ledger(NamedTuple):
    """``atoms``: (symbol, how many) of every element but hydrogen, in alphabetical order."""

    atoms: tuple[tuple[str, int], ...] = ()
    charge: int = 0


def ledger_of(molecule: Any) -> Ledger:
    """Of a molecule of RDKit."""
    atoms = Counter(atom.GetSymbol() for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1)
    return Ledger(tuple(sorted(atoms.items())), sum(atom.GetFormalCharge() for atom in molecule.GetAtoms()))


def total(ledgers: Iterable[Ledger]) -> Ledger:
    """Of several molecules together."""
    atoms: Counter[str] = Counter()
    charge = 0
    for ledger in ledgers:
        atoms.update(dict(ledger.atoms))
        charge += ledger.charge
    return Ledger(tuple(sorted(atoms.items())), charge)


class Sides(NamedTuple):
    """A task as molecules. ``wanted``: the components of the reference in the order in which they are written.

    ``product``: the given side. ``reactions``: those by which other reactants may lead there, by name.
    """

    direction: str
    given: Ledger
    wanted: tuple[Target, ...]
    product: Target
    reactions: tuple[str, ...]

    @property
    def wanted_ledger(self) -> Ledger:
        """Of all components of the reference."""
        return total(ledger_of(target.molecule) for target in self.wanted)


class Parsed(NamedTuple):
    """``findings``: why the text is not read; there are no ``components`` then, each with its molecule if it is one."""

    text: str
    findings: list[Finding]
    components: list[tuple[Component, Target | None]]


def parse(text: str, max_chars: int) -> Parsed:
    """An answer without white space around it."""
    findings = illegible(text, max_chars)
    return Parsed(text, findings, [] if findings else [(each, known(each.text)) for each in components_of(text)])


def parse_prefix(prefix: str, max_chars: int) -> Prefix | None:
    """None where no continuation is read at all."""
    return legible_prefix(prefix, max_chars)


def components_of(text: str) -> list[Component]:
    """The components of an answer: the stretches between dots, as one (with all between) those that are bonded to each other.

    Unless the text has as many mistakes as its stretches have by themselves: a ring number without a partner is then a mistake
    of its own component.
    """
    stretches, read = _stretches(text), read_smiles(text)
    if not read.spans_dots or len(read.problems) >= sum(len(read_smiles(one.text).problems) for one in stretches):
        return stretches
    return _united(text, stretches, _joints(read, stretches))


def begun_components_of(prefix: str) -> list[Component]:
    """The same of an unfinished answer: what may still be bonded to what comes next is one with the last stretch."""
    stretches, read = _stretches(prefix), read_smiles(prefix)
    open_ = [(_at(stretches, read.atoms[atom].start), len(stretches) - 1) for atom, _ in read.open_rings.values()]
    return _united(prefix, stretches, _joints(read, stretches) + open_) if read.spans_dots else stretches


def bonded_stretches(text: str) -> list[str]:
    """The components of a SMILES as texts of their own, also where they stand within each other (``C1.O.C1``)."""
    stretches = _stretches(text)
    group = list(range(len(stretches)))
    for joint in _joints(read_smiles(text), stretches):
        old, new = sorted((group[i] for i in joint), reverse=True)
        group = [new if each == old else each for each in group]
    return [".".join(one.text for one, own in zip(stretches, group, strict=True) if own == i) for i in sorted({*group})]


def _stretches(text: str) -> list[Component]:
    found, start = [], 0
    for piece in text.split("."):
        found.append(Component(start, piece))
        start += len(piece) + 1
    return found


def _joints(read: SmilesMap, stretches: list[Component]) -> list[tuple[int, int]]:
    """The pairs of stretches that a bond lies between."""
    ends = [[_at(stretches, read.atoms[atom].start) for atom in (bond.first, bond.second)] for bond in read.bonds]
    return [(a, b) for a, b in map(sorted, ends) if a != b]


def _at(stretches: list[Component], offset: int) -> int:
    return bisect_right([one.start for one in stretches], offset) - 1


def _united(text: str, stretches: list[Component], joints: list[tuple[int, int]]) -> list[Component]:
    reach = list(range(len(stretches)))
    for first, second in joints:
        reach[first] = max(reach[first], second)
    found: list[Component] = []
    last = -1
    for i, one in enumerate(stretches):
        start = one.start if i > last else found.pop().start
        last = max(last, reach[i])
        found.append(Component(start, text[start : one.end]))
    return found


def known(text: str) -> Target | None:
    """The molecule that a component spells; None if it is none."""
    return target_of(text) if text and not read_smiles(text).problems else None


@lru_cache(maxsize=4096)
def sides_of(task: Task) -> Sides:
    """Raises ToolFailed for what RDKit cannot read."""
    unreadable = "RDKit cannot read the {}{} {:.100}"
    given = None if illegible(task.given, rdkit_io.MAX_CHARS) else known(task.given)
    if given is None:
        raise ToolFailed(unreadable.format("", GIVEN[task.direction][0], task.given))
    if illegible(task.reference, rdkit_io.MAX_CHARS):
        raise ToolFailed(unreadable.format("", "reference", task.reference))
    wanted: list[Target] = []
    for component in components_of(task.reference):
        target = known(component.text)
        if target is None:
            raise ToolFailed(unreadable.format("component of the ", "reference", component.text))
        wanted.append(target)
    return Sides(task.direction, ledger_of(given.molecule), tuple(wanted), given, task.reactions)
