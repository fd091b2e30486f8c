"""Endings of a prefix that may make all facts true; the caller tries them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap
from rlsf_lightning.symbolic.chemistry.smiles_tokens import LONGER
from rlsf_lightning.symbolic.chemistry.syntax_viability import endings
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import Fact
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS

#: Elements in an order in which a chain of them often is a molecule: those with many bonds first.
_ORDER = ("C", "N", "S", "P", "B", "O", "I", "Br", "Cl", "F")
_BONDS = ("", "=", "#")


def attempts(facts: Sequence[Fact], read: SmilesMap) -> Iterator[str]:
    """First the ways to close what is open, then these with stated elements, groups and rings added; none twice."""
    closing = endings(read)
    last = read.atoms[-1] if read.steps and read.steps[-1].action == "atom" else None
    if last is not None and last.symbol in LONGER and not (last.bracket or last.aromatic):
        closing.append(LONGER[last.symbol][1])
    seen = set(closing)
    yield from closing
    for tail in dict.fromkeys(_tails(facts, read)):
        for close in closing[:2]:
            for ending in (close + tail, tail + close):
                if ending not in seen:
                    seen.add(ending)
                    yield ending


def _tails(facts: Sequence[Fact], read: SmilesMap) -> Iterator[str]:
    """What may be added to a text: the atoms of the formula that are not there yet, and examples of what is stated."""
    there = Counter(atom.symbol for atom in read.atoms)
    for fact in facts:
        if fact.formula is not None:
            stated = Counter({symbol: n for symbol, n in fact.formula.counts if symbol in _ORDER})
            rest = stated - there
            if 0 < sum(rest.values()) <= 100:
                yield from _chains([symbol for symbol in _ORDER for _ in range(rest[symbol])])
    groups = {"functional_group": FUNCTIONAL_GROUPS, "ring": RINGS}
    stated_all = []
    for fact in facts:
        if fact.subject in groups and fact.low > 0:
            example = groups[fact.subject][fact.name].example
            stated_all.append(_renumbered(example, read))
            yield stated_all[-1]
        elif fact.subject == "element" and fact.low > there[fact.name] and fact.name in _ORDER and fact.low <= 100:
            yield fact.name * int(fact.low - there[fact.name])
    yield "".join(stated_all)


def _chains(symbols: list[str]) -> Iterator[str]:
    """The symbols as a chain, as branches of what stands before it, with a multiple bond, and the other way round."""
    yield "".join(symbols)
    for bond in _BONDS[1:]:
        yield bond + "".join(symbols)
        if len(symbols) > 1:
            yield "".join(symbols[:-1]) + bond + symbols[-1]
            yield symbols[0] + bond + "".join(symbols[1:])
    yield "".join(f"({symbol})" for symbol in symbols[:-1]) + symbols[-1]
    yield "".join(reversed(symbols))


def _renumbered(example: str, read: SmilesMap) -> str:
    """The example with ring digits that are not open in the text."""
    free = [number for number in "123456789" if int(number) not in read.open_rings][:2]
    if len(free) < 2:
        return example
    return example.translate(str.maketrans("12", "".join(free))) if example[0] != "[" else example
