"""Every way to write a small molecule, for exhaustive search: all spellings of a graph in a small language.

The language: the atoms of the molecule without brackets and in upper case, ``(``, ``)``, ring digits, ``=`` and ``#`` where
the molecule has such bonds, and if asked for ``-``. A spelling is a spanning tree of the graph, a root, for each atom any
order of its children and ring digits, each child in parentheses (the last one: or not), for each other bond any ring digit
that is free there, and for its symbol either end or both. Nothing here is the code under test: the graph comes from RDKit.

A text over these characters is the beginning of a spelling in all of SMILES exactly if it is that of one in the language:
whatever else could follow can be rewritten without a change of the text. For a neutral molecule without isotopes and marks
of stereochemistry, brackets, lower case, ``:``, ``/``, ``\\`` and ``-`` can be given up for upper case and the bonds of a
Kekulé structure, as all of it lies in what follows; other ring numbers for the digits 1 to ``r``, since no more than the
``r`` bonds outside the tree are open at any time. Only hydrogens that are written as atoms are something else: after ``C(``
may come ``[H])``. They are counted by themselves (``hydrogens_beyond``). So is a ring number that is closed behind a dot: what
is alive by such ones alone is checked by going on from it (``goes_on``). Between the components of an answer stands a dot.
"""

from __future__ import annotations

import itertools
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from rdkit import Chem, rdBase

#: Where a ring digit of the n-th bond outside the tree is to stand, until the digits are chosen.
_MARK = 0xE000
_SYMBOLS = {1.0: "", 2.0: "=", 3.0: "#"}
#: Beginnings that are asked for of one molecule; of more, a sample.
MOST = 15_000
#: Steps on the way from a beginning to a text that passes.
MOST_STEPS = 1000
#: For the order of a ring bond, the symbols before its two digits: the first that is written counts.
_RING_SYMBOLS = {"": (("", ""),), "=": (("=", ""), ("", "="), ("=", "=")), "#": (("#", ""), ("", "#"), ("#", "#"))}


class Graph(NamedTuple):
    """A connected molecule: the symbols of its atoms, and (atom, atom) -> the bond's symbol."""

    symbols: tuple[str, ...]
    bonds: tuple[tuple[int, int, str], ...]

    @property
    def rings(self) -> int:
        """How many bonds are outside of every spanning tree."""
        return len(self.bonds) - len(self.symbols) + 1


def graph_of(smiles: str) -> Graph:
    """The graph of a SMILES with upper-case atoms without brackets. Aromatic rings are what the text says they are."""
    parameters: Any = Chem.SmilesParserParams()
    parameters.sanitize = False
    molecule = Chem.MolFromSmiles(smiles, parameters)
    symbols = tuple(atom.GetSymbol() for atom in molecule.GetAtoms())
    bonds = molecule.GetBonds()
    return Graph(
        symbols, tuple((b.GetBeginAtomIdx(), b.GetEndAtomIdx(), _SYMBOLS[b.GetBondTypeAsDouble()]) for b in bonds)
    )


def characters_of(graph: Graph, dash: bool = False) -> list[str]:
    """The characters of the language."""
    symbols = {symbol for _, _, symbol in graph.bonds if symbol}
    letters = set("".join(graph.symbols))
    return sorted(letters | symbols | set("()") | set("123"[: graph.rings]) | ({"-"} if dash else set()))


def all_spellings(graph: Graph, dash: bool = False) -> set[str]:
    """All of them. ``dash``: ``-`` may stand for a single bond."""
    symbols = {symbol for _, _, symbol in graph.bonds if symbol} | ({"-"} if dash else set())
    assert not graph.rings or len(symbols) < 2, "the two digits of a ring bond would have different symbols, too"
    found: set[str] = set()
    for outside in itertools.combinations(range(len(graph.bonds)), graph.rings):
        tree = [bond for i, bond in enumerate(graph.bonds) if i not in outside]
        rings = [graph.bonds[i] for i in outside]
        if _connects(tree, len(graph.symbols)):
            for root in range(len(graph.symbols)):
                for text in set(_written(graph, tree, rings, root, dash)):
                    found.update(_with_digits(text, [symbol for _, _, symbol in rings], dash))
    return found


def _connects(tree: Sequence[tuple[int, int, str]], size: int) -> bool:
    reached = {0}
    for _ in tree:
        reached |= {end for a, b, _ in tree if a in reached or b in reached for end in (a, b)}
    return len(reached) == size


def _written(
    graph: Graph, tree: Sequence[tuple[int, int, str]], rings: Sequence[tuple[int, int, str]], root: int, dash: bool
) -> Iterator[str]:
    """The texts of a tree, with marks where ring digits are to stand."""

    @cache
    def below(atom: int, parent: int) -> tuple[str, ...]:
        children = [(b if a == atom else a, symbol) for a, b, symbol in tree if atom in (a, b)]
        parts: list[tuple[str, ...]] = [
            tuple(
                bond + text for bond in ((symbol, "-") if dash and not symbol else (symbol,)) for text in below(c, atom)
            )
            for c, symbol in children
            if c != parent
        ]
        marks = [chr(_MARK + n) for n, (a, b, _) in enumerate(rings) if atom in (a, b)]
        texts = set[str]()
        for order in itertools.permutations([*range(len(parts)), *marks]):
            branches = [[item] if isinstance(item, str) else [f"({text})" for text in parts[item]] for item in order]
            texts.update(map("".join, itertools.product(*branches)))
            if order and not isinstance(order[-1], str):  # the last child without parentheses
                texts.update(map("".join, itertools.product(*branches[:-1], parts[order[-1]])))
        return tuple(graph.symbols[atom] + text for text in texts)

    yield from below(root, -1)


def _with_digits(text: str, orders: Sequence[str], dash: bool) -> Iterator[str]:
    """The text with every choice of digits and symbols at its marks."""
    if not orders:
        yield text
        return
    where = [[i for i, character in enumerate(text) if ord(character) == _MARK + n] for n in range(len(orders))]
    choices = [
        tuple(itertools.product(("", "-"), repeat=2)) if dash and not order else _RING_SYMBOLS[order]
        for order in orders
    ]
    for digits in itertools.product("123"[: len(orders)], repeat=len(orders)):
        if any(
            digits[m] == digits[n] and where[m][0] < where[n][1] and where[n][0] < where[m][1]
            for m, n in itertools.combinations(range(len(orders)), 2)
        ):
            continue
        for symbols in itertools.product(*choices):
            made = list(text)
            for places, digit, pair in zip(where, digits, symbols, strict=True):
                for place, symbol in zip(places, pair, strict=True):
                    made[place] = symbol + digit
            yield "".join(made)


class Compared(NamedTuple):
    """Of the beginnings that were asked for: ``unsure`` had no answer (None), the others were ``compared``, of which some are
    ``differing``. ``beyond``: dead in the language, and called dead, but a hydrogen as an atom could follow. ``over_dots``:
    dead in the language, and rightly called alive."""

    compared: int = 0
    differing: int = 0
    unsure: int = 0
    beyond: int = 0
    over_dots: int = 0

    def plus(self, other: Compared) -> Compared:
        """The sums of both."""
        return Compared(*(a + b for a, b in zip(self, other, strict=True)))


def beginnings(texts: Iterable[str]) -> set[str]:
    """All prefixes."""
    return {text[:end] for text in texts for end in range(len(text) + 1)}


def compare(
    texts: set[str],
    characters: Sequence[str],
    viable: Callable[[str], bool | None],
    passes: Callable[[str], bool],
    rng: random.Random,
    most: int = MOST,
) -> Compared:
    """Ask for every beginning of a spelling with every character after it, or for a sample of ``most`` of these.

    Raises AssertionError if some spelling is none after all: of two hundred ``passes`` is asked.
    """
    ordered = sorted(texts)
    for text in ordered[:: max(1, len(ordered) // 200)]:
        assert passes(text), f"{text} is no spelling"
    alive = beginnings(texts)
    asked = sorted({prefix + character for prefix in alive for character in characters} | {""})
    compared = differing = unsure = beyond = over_dots = 0
    for prefix in asked if len(asked) <= most else rng.sample(asked, most):
        answer = viable(prefix)
        if answer is None:
            unsure += 1
            continue
        compared += 1
        if answer and prefix not in alive and goes_on(prefix, characters, viable, passes):
            over_dots += 1
            continue
        differing += answer != (prefix in alive)
        if answer is False and prefix not in alive and prefix[-1] in "(-":
            beyond += hydrogens_beyond(prefix, ordered, passes)
    return Compared(compared, differing, unsure, beyond, over_dots)


def compare_all(
    wanted: Iterable[tuple[int, set[str], Sequence[str], Callable[[str], bool | None], Callable[[str], bool]]],
    rng: random.Random,
) -> dict[int, Compared]:
    """The sums of ``compare`` by number of atoms."""
    found: dict[int, Compared] = {}
    for atoms, texts, characters, viable, passes in wanted:
        found[atoms] = found.get(atoms, Compared()).plus(compare(texts, characters, viable, passes, rng))
    return found


def goes_on(
    prefix: str, characters: Iterable[str], viable: Callable[[str], bool | None], passes: Callable[[str], bool]
) -> bool:
    """Whether some text over the characters, dots and digits begins so and passes: the first that ``viable`` leads to."""
    further = [".", *(character for character in characters if character not in ".123"), *"123456789"]
    stack, left = [prefix], MOST_STEPS
    while stack and left:
        left -= 1
        text = stack.pop()
        if passes(text):
            return True
        stack += [text + character for character in reversed(further) if viable(text + character)]
    return False


def hydrogens_beyond(prefix: str, ordered: Sequence[str], passes: Callable[[str], bool]) -> bool:
    """Whether ``[H]`` after a parenthesis or a dash goes on to what is right; the rest is that of one spelling."""
    before = prefix.rstrip("(-")
    at = bisect_left(ordered, before)
    if at == len(ordered) or not ordered[at].startswith(before):
        return False
    closing = ")" * prefix[len(before) :].count("(")
    return passes(f"{prefix}[H]{closing}{ordered[at][len(before) :]}")


def canonical(smiles: str) -> str | None:
    """RDKit's canonical SMILES; None if it reads no molecule."""
    with rdBase.BlockLogs():
        molecule: Any = Chem.MolFromSmiles(smiles)
    return Chem.MolToSmiles(molecule) if molecule is not None else None
