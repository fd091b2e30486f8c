"""The reader against literals, and against RDKit on all short strings."""

import itertools
import random

import pytest
from rdkit import Chem, rdBase
from smiles_cases import corruption, real_smiles, spelling

from rlsf_lightning.symbolic.chemistry.smiles_parser import MAX_PROBLEMS, read_smiles
from rlsf_lightning.symbolic.chemistry.smiles_tokens import (
    Atom,
    may_become_atom,
    may_become_ring,
    may_become_ring_number,
    read_atom,
    ring_symbol,
)

_AS_WRITTEN = Chem.SmilesParserParams()
_AS_WRITTEN.sanitize = _AS_WRITTEN.removeHs = _AS_WRITTEN.parseName = _AS_WRITTEN.allowCXSMILES = False


@pytest.fixture(autouse=True)
def quiet_rdkit():
    with rdBase.BlockLogs():
        yield


def rdkit_reads(text: str):
    return Chem.MolFromSmiles(text, _AS_WRITTEN)


def assert_same_graph(text: str, molecule) -> None:
    read = read_smiles(text)
    assert [atom.symbol for atom in read.atoms] == [atom.GetSymbol() for atom in molecule.GetAtoms()], text
    ours = {frozenset((bond.first, bond.second)) for bond in read.bonds}
    assert ours == {frozenset((b.GetBeginAtomIdx(), b.GetEndAtomIdx())) for b in molecule.GetBonds()}, text


def test_atoms_and_bonds_with_their_places() -> None:
    read = read_smiles("C[NH3+].Clc1%12ccc=1%12")
    assert [(atom.start, atom.end, atom.symbol) for atom in read.atoms] == [
        (0, 1, "C"),
        (1, 7, "N"),
        (8, 10, "Cl"),
        (10, 11, "C"),
        (15, 16, "C"),
        (16, 17, "C"),
        (17, 18, "C"),
    ]
    assert [(bond.first, bond.second, bond.symbol, bond.spans) for bond in read.bonds] == [
        (0, 1, "", ()),
        (2, 3, "", ()),
        (3, 4, "", ()),
        (4, 5, "", ()),
        (5, 6, "", ()),
        (3, 6, "=", ((11, 12), (18, 20))),
    ]
    assert [problem.kind for problem in read.problems] == ["duplicate_bond"]


def test_a_bracket_atom_is_taken_apart() -> None:
    assert read_atom("[13C@@H2--:7]") == Atom(0, 13, "C", False, True, 13, 2, -2, 7, "@@")
    assert read_atom("[nH]") == Atom(0, 4, "N", aromatic=True, bracket=True, hydrogens=1)
    assert read_atom("[#6H3]") == Atom(0, 6, "C", bracket=True, hydrogens=3)
    assert read_atom("[se]") == Atom(0, 4, "Se", aromatic=True, bracket=True)
    assert read_atom("[Uuo]") == Atom(0, 5, "Og", bracket=True)
    assert read_atom("Br") == Atom(0, 2, "Br")
    for wrong in (
        "[Xx]",
        "[C@@@]",
        "[CHH]",
        "[C+-]",
        "[012C]",
        "[C---]",
        "[#119]",
        "[]",
        "[C:]",
        "[rh]",
        "[C+9999999999]",
    ):
        assert read_atom(wrong) is None, wrong


#: text -> (kind, start, end) of every problem, and the first character after which nothing helps.
PROBLEMS = {
    "CC(C": ([("unclosed_branch", 2, 3)], None),
    "CC(C(C": ([("unclosed_branch", 2, 3), ("unclosed_branch", 4, 5)], None),
    "CC)C": ([("extra_close", 2, 3)], 2),
    "c1ccccc": ([("unclosed_ring", 1, 2)], None),
    "CC1CC=2": ([("unclosed_ring", 2, 3), ("unclosed_ring", 5, 7)], None),
    "C11": ([("ring_to_self", 2, 3)], 2),
    "C12CC12": ([("duplicate_bond", 6, 7)], 6),
    "C1C1": ([("duplicate_bond", 3, 4)], 3),
    "CCXC": ([("bad_character", 2, 3)], 2),
    "CC=": ([("dangling_bond", 2, 3)], None),
    "C==C": ([("dangling_bond", 1, 3)], 2),
    "=C": ([("dangling_bond", 0, 1)], 0),
    "C=(C)C": ([("dangling_bond", 1, 2)], 2),
    "C(=)C": ([("dangling_bond", 2, 3)], 3),
    "C=.C": ([("dangling_bond", 1, 2)], 2),
    "C()C": ([("syntax", 2, 3)], 2),
    "(C)C": ([("syntax", 0, 1)], 0),
    "C((C))C": ([("syntax", 2, 3)], 2),
    "C(1)C": ([("syntax", 2, 3), ("syntax", 3, 4)], 2),
    ".C": ([("syntax", 0, 1)], 0),
    "C..C": ([("syntax", 2, 3)], 2),
    "C.": ([("syntax", 1, 2)], None),
    "1CC": ([("syntax", 0, 1)], 0),
    "[CH3": ([("bad_bracket_atom", 0, 4)], None),
    "C[Xx]C": ([("bad_bracket_atom", 1, 5)], 3),
    "C[CHH]": ([("bad_bracket_atom", 1, 6)], 4),
    "C[C(C)C": ([("bad_bracket_atom", 1, 4)], 3),
    "C%1": ([("syntax", 1, 3)], None),
    "C%1C": ([("syntax", 1, 4)], 3),
    "C(%12)": ([("syntax", 2, 5), ("syntax", 5, 6)], 2),
    "CCéà": ([("bad_character", 2, 4)], 2),
    "C\ud800C\x00": ([("bad_character", 1, 2), ("bad_character", 3, 4)], 1),
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_problems_have_a_place_and_a_first_dead_character(text: str) -> None:
    problems, dead_from = PROBLEMS[text]
    read = read_smiles(text)
    assert [(problem.kind, problem.start, problem.end) for problem in read.problems] == problems
    assert read.dead_from == dead_from
    if text.isascii():
        assert rdkit_reads(text) is None


def compare_all_strings(alphabet: str, longest: int, frame: str = "{}") -> tuple[int, int]:
    """How many strings RDKit reads; how many it rejects that the reader lets through. Fails where it is the other way."""
    missed = accepted = 0
    for length in range(1, longest + 1):
        for symbols in itertools.product(alphabet.split(), repeat=length):
            text = frame.format("".join(symbols))
            molecule = rdkit_reads(text)
            if molecule is None:
                missed += not read_smiles(text).problems
            else:
                accepted += 1
                assert not read_smiles(text).problems, text
                assert_same_graph(text, molecule)
    return accepted, missed


def test_all_short_strings_are_read_as_rdkit_reads_them() -> None:
    for alphabet, longest, at_least in (("C ( ) 1 = .", 5, 25), (r"C c 1 / \ ~ > < $ *", 3, 60), ("C [ ] % ( 1", 5, 6)):
        accepted, missed = compare_all_strings(alphabet, longest)
        assert accepted >= at_least and missed == 0, (alphabet, accepted, missed)


def test_all_short_brackets_are_read_as_rdkit_reads_them() -> None:
    accepted, missed = compare_all_strings("C H 2 + - : 1 # n", 3, "[{}]C")
    assert accepted >= 100 and missed == 0


@pytest.mark.slow
@pytest.mark.parametrize(("alphabet", "longest"), [("C c ( ) 1 2 = . - % 0 [ ] H", 5), ("C ( ) 1 = . -", 7)])
def test_all_longer_strings_are_read_as_rdkit_reads_them(alphabet: str, longest: int) -> None:
    accepted, missed = compare_all_strings(alphabet, longest)
    assert accepted > 400 and missed == 0


def test_what_is_certainly_dead_stays_so() -> None:
    """No string that RDKit reads has a beginning that the reader gave up."""
    rng = random.Random(3)
    for smiles in real_smiles(40, seed=3):
        text = spelling(smiles, rng)
        assert_same_graph(text, rdkit_reads(text))
        for end in range(len(text) + 1):
            assert read_smiles(text[:end]).dead_from is None, text[:end]


def test_corrupted_molecules_are_read_as_rdkit_reads_them() -> None:
    rng = random.Random(4)
    accepted = 0
    for smiles in real_smiles(200, seed=4):
        text = corruption(smiles, rng)
        molecule = rdkit_reads(text) if text else None
        if molecule is not None:
            accepted += 1
            assert not read_smiles(text).problems, text
            assert_same_graph(text, molecule)
    assert accepted > 50


def test_beginnings_of_tokens() -> None:
    assert all(
        may_become_atom(text) for text in ("[", "[1", "[C", "[U", "[Uu", "[A", "[a", "[C@T", "[C@", "[C:", "[#", "[CH")
    )
    assert not any(may_become_atom(text) for text in ("[]", "[J", "[CHH", "[C+-", "[C ", "[C["))
    assert all(may_become_ring(text) for text in ("%", "%1", "%(", "%(123"))
    assert not any(may_become_ring(text) for text in ("%0", "%C", "%(123456", "%12"))
    assert may_become_ring_number("%1", 12) and may_become_ring_number("%(01", 12) and may_become_ring_number("%", 3)
    assert not may_become_ring_number("%1", 21) and not may_become_ring_number("%(3", 12)


def test_the_opening_symbol_of_a_ring_bond_counts_unless_it_is_a_direction() -> None:
    assert ring_symbol("=", "-") == "=" and ring_symbol("", "=") == "=" and ring_symbol("/", "=") == "="
    assert ring_symbol("/", "") == "/" and ring_symbol("", "") == ""
    for text, order in (("C=1CC-1", "="), ("C-1CC=1", "-"), ("C/1CC=1", "="), ("C=1CC/1", "=")):
        (ring,) = [bond for bond in read_smiles(text).bonds if len(bond.spans) == 2]
        assert ring.symbol == order
        double = rdkit_reads(text).GetBondBetweenAtoms(0, 2).GetBondTypeAsDouble() == 2.0
        assert double == (order == "=")


@pytest.mark.parametrize(
    "text", ["(" * 100_000, ")" * 100_000, "[" * 100_000, "%" * 100_000, "é" * 100_000, "1" * 100_000]
)
def test_a_hostile_string_costs_little(text: str) -> None:
    read = read_smiles(text)
    assert 1 <= len(read.problems) <= MAX_PROBLEMS
    assert len(read.atoms) == 0
