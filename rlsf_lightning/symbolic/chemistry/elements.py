"""The choice of elements that a molecule may be made of: forbidden atoms, and the first dead character because of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap
from rlsf_lightning.symbolic.chemistry.smiles_tokens import LONGER
from rlsf_lightning.symbolic.chemistry.spans import atom_spans


class Elements:
    """A choice of elements. Hydrogen always belongs to it: most hydrogens are not even written.

    Args:
        allowed: the symbols of those that may be there; None: all.
        forbidden: the symbols of those that may not.

    Raises:
        ValueError: what is no list of symbols; hydrogen is forbidden; both are given; nothing is left.
    """

    def __init__(self, allowed: Sequence[str] | None, forbidden: Sequence[str]) -> None:
        if allowed is not None and forbidden:
            raise ValueError("allowed_elements and forbidden_elements cannot both be given: one says it all")
        for option, symbols in (("allowed_elements", allowed), ("forbidden_elements", forbidden)):
            if symbols is not None:
                _check_symbols(option, symbols)
        if "H" in forbidden:
            raise ValueError("forbidden_elements has H: nearly every molecule has hydrogen, so it is always allowed")
        chosen = set(ELEMENTS[1:] if allowed is None else allowed) - set(forbidden)
        self.chosen = frozenset(chosen | {"H"})
        self.is_any = len(self.chosen) == len(ELEMENTS) - 1

    def may_hold(self, symbol: str) -> bool:
        """Whether atoms of this element may be there. A wildcard is no element and has a finding of its own."""
        return symbol in self.chosen or symbol == "*"

    def findings(self, read: SmilesMap) -> list[Finding]:
        """One finding for all atoms that may not be there."""
        bad = [i for i, atom in enumerate(read.atoms) if not self.may_hold(atom.symbol)]
        if not bad:
            return []
        symbols = " ".join(sorted({read.atoms[i].symbol for i in bad}))
        return [Finding("forbidden_atom", f"not among the allowed elements: {symbols}", atom_spans(read, bad))]

    def dead_from(self, read: SmilesMap, length: int) -> int | None:
        """The first character of a text of this length from which on an atom stands there that may not."""
        return None if self.is_any else first_dead_atom(read, length, lambda _, symbol: self.may_hold(symbol))


def first_dead_atom(read: SmilesMap, length: int, may_add: Callable[[int, str], bool]) -> int | None:
    """The character with which an atom is certain that ``may_add`` refuses: its number, and the element it would be.

    A ``C`` may become ``Cl`` until something else follows it.
    """
    for i, atom in enumerate(read.atoms):
        longer = None if atom.bracket or atom.aromatic else LONGER.get(atom.symbol)
        if may_add(i, atom.symbol):
            continue
        if longer is None or not may_add(i, longer):
            is_longer = not atom.bracket and atom.end - atom.start == 2
            # Of "Cl" the "C" could have stayed a carbon.
            return atom.start if is_longer and not may_add(i, atom.symbol[0]) else atom.end - 1
        if atom.end < length:
            return atom.end
    return None


def _check_symbols(option: str, symbols: Sequence[str]) -> None:
    example = f"write verifier.options.{option}=[C,N,O]"
    if isinstance(symbols, str) or not isinstance(symbols, Sequence):
        raise ValueError(f"{option}={symbols!r}: must be a list of symbols; {example}")
    unknown = [symbol for symbol in symbols if symbol not in ELEMENTS[1:]]
    if unknown or (option == "allowed_elements" and not symbols):
        reason = f"{unknown[0]!r} is no element" if unknown else "it is empty"
        raise ValueError(f"{option}={list(symbols)}: {reason}; {example}")
