"""The tokens of SMILES: atoms, bond symbols and ring numbers, whole or unfinished, as wide as RDKit's lexer (2026.9).

Plain Python, no RDKit.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS

_PROVISIONAL = dict(zip("Uun Uuu Uub Uut Uuq Uup Uuh Uus Uuo".split(), ELEMENTS[110:], strict=True))
AROMATIC_SYMBOLS = ("b", "c", "n", "o", "p", "s", "as", "se", "si", "te")
#: Each with the number of its permutations that a bracket may name.
CHIRALITY_CLASSES = {"TH": 2, "AL": 2, "SP": 3, "TB": 20, "OH": 30}
#: What each bond symbol, or none, counts for at its atoms; others count for nothing that is certain.
BOND_ORDERS = {"": 1, "-": 1, "/": 1, "\\": 1, "=": 2, "#": 3, "$": 4}
#: Atoms without bracket that are the beginning of another one.
LONGER = {"C": "Cl", "B": "Br"}
#: RDKit keeps no more of these numbers of an atom: one byte, one byte, two bytes.
MAX_CHARGE, MAX_HYDROGENS, MAX_ISOTOPE = 127, 255, 65_535

_CHIRALITY = (
    "@@|@(?:"
    + "|".join(
        f"{name}(?:{'|'.join(str(n) for n in range(count, 0, -1))})?" for name, count in CHIRALITY_CLASSES.items()
    )
    + ")?"
)
_SYMBOL = "|".join(sorted([*_PROVISIONAL, *ELEMENTS[1:], *AROMATIC_SYMBOLS], key=len, reverse=True))
_QUOTED = "|".join(ELEMENTS[104:])
_NUMBER = "0|[1-9][0-9]*"
_BRACKET = re.compile(
    rf"\[(?P<isotope>{_NUMBER})?(?:#(?P<number>{_NUMBER})|'(?P<quoted>{_QUOTED})'|(?P<symbol>{_SYMBOL}|\*))"
    rf"(?P<chirality>{_CHIRALITY})?(?P<h>H(?P<hydrogens>{_NUMBER})?)?(?P<charge>\+\+|--|[+-](?:{_NUMBER})?)?"
    rf"(?::(?P<map>{_NUMBER}))?\]",
    re.ASCII,
)
#: One of these turns every beginning of a bracket atom into a whole one.
_ENDINGS = ("]", "C]", "1]", "H1]", "L1]", "P1]", "B1]", "6]", *(f"{letter}]" for letter in "lyuaigbesno"))


class Atom(NamedTuple):
    """One atom as it is written; ``hydrogens`` counts those in the bracket, ``symbol`` is capitalised."""

    start: int
    end: int
    symbol: str
    aromatic: bool = False
    bracket: bool = False
    isotope: int = 0
    hydrogens: int = 0
    charge: int = 0
    map_number: int = 0
    chirality: str = ""


@lru_cache(maxsize=4096)
def read_atom(text: str) -> Atom | None:
    """The atom that a token spells (offsets 0 to its length), or None if a bracket's inside is wrong.

    >>> read_atom("[13CH3-]").hydrogens
    3
    """
    if text[0] != "[":
        return Atom(0, len(text), text.capitalize(), aromatic=text.islower())
    match = _BRACKET.fullmatch(text)
    if match is None:
        return None
    symbol = match["symbol"] or match["quoted"] or ""
    if match["number"] is not None:
        if len(match["number"]) > 3 or int(match["number"]) >= len(ELEMENTS):
            return None
        symbol = ELEMENTS[int(match["number"])]
    numbers = [match["isotope"], match["hydrogens"], match["map"], (match["charge"] or "")[1:].strip("+-")]
    if any(len(number or "") > 9 for number in numbers):
        return None
    charge = match["charge"] or "+0"
    size = {"+": 1, "-": 1, "++": 2, "--": 2}.get(charge) or int(charge[1:])
    if size > MAX_CHARGE or int(match["hydrogens"] or 0) > MAX_HYDROGENS or int(match["isotope"] or 0) > MAX_ISOTOPE:
        return None
    return Atom(
        start=0,
        end=len(text),
        symbol=_PROVISIONAL.get(symbol, symbol.capitalize()),
        aromatic=symbol.islower(),
        bracket=True,
        isotope=int(match["isotope"] or 0),
        hydrogens=int(match["hydrogens"] or (1 if match["h"] else 0)),
        charge=-size if charge[0] == "-" else size,
        map_number=int(match["map"] or 0),
        chirality=match["chirality"] or "",
    )


def may_become_atom(fragment: str) -> bool:
    """Whether some continuation of ``fragment``, which begins with ``[``, is a bracket atom."""
    return any(read_atom(fragment + ending) is not None for ending in _ENDINGS)


def may_become_ring(fragment: str) -> bool:
    """Whether some continuation of ``fragment``, which begins with ``%``, is a ring number."""
    return re.fullmatch(r"%(?:[1-9]?|\([0-9]{0,5})", fragment, re.ASCII) is not None


def may_become_ring_number(fragment: str, number: int) -> bool:
    """Whether some continuation of ``fragment``, which begins with ``%``, is this ring number."""
    if fragment.startswith("%("):
        return str(number).startswith(fragment[2:].lstrip("0"))
    return fragment == "%" or f"%{number}".startswith(fragment)


def ring_symbol(opening: str, closing: str) -> str:
    """The symbol that counts where both ends of a ring bond may have one: the first, a direction only if it is alone."""
    return next((symbol for symbol in (opening, closing) if symbol not in ("", "/", "\\")), opening or closing)


def is_foreign(character: str) -> bool:
    """Whether no SMILES has it: blanks, control characters, all that is not ASCII. RDKit stops there or drops it silently."""
    return not "!" <= character <= "~"
