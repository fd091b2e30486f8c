"""All spellings of small molecules: they are what RDKit says of every string, and what differs from them is counted."""

import random
import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import corpora
from small_graphs import (
    Compared,
    all_spellings,
    beginnings,
    canonical,
    characters_of,
    compare,
    graph_of,
)

from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier
from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier


def brute_force(smiles: str, characters: list[str]) -> set[str]:
    """Every string over the characters that RDKit reads as the molecule; left out is what has too much of something for it."""
    graph, wanted = graph_of(smiles), canonical(smiles)
    atoms, bonds, letters = len(graph.symbols), len(graph.bonds), "".join(graph.symbols)
    double = sum(symbol != "" for _, _, symbol in graph.bonds)
    found, stack = set(), [""]
    while stack:
        text = stack.pop()
        depth = text.count("(") - text.count(")")
        unwritten = atoms - sum(character.isupper() for character in text)
        too_much = (
            any(text.count(letter) > letters.count(letter) for letter in letters)
            or not 0 <= depth < atoms
            or text.count("(") >= atoms
            or sum(map(text.count, "123")) > 2 * graph.rings
            or sum(map(text.count, "=#")) > double + graph.rings
            or text.count("-") > bonds + graph.rings
            or text[-2:] in ("((", "()")
            or (text != "" and text[0] in "()123=-#")
        )
        if not too_much:
            if not unwritten and not depth and canonical(text) == wanted:
                found.add(text)
            stack += [text + character for character in characters]
    return found


@pytest.mark.parametrize(
    ("smiles", "dash", "count"),
    [
        ("CO", False, 4),  # CO, OC, C(O), O(C)
        ("CO", True, 8),
        ("CCO", False, 12),
        ("CCO", True, 48),
        ("C=CC", False, 12),
        ("CC(C)O", False, 18),
        ("C#N", False, 4),
        ("CCl", False, 4),
        ("C1CC1", False, 8),
        pytest.param("C1=CC1", False, 40, marks=pytest.mark.slow),
    ],
)
def test_all_spellings_are_what_rdkit_says_of_every_string(smiles: str, dash: bool, count: int) -> None:
    spellings = all_spellings(graph_of(smiles), dash)
    assert len(spellings) == count
    assert spellings == brute_force(smiles, characters_of(graph_of(smiles), dash))


def test_two_ring_digits_at_one_atom() -> None:
    spellings = all_spellings(graph_of("C1CC11CC1"))
    assert {"C1CC11CC1", "C12(CC1)CC2", "C1CC12CC2", "C1(C2)CC12C(C1)2"} & spellings == {
        "C1CC11CC1",
        "C12(CC1)CC2",
        "C1CC12CC2",
    }
    assert {canonical(text) for text in sorted(spellings)[::20]} == {canonical("C1CC11CC1")}


def test_differences_are_counted() -> None:
    graph = graph_of("CCO")
    texts, characters = all_spellings(graph), characters_of(graph)
    passes = partial(lambda text: canonical(text) == "CCO")
    alive, rng = beginnings(texts), random.Random(0)
    right = compare(texts, characters, alive.__contains__, passes, rng)
    # 12 spellings have 40 beginnings; each of these, and the empty text, with four characters more.
    assert right.compared == len({text + character for text in alive for character in "CO()"}) + 1
    assert (right.differing, right.unsure) == (0, 0) and right.beyond > 0
    assert compare(texts, characters, lambda text: text in alive and text != "C(C", passes, rng).differing == 1
    assert compare(texts, characters, lambda text: text in alive or text == "CCC", passes, rng).differing == 1
    assert compare(texts, characters, lambda text: None, passes, rng) == Compared(unsure=right.compared)
    assert compare(texts, characters, alive.__contains__, passes, rng, most=10).compared == 10
    with pytest.raises(AssertionError, match="CCC is no spelling"):
        compare({"CCC"}, characters, alive.__contains__, passes, rng)


@pytest.mark.parametrize("smiles", ["CC(C)CO", "CC=CCO", "CC(C)(C)C(C)C", "FC(F)(F)C(F)(F)F", "C1CC1"])
def test_viable_equals_exhaustive_search(smiles: str) -> None:
    from rlsf_lightning.records import Prompt

    graph, wanted, verifier = graph_of(smiles), canonical(smiles), SmilesVerifier()
    found = compare(
        all_spellings(graph),
        characters_of(graph),
        partial(verifier.viable, Prompt("", "", smiles)),
        lambda text: canonical(text) == wanted,
        random.Random(0),
    )
    assert found.compared > 150 and found.differing == found.unsure == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "verifier"),
    [("smiles", SmilesVerifier()), ("reaction", ReactionVerifier()), ("molecule", MoleculeVerifier())],
)
def test_the_corpora_compare_molecules_of_six_to_eight_atoms(name: str, verifier: object) -> None:
    found = corpora.corpus(name).exhaustive_by_atoms(verifier, random.Random(0))
    assert sorted(found) == [6, 7, 8]
    assert all(each.compared > 1000 and each.differing == 0 for each in found.values())
