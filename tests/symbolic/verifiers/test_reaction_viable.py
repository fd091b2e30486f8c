"""Prefixes of reaction answers: literals, all texts for tiny answers, every prefix of real ones in other spellings."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase
from reaction_cases import VERIFIER, real_answers, respelled, retro
from smiles_cases import corruption

from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier


@pytest.mark.parametrize(
    ("reference", "prefix", "viable"),
    [
        ("CN.CC", "", True),
        ("CN.CC", "\n ", True),
        ("CN.CC", "C", True),
        ("CN.CC", "CC.", True),
        ("CN.CC", "CC.C", True),
        ("CN.CC", "CC.CN \n", True),
        ("CN.CC", "CC.CN.", False),
        ("CN.CC", "CC.CC", False),
        ("CN.CC", "CC. CN", False),
        ("CN.CC", "CC ", False),
        ("CN.CC", ".", False),
        ("CN.CC", "CC..", False),
        ("CC.CC", "CC.CC", True),
        ("CN.CCl", "CC", True),  # CCl
        ("CN.CCl", "CC.", False),
        ("CN.CCl", "C.", False),
        # A dot ends a component, unless a ring number is open across it.
        ("CC", "C1.", True),
        ("CC", "C1", True),
        ("CC", "C1.O", False),
        ("CC", "C1.C1.", False),
        ("C.C", "C1", False),
        ("C1CC1.C", "C1", True),
        ("C1CC1.C", "C1.", False),  # an atom of the ring has two bonds
        ("C1CC1.C", "C12.", True),
        ("C1CC1.C", "C12.C.", False),
        ("CC.C", "C(.", False),
        ("CC.C", "[C.", False),
        # Stereochemistry counts as soon as it is clear.
        ("C[C@H](O)F.O", "C[C@@H](", True),
        ("C[C@H](O)F.O", "C[C@@H](O", False),
        ("C[C@H](O)F.C[C@@H](O)F", "C[C@@H](O)F.C[C@@H](", True),
        ("C[C@H](O)F.C[C@@H](O)F", "C[C@@H](O)F.C[C@@H](O", False),
        ("C[C@H](O)F.O", "C[C@@H](O)F.", False),
        ("C[C@H](O)F.O", "C[C@H](O)F.", True),
        # Hydrogens as atoms cannot be judged while a component goes on, and are when it is whole.
        ("CN.O", "[H]O", None),
        ("CN.O", "[H]O[H].", True),
        ("CN.O", "[H]N([H])[H].", False),
    ],
)
def test_a_prefix(reference: str, prefix: str, viable: bool | None) -> None:
    assert VERIFIER.viable(retro(reference), prefix) is viable


def passes(text: str, wanted: list[str]) -> bool:
    molecules = [Chem.MolFromSmiles(part) if part else None for part in text.split(".")]
    return None not in molecules and sorted(map(Chem.MolToSmiles, molecules)) == wanted


@pytest.mark.parametrize(
    ("reference", "letters", "longest", "compared_to"),
    [
        ("C.O", "CO.=", 6, 5),
        ("CO.C", "CO.()", 6, 3),
        ("C=O.C", "CO=.", 6, 4),
        ("C.C.O", "CO.", 6, 5),
        ("Cl.C", "ClB.", 5, 4),
    ],
)
def test_all_texts_for_a_tiny_answer(reference: str, letters: str, longest: int, compared_to: int) -> None:
    wanted = sorted(map(Chem.CanonSmiles, reference.split(".")))
    texts = ["".join(chosen) for size in range(longest + 1) for chosen in itertools.product(letters, repeat=size)]
    atoms = sum(letter.isupper() for letter in reference)
    texts = [text for text in texts if sum(letter.isupper() for letter in text) <= atoms]
    with rdBase.BlockLogs():
        lives = {text[:end] for text in texts if passes(text, wanted) for end in range(len(text) + 1)}
    assert len(lives) > 5
    prompt = retro(reference)
    for text in texts:
        if len(text) <= compared_to:
            assert VERIFIER.viable(prompt, text) is (text in lives), text


def assert_every_prefix_is_viable(reference: str, text: str) -> None:
    prompt = retro(reference, "C")
    for end in range(len(text) + 1):
        assert VERIFIER.viable(prompt, text[:end]) is True, (reference, text[:end])


def test_every_prefix_of_every_order_and_spelling_is_viable() -> None:
    rng = random.Random(1)
    for answer in real_answers(12, seed=1):
        assert_every_prefix_is_viable(answer, answer)
        assert_every_prefix_is_viable(answer, respelled(answer, rng))


@pytest.mark.slow
def test_every_prefix_of_many_answers_is_viable() -> None:
    rng = random.Random(2)
    for answer in real_answers(200, seed=2):
        for _ in range(4):
            assert_every_prefix_is_viable(answer, respelled(answer, rng))


def test_the_certificate_dies_where_the_prefixes_do() -> None:
    rng = random.Random(4)
    judged = 0
    for answer in real_answers(24, seed=4):
        completion = corruption(respelled(answer, rng), rng)
        prompt = retro(answer, "C")
        certificate = VERIFIER.verify(prompt, completion)
        answers = [VERIFIER.viable(prompt, completion[:end]) for end in range(len(completion) + 1)]
        if certificate.dead_from is not None:
            judged += 1
            first = answers.index(False) - 1 if False in answers else len(completion)
            assert certificate.dead_from == first, (answer, completion)
    assert judged > 15


@given(st.sampled_from(["CCO.CN", "c1ccccc1O.Cl", "[Na+].CC(=O)[O-]", "CC.CC", "C[C@H](O)F.O"]), st.data())
@settings(max_examples=80, deadline=None)
def test_the_dead_stay_dead(reference: str, data: st.DataObject) -> None:
    tokens = st.sampled_from(
        [
            "C",
            "c",
            "O",
            "=",
            "(",
            ")",
            "1",
            "%12",
            "[",
            "]",
            "[Na+]",
            "[O-]",
            "N",
            "Cl",
            ".",
            ".",
            "l",
            " ",
            "é",
            "[C@H]",
        ]
    )
    text = "".join(data.draw(st.lists(tokens, max_size=12)))
    answers = [VERIFIER.viable(retro(reference), text[:end]) for end in range(len(text) + 1)]
    if False in answers:
        assert set(answers[answers.index(False) :]) == {False}, (text, answers)
    certificate = VERIFIER.verify(retro(reference), text)
    if certificate.dead_from is not None:
        assert answers[certificate.dead_from] is not False


def test_longer_than_what_is_read_is_dead() -> None:
    short = ReactionVerifier(max_chars=4)
    assert short.viable(retro("CN.CCO"), "CN.C") is True
    assert short.viable(retro("CN.CCO"), "CN.CC") is False
