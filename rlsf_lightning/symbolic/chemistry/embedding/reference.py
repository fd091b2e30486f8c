"""What a prefix of a SMILES is compared with: the reference molecule as bit masks over its atoms.

Says, for every atom that can be written, which atoms of the reference it may stand for, and for every written bond which
bonds; and keeps account of Kekulé structures, since a ring may be written in any of them. Which atoms may have a mark of
stereochemistry is seen here, which mark it has to be is not (``handed``).
Where RDKit's clean-up rewrites charges and bonds (nitro groups, N-oxides, halogen oxides, metals), charges and bond
orders are taken loosely: more may be allowed than is right, never less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.embedding.reference_stereo import ReferenceStereo
from rlsf_lightning.symbolic.chemistry.smiles_parser import CHIRALITY_CLASSES, ELEMENTS, Atom, read_atom

SINGLE, DOUBLE, TRIPLE, QUADRUPLE, AROMATIC, LOOSE = range(6)
#: What a written bond symbol asks for.
ORDER_OF_SYMBOL = {"-": SINGLE, "=": DOUBLE, "#": TRIPLE, "$": QUADRUPLE, ":": AROMATIC}
_ORDERS = {1.0: SINGLE, 2.0: DOUBLE, 3.0: TRIPLE, 4.0: QUADRUPLE}
_NONMETALS = frozenset("* H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Te I Xe At Rn".split())
#: Elements with several valences: a ring atom may have another number of double bonds in another Kekulé structure.
_SEVERAL_VALENCES = frozenset(["P", "S", "As", "Se", "Te", "I"])
_UNBRACKETED = frozenset(["B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "*"])
#: Centre, leaf and order of the charged bonds that RDKit's clean-up makes from neutral ones of a higher order.
_REWRITTEN: dict[tuple[str, str, int | None], int] = {
    ("N", "O", SINGLE): SINGLE,
    ("N", "N", DOUBLE): DOUBLE,
    ("Cl", "O", SINGLE): SINGLE,
    ("Br", "O", SINGLE): SINGLE,
    ("I", "O", SINGLE): SINGLE,
}
_DATIVE = {Chem.BondType.DATIVE, Chem.BondType.DATIVEONE, Chem.BondType.DATIVEL, Chem.BondType.DATIVER}
#: Branches of the search for a Kekulé structure; beyond it one is taken to exist.
_SEARCH_LIMIT = 2_000
_CHIRALITIES = ["@", "@@", *(f"@{c}{n}" for c, count in CHIRALITY_CLASSES.items() for n in ["", *range(1, count + 1)])]


def bits(mask: int) -> list[int]:
    """The positions of the ones."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


@lru_cache(maxsize=2048)
def reference_of(smiles: str) -> Reference | None:
    """The reference, made once for each SMILES; None if RDKit cannot read it."""
    molecule = rdkit_io.parse(smiles)
    return None if molecule is None else Reference(molecule)


class Site:
    """One atom of the reference and what may be written for it."""

    def __init__(self, atom: Any, order_sum: float, loose: bool, rewritten: bool, pi: bool, pi_near: bool) -> None:
        self.symbol: str = atom.GetSymbol()
        self.charge: int = atom.GetFormalCharge()
        self.isotope: int = atom.GetIsotope()
        self.hydrogens: int = atom.GetTotalNumHs()
        self.map_number: int = atom.GetAtomMapNum()
        #: Clean-up may have given it its charge.
        self.rewritten = rewritten
        loose = loose or rewritten
        in_ring = atom.IsInRing()
        aromatic = atom.GetIsAromatic()
        self.lower_case = in_ring and (loose or aromatic or pi or pi_near)
        plain = not (self.isotope or self.map_number) and self.symbol in _UNBRACKETED
        valences = [v for v in _valences(self.symbol) if v >= order_sum]
        filled = int(valences[0] - order_sum) if valences and valences[0] > 0 else 0
        as_implied = not self.charge and not atom.GetNumRadicalElectrons() and filled == self.hydrogens
        self.upper_plain = plain and (rewritten or as_implied or (loose and not self.charge))
        # RDKit gives a lower-case atom without bracket a double bond wherever it has room for one.
        own = loose or self.symbol in ("O", "S") or self.hydrogens == 0 or (self.symbol == "C" and (aromatic or pi))
        self.lower_plain = self.upper_plain and self.lower_case and own

    def key(self) -> tuple[Any, ...]:
        """Equal for atoms that the same tokens may stand for."""
        return tuple(vars(self).values())

    def accepts(self, atom: Atom) -> bool:
        """Whether ``atom``, as it is written, may stand for this one, its bonds aside."""
        if atom.symbol != self.symbol:
            return False
        if not atom.bracket:
            return self.lower_plain if atom.aromatic else self.upper_plain
        return (
            atom.hydrogens == self.hydrogens
            and (atom.charge == self.charge or (self.rewritten and atom.charge == 0))
            and atom.isotope == self.isotope
            and atom.map_number == self.map_number
            and (self.lower_case or not atom.aromatic)
        )

    def may_become(self, fragment: str, aromatic: bool, marks: list[str]) -> bool:
        """Whether some continuation of ``fragment``, which begins with ``[``, is a bracket atom for this one.

        ``marks``: what may stand in it of stereochemistry.
        """
        if aromatic and not self.lower_case:
            return False
        symbol = self.symbol.lower() if aromatic else self.symbol
        if aromatic and read_atom(f"[{symbol}]") is None:
            return False
        charges = {self.charge, 0} if self.rewritten else {self.charge}
        parts = (
            [str(self.isotope)] if self.isotope else ["", "0"],
            [symbol] if aromatic else [symbol, f"#{ELEMENTS.index(self.symbol)}", f"'{symbol}'"],
            marks,
            {0: ["", "H0"], 1: ["H", "H1"]}.get(self.hydrogens, [f"H{self.hydrogens}"]),
            [spelling for charge in charges for spelling in _charge_spellings(charge)],
            [f":{self.map_number}"] if self.map_number else ["", ":0"],
            ["]"],
        )
        return _may_begin(fragment[1:], parts)


@cache
def _valences(symbol: str) -> tuple[int, ...]:
    return tuple(Chem.GetPeriodicTable().GetValenceList(symbol))


def _charge_spellings(charge: int) -> list[str]:
    if charge == 0:
        return ["", "+0", "-0"]
    sign = "+" if charge > 0 else "-"
    return [f"{sign}{abs(charge)}"] + ([sign * abs(charge)] if abs(charge) <= 2 else [])


def _may_begin(text: str, parts: tuple[list[str], ...]) -> bool:
    """Whether ``text`` is the beginning of some spelling that takes one of each part in turn."""
    if not text:
        return True
    if not parts:
        return False
    return any(
        spelling.startswith(text) or (text.startswith(spelling) and _may_begin(text[len(spelling) :], parts[1:]))
        for spelling in parts[0]
    )


class Rewrite(NamedTuple):
    """A bond between a positive centre and a negative leaf that clean-up may have made from a neutral, higher one."""

    centre: int
    leaf: int
    #: The order that it has in the reference.
    order: int
    #: Some other leaf can take the higher bond instead.
    optional: bool


class Edge(NamedTuple):
    """A bond of the reference; ``order`` is that of one Kekulé structure. ``loose``: any order may be written."""

    a: int
    b: int
    order: float
    aromatic: bool
    in_ring: bool
    loose: bool


class Reference:
    """The reference as masks: bit i is its atom i."""

    def __init__(self, molecule: Any) -> None:
        atoms = list(molecule.GetAtoms())
        edges = _edges(molecule, atoms)
        self.size = len(atoms)
        self.all = (1 << self.size) - 1
        self.bond_count = len(edges)
        self.neighbours = [0] * self.size
        #: allowed[order][atom]: the neighbours to which the bond may be written with that order.
        self.allowed = [[0] * self.size for _ in range(LOOSE + 1)]
        #: The bit of a bond whose order differs between Kekulé structures.
        self.kekule_bit: dict[tuple[int, int], int] = {}
        self.rewrites = _find_rewrites(edges, atoms)
        self._atom_masks: dict[str, int] = {}
        for edge in edges:
            self._add_edge(edge)
        self.degree = [mask.bit_count() for mask in self.neighbours]
        self.sites = self._make_sites(atoms, edges)
        self.twins = self._find_twins(edges)
        self.kekule = KekuleStructures(edges, self.kekule_bit, [site.symbol for site in self.sites])
        self.stereo = ReferenceStereo(molecule)

    def _add_edge(self, edge: Edge) -> None:
        a, b = edge.a, edge.b
        self.neighbours[a] |= 1 << b
        self.neighbours[b] |= 1 << a
        allowed: Iterable[int]
        if edge.loose:
            allowed = range(LOOSE + 1)
        elif edge.aromatic:
            allowed = (SINGLE, DOUBLE, AROMATIC)
            self.kekule_bit[a, b] = self.kekule_bit[b, a] = 1 << (len(self.kekule_bit) // 2)
        else:
            kind = _ORDERS[edge.order]
            # An aromatic bond outside a ring (between two lower-case atoms, say) is read as a single one.
            either = kind == SINGLE or (kind == DOUBLE and edge.in_ring)
            allowed = (kind, AROMATIC) if either else (kind,)
            if (a, b) in self.rewrites:
                allowed = (*allowed, kind + 1)
        for asked in allowed:
            self.allowed[asked][a] |= 1 << b
            self.allowed[asked][b] |= 1 << a

    def _make_sites(self, atoms: list[Any], edges: list[Edge]) -> list[Site]:
        order_sum = [0.0] * self.size
        pi = loose = 0
        for edge in edges:
            ends = 1 << edge.a | 1 << edge.b
            order_sum[edge.a] += edge.order
            order_sum[edge.b] += edge.order
            pi |= ends if edge.order >= 2 else 0
            loose |= ends if edge.loose else 0
        rewritten = {end for pair in self.rewrites for end in pair}
        return [
            Site(
                atom,
                order_sum[i],
                loose=bool(loose >> i & 1),
                rewritten=i in rewritten,
                pi=bool(pi >> i & 1),
                pi_near=bool(pi & self.neighbours[i]),
            )
            for i, atom in enumerate(atoms)
        ]

    def _find_twins(self, edges: list[Edge]) -> list[int]:
        """For each atom with one neighbour, itself and those that can change places with it (as masks)."""
        twins = [1 << i for i in range(self.size)]
        groups: dict[tuple[Any, ...], int] = {}
        for edge in edges:
            for leaf, centre in ((edge.a, edge.b), (edge.b, edge.a)):
                if self.degree[leaf] == 1:
                    key = (centre, edge.order, edge.loose, self.sites[leaf].key())
                    groups[key] = groups.get(key, 0) | 1 << leaf
        for group in groups.values():
            for leaf in bits(group):
                twins[leaf] = group
        return twins

    def atoms_for(self, token: str, atom: Atom) -> int:
        """The mask of atoms that ``atom``, written as ``token``, may stand for."""
        mask = self._atom_masks.get(token)
        if mask is None:
            mask = sum(1 << i for i, site in enumerate(self.sites) if site.accepts(atom))
            mask &= ~(self.stereo.unmarked if atom.chirality else self.stereo.marked)
            self._atom_masks[token] = mask
        return mask

    def atoms_from(self, fragment: str, aromatic: bool) -> int:
        """The mask of atoms that a bracket which begins with ``fragment`` may come to stand for."""
        marks = _CHIRALITIES if "@" in fragment else ["@"]
        unmarked = self.stereo.unmarked if "@" in fragment else 0
        mask = 0
        for i, site in enumerate(self.sites):
            allowed = marks if self.stereo.marked >> i & 1 else [""] if unmarked >> i & 1 else ["", *marks]
            mask |= site.may_become(fragment, aromatic, allowed) << i
        return mask


def _edges(molecule: Any, atoms: list[Any]) -> list[Edge]:
    """The bonds. Loose are those whose order depends on RDKit's version or has no number: at metals, dative ones, and
    between opposite charges in an aromatic ring."""
    copy = Chem.Mol(molecule)
    try:
        Chem.Kekulize(copy, clearAromaticFlags=True)
    except Chem.KekulizeException:
        copy = molecule  # the order 1.5 stays, which is loose
    metals = [atom.GetSymbol() not in _NONMETALS for atom in atoms]
    charges = [atom.GetFormalCharge() for atom in atoms]
    edges = []
    for bond, kekule_bond in zip(list(molecule.GetBonds()), list(copy.GetBonds()), strict=True):
        a, b, aromatic = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), bond.GetIsAromatic()
        order = 0.0 if kekule_bond.GetBondType() in _DATIVE else kekule_bond.GetBondTypeAsDouble()
        loose = order not in _ORDERS or metals[a] or metals[b] or (aromatic and charges[a] * charges[b] < 0)
        edges.append(Edge(a, b, order, aromatic, bond.IsInRing(), loose))
    return edges


def _find_rewrites(edges: list[Edge], atoms: list[Any]) -> dict[tuple[int, int], Rewrite]:
    """The bonds (from either end) that RDKit's clean-up makes: nitro groups, azides, N-oxides, halogen oxides."""
    charges = [atom.GetFormalCharge() for atom in atoms]
    found = []
    for edge in edges:
        if charges[edge.a] * charges[edge.b] < 0 and not edge.aromatic:
            leaf, centre = sorted((edge.a, edge.b), key=charges.__getitem__)
            order = _REWRITTEN.get((atoms[centre].GetSymbol(), atoms[leaf].GetSymbol(), _ORDERS.get(edge.order)))
            if order is not None and charges[leaf] == -1:
                found.append((centre, leaf, order))
    leaves = Counter(centre for centre, _, _ in found)
    rewrites = {}
    for centre, leaf, order in found:
        rewrite = Rewrite(centre, leaf, order, optional=leaves[centre] > charges[centre])
        rewrites[centre, leaf] = rewrites[leaf, centre] = rewrite
    return rewrites


class KekuleStructures:
    """Which of the bonds of changing order may be double together. A set of bonds is a mask of their bits."""

    def __init__(self, edges: list[Edge], bit_of: dict[tuple[int, int], int], symbols: list[str]) -> None:
        bonds_at: dict[int, int] = {}
        first = 0
        for edge in edges:
            bit = bit_of.get((edge.a, edge.b), 0)
            if bit:
                bonds_at[edge.a] = bonds_at.get(edge.a, 0) | bit
                bonds_at[edge.b] = bonds_at.get(edge.b, 0) | bit
                first |= bit if edge.order == 2 else 0
        #: (bonds of an atom, how many of them are double in every Kekulé structure)
        self._rules = [
            (mask, (mask & first).bit_count())
            for atom, mask in bonds_at.items()
            if symbols[atom] not in _SEVERAL_VALENCES
        ]
        self._all = (1 << (len(bit_of) // 2)) - 1
        self._known = [first]
        self._impossible: set[tuple[int, int]] = set()
        self._nodes = 0

    def allow(self, single: int, double: int) -> bool:
        """Whether some Kekulé structure has all bonds of ``single`` single and all of ``double`` double."""
        for structure in self._known:
            if not structure & single and not double & ~structure:
                return True
        if single & double or (single, double) in self._impossible:
            return False
        self._nodes = 0
        found = self._solve(single, double)
        if found is None:
            self._impossible.add((single, double))
            return False
        if len(self._known) < 64:
            self._known.append(found)
        return True

    def _solve(self, single: int, double: int) -> int | None:
        """A Kekulé structure (its double bonds), or None. Beyond the limit of the search: as if there were one."""
        self._nodes += 1
        if self._nodes > _SEARCH_LIMIT:
            return double
        changed = True
        while changed:
            changed = False
            for mask, wanted in self._rules:
                missing = wanted - (mask & double).bit_count()
                free = mask & ~single & ~double
                if missing < 0 or missing > free.bit_count():
                    return None
                if free and missing == 0:
                    single |= free
                    changed = True
                elif free and missing == free.bit_count():
                    double |= free
                    changed = True
        free = self._all & ~single & ~double
        if not free:
            return double
        bit = free & -free
        found = self._solve(single, double | bit)
        return found if found is not None else self._solve(single | bit, double)
