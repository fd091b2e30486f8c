"""Isomorphism of two molecular graphs with stereochemistry, by refinement of colours and individualisation.

Every atom's colour takes in those of its neighbours and what is seen of its stereochemistry until no more atoms can be told
apart. Of those that are left alike one is singled out, and in the other graph each of its likes in turn. All of it is
bounded in steps: no guess is made beyond them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry.equality.arrangement import NOTHING, Arrangement

#: Atoms whose colours are made anew, at most, in one comparison: less than a second.
MAX_STEPS = 300_000

Colours = list[int]


@dataclass(frozen=True)
class Graph:
    """``labels``: of each atom; ``around``: (label of the bond, neighbour) for each bond of each atom."""

    labels: tuple[Any, ...]
    around: tuple[tuple[tuple[Any, int], ...], ...]
    arrangements: tuple[Arrangement, ...] = ()

    def without_stereo(self) -> Graph:
        """The constitution."""
        return replace(self, arrangements=())


class Budget:
    """The steps that are left. Raises ToolFailed once there are none."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps = steps

    def take(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise ToolFailed("not decided whether this is the reference: too many atoms are alike to try them all")


def are_isomorphic(ours: Graph, theirs: Graph, budget: Budget) -> bool:
    """Whether atoms, bonds and arrangements can be laid onto each other. Raises ToolFailed when the budget is spent."""
    if Counter(ours.labels) != Counter(theirs.labels) or len(ours.arrangements) != len(theirs.arrangements):
        return False
    left = _parts(theirs)
    for part in _parts(ours):  # of equal ones any may stand for any
        place = next((i for i, other in enumerate(left) if _are_parts_isomorphic(part, other, budget)), None)
        if place is None:
            return False
        del left[place]
    return not left


def _are_parts_isomorphic(ours: Graph, theirs: Graph, budget: Budget) -> bool:
    if Counter(ours.labels) != Counter(theirs.labels) or len(ours.arrangements) != len(theirs.arrangements):
        return False
    numbers: dict[Any, int] = {}
    first, second = ([numbers.setdefault(label, len(numbers)) for label in graph.labels] for graph in (ours, theirs))
    return _match((ours, theirs), (first, second), budget)


def _parts(graph: Graph) -> list[Graph]:
    """Its connected components."""
    found: list[Graph] = []
    unseen = set(range(len(graph.labels)))
    while unseen:
        stack = [min(unseen)]
        part = set(stack)
        while stack:
            new = {other for _, other in graph.around[stack.pop()]} - part
            part |= new
            stack += new
        unseen -= part
        found.append(_part(graph, sorted(part)) if len(part) < len(graph.labels) else graph)
    return found


def _part(graph: Graph, atoms: list[int]) -> Graph:
    number = {atom: i for i, atom in enumerate(atoms)}
    return Graph(
        tuple(graph.labels[atom] for atom in atoms),
        tuple(tuple((label, number[other]) for label, other in graph.around[atom]) for atom in atoms),
        tuple(each.renumbered(number) for each in graph.arrangements if each.holders[0] in number),
    )


def without_void(graph: Graph, budget: Budget) -> Graph:
    """Without the arrangements that say nothing: the molecule is the same with any other one there."""
    is_settled = False
    while not is_settled:
        is_settled = True
        alike = _told_apart(graph, budget)
        for at, arrangement in enumerate(graph.arrangements):
            if arrangement.is_told(partial(_key, alike)):
                continue  # whatever lies on it lies as it does, so that another one is another molecule
            before, after = graph.arrangements[:at], graph.arrangements[at + 1 :]
            changed = [replace(graph, arrangements=(*before, other, *after)) for other in arrangement.others()]
            if all(are_isomorphic(graph, other, budget) for other in changed):
                graph, is_settled = replace(graph, arrangements=before + after), False
                break
    return graph


def _told_apart(graph: Graph, budget: Budget) -> Colours:
    """The colours of the constitution, and of which atoms hold an arrangement."""
    held = Counter((holder, each.kind) for each in graph.arrangements for holder in each.holders)
    kinds = sorted({kind for _, kind in held})
    labels = [(label, *(held[i, kind] for kind in kinds)) for i, label in enumerate(graph.labels)]
    numbers: dict[Any, int] = {}
    start = [numbers.setdefault(label, len(numbers)) for label in labels]
    flat = graph.without_stereo()
    refined = _refined((flat, flat), (start, start), budget)
    assert refined is not None, "a graph is isomorphic to itself"
    return refined[0]


def _match(graphs: tuple[Graph, Graph], colours: tuple[Colours, Colours], budget: Budget) -> bool:
    """Depth-first, without recursion: an entry is what is still to be tried in place of one atom that was singled out."""
    stack: list[tuple[tuple[Colours, Colours], int, list[int]]] = []
    current = colours
    while True:
        refined = _refined(graphs, current, budget)
        if refined is not None:
            cell = _cell(graphs[0], refined[0])
            if not cell:
                return True
            likes = [i for i, colour in enumerate(refined[1]) if colour == refined[0][cell[0]]]
            stack.append((refined, cell[0], likes))
        while stack and not stack[-1][2]:
            stack.pop()
        if not stack:
            return False
        (first, second), single, likes = stack[-1]
        other = likes.pop(0)
        current = [*first], [*second]
        current[0][single] = current[1][other] = -1


def _refined(
    graphs: tuple[Graph, Graph], colours: tuple[Colours, Colours], budget: Budget
) -> tuple[Colours, Colours] | None:
    """The coarsest stable colours below ``colours``, equal for what may be laid onto each other; None if nothing may."""
    first, second = colours
    looks_at_all = False
    while True:
        sizes = Counter(first)
        # An atom whose colour is its own is looked at again in the last round only.
        settled = frozenset() if looks_at_all else frozenset(colour for colour, size in sizes.items() if size == 1)
        budget.take(2 * (len(first) - len(settled)) + 1)
        numbers: dict[Any, int] = {}
        first, second = (
            [numbers.setdefault(key, len(numbers)) for key in keys]
            for keys in (_keys(graphs[0], first, settled), _keys(graphs[1], second, settled))
        )
        if Counter(first) != Counter(second):
            return None
        is_stable = len(numbers) == len(sizes)
        if is_stable and (looks_at_all or not settled):
            return first, second
        looks_at_all = is_stable


def _keys(graph: Graph, colours: Colours, settled: frozenset[int]) -> list[Any]:
    """For each atom its colour, and if that is not settled those around it and its arrangements as they look with these."""
    seen: defaultdict[int, list[Any]] = defaultdict(list)
    for each in graph.arrangements:
        if all(colours[holder] in settled for holder in each.holders):
            continue
        what = (each.kind, each.seen(partial(_key, colours)))
        for holder in each.holders:
            seen[holder].append(what)
    return [
        colours[i]
        if colours[i] in settled
        else (
            colours[i],
            tuple(sorted((label, colours[other]) for label, other in around)),
            tuple(sorted(seen[i], key=repr)) if i in seen else (),
        )
        for i, around in enumerate(graph.around)
    ]


def _key(colours: Colours, ligand: int) -> tuple[int, int]:
    if ligand == NOTHING:
        return (0, 0)
    return (1, colours[~ligand]) if ligand < 0 else (2, colours[ligand])


def _cell(graph: Graph, colours: Colours) -> list[int]:
    """The atoms that look like one another, of which one is to be singled out; none if all differ."""
    cells: defaultdict[int, list[int]] = defaultdict(list)
    for i, colour in enumerate(colours):
        cells[colour].append(i)
    alike = {colour: cell for colour, cell in cells.items() if len(cell) > 1}
    if not alike:
        return []
    # Those first that decide what an arrangement is.
    open_ = [each for each in graph.arrangements if not each.is_told(partial(_key, colours))]
    wanted = {colours[ligand] for each in open_ for ligand in each.ligands if 0 <= ligand < NOTHING} & alike.keys()
    return min((alike[colour] for colour in wanted or alike), key=lambda cell: (len(cell), cell))
