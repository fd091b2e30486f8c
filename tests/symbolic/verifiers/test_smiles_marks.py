"""Marks of stereochemistry in prefixes: literals, all texts for tiny molecules, and random marks that RDKit judges."""

import random
import re

import pytest
from rdkit import Chem, rdBase
from smiles_cases import is_same, real_smiles, spelling

from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference, reference_of
from rlsf_lightning.symbolic.chemistry.embedding.viable import find_death, is_viable
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles


def reference(smiles: str) -> Reference:
    made = reference_of(smiles)
    assert made is not None
    return made


#: Molecules, and the tokens that their spellings are made of.
STEREO = [
    pytest.param("C[C@H](O)F", ["C", "O", "F", "[C@H]", "[C@@H]", "(", ")"], 8, 4),
    pytest.param("CC(O)F", ["C", "O", "F", "[C@H]", "(", ")"], 8, 4),
    pytest.param("F/C=C\\F", ["F", "C", "/", "\\", "=", "(", ")"], 9, 3, marks=pytest.mark.slow),
    pytest.param("O[C@H]1CO1", ["C", "O", "1", "[C@H]", "[C@@H]", "(", ")"], 10, 3, marks=pytest.mark.slow),
]


def spellings_of(smiles: str, tokens: list[str], longest: int, compared_to: int) -> tuple[set[str], list[str]]:
    """Every beginning of a text of so many tokens that RDKit reads as the molecule, and the texts to compare."""
    atoms, wanted = reference(smiles).size, Chem.CanonSmiles(smiles)
    alive, texts, stack = set(), [], [("", 0)]
    while stack:
        text, size = stack.pop()
        read = read_smiles(text)
        if read.dead_from is not None or len(read.atoms) > atoms or text.count("=") > smiles.count("="):
            continue
        if size <= compared_to:
            texts.append(text)
        if text and not read.problems and len(read.atoms) == atoms:
            molecule = Chem.MolFromSmiles(text)
            if molecule is not None and Chem.MolToSmiles(molecule) == wanted:
                alive |= {text[:end] for end in range(len(text) + 1)}
        room = longest - size
        stack += [(text + token, size + 1) for token in tokens if room > 0 and len(read.problems) <= room]
    return alive, texts


@pytest.mark.parametrize(("smiles", "tokens", "longest", "compared_to"), STEREO)
def test_all_texts_with_marks(smiles: str, tokens: list[str], longest: int, compared_to: int) -> None:
    with rdBase.BlockLogs():
        alive, texts = spellings_of(smiles, tokens, longest, compared_to)
    assert len(alive) > 10
    assert [is_viable(reference(smiles), text) for text in texts] == [text in alive for text in texts]


@pytest.mark.parametrize(
    ("smiles", "completion", "dead"),
    [
        ("C[C@H](O)F", "C[C@@H](F)O", None),
        ("C[C@H](O)F", "C[C@@H](O)F", 8),  # till then the fluorine could have come first
        ("C[C@H](O)F", "CC(O)F", 1),
        ("CC(O)F", "C[C@H](O)F", 3),
        ("C[C@H](O)F", "[C@]", 3),
        ("F/C=C/Cl", "F/C=C/Cl", None),
        ("F/C=C/Cl", "F/C=C\\Cl", 5),
        ("F/C=C/Cl", "F\\C=C/Cl", 5),
        ("F/C=C/Cl", "F/C=CCl", 5),
        ("F/C=C/Cl", "FC=C/Cl", 1),
        ("FC=CCl", "F/C=C/Cl", 5),
        ("FC=CCl", "F/C=CCl", None),
        ("FC=CCl", "FC=C/Cl", None),
        # A ring number is a neighbour, of which it is clear later which.
        ("O[C@H]1CO1", "O[C@@H]1CO1", 8),
        ("O[C@H]1CO1", "O[C@@H]1OC1", None),
        ("F/C=C1/CC1C", "F/C=C\\1CC1C", None),
        ("F/C=C1/CC1C", "F/C=C1\\CC1C", 8),
        ("F/C=C1/CC1C", "F/C=C1CC/1C", None),
        # Both hands are right where the molecule is its own mirror image.
        ("C[C@H]1CC[C@@H](C)CC1", "C[C@@H]1CC[C@H](C)CC1", None),
        ("O[C@H](C)[C@H](C)O", "O[C@@H](C)[C@@H](C)O", None),
    ],
)
def test_where_marks_are_wrong(smiles: str, completion: str, dead: int | None) -> None:
    assert is_same(smiles, completion) == (dead is None)
    death = find_death(reference(smiles), completion)
    assert (death.at, death.complete) == (dead, dead is None)
    alive = len(completion) if dead is None else dead
    answers = [is_viable(reference(smiles), completion[:end]) for end in range(len(completion) + 1)]
    assert answers == [True] * (alive + 1) + [False] * (len(completion) - alive)


def with_random_marks(flat: str, rng: random.Random) -> str:
    """Direction marks before some atoms and ring numbers, in most cases such that none of it makes sense."""
    marked = before = ""
    for token in re.findall(r"\[[^\]]*\]|.", flat):
        is_number = token.isdigit()
        if before not in ("", "=", "-", *("(" if is_number else "")) and (
            token[0].isalpha() or token[0] == "[" or is_number
        ):
            marked += rng.choice(["", "", "/", "\\"])
        marked += token
        before = token
    return marked


@pytest.mark.parametrize("smiles", ["F/C=C1/CC1C", "CC=C1CCC1O", "F/C=C\\C=C/C", "FC(/C)=C1/CCO1", "C1CCC/C=C\\CCCO1"])
def test_any_marks_that_rdkit_reads_as_the_molecule_are_alive(smiles: str) -> None:
    rng, right = random.Random(1), 0
    with rdBase.BlockLogs():
        for _ in range(400):
            text = with_random_marks(re.sub(r"[/\\]", "", spelling(smiles, rng)), rng)
            if is_same(smiles, text):
                right += 1
                assert find_death(reference(smiles), text).complete, text
    assert right > 10


_OTHERS = {"@": ["@@", ""], "@@": ["@", ""], "/": ["\\", ""], "\\": ["/", ""]}


def test_real_molecules_with_one_mark_changed_are_dead_unless_rdkit_reads_the_molecule() -> None:
    rng = random.Random(3)
    wrong = 0
    with rdBase.BlockLogs():
        for smiles in real_smiles(600, seed=3):
            text = spelling(smiles, rng)
            marks = list(re.finditer(r"@@?|[/\\]", text))
            if not marks:
                continue
            assert find_death(reference(smiles), text).complete, text
            mark = rng.choice(marks)
            changed = text[: mark.start()] + rng.choice(_OTHERS[mark[0]]) + text[mark.end() :]
            death = find_death(reference(smiles), changed)
            if is_same(smiles, changed):
                assert death.complete, (smiles, changed)
            elif Chem.MolFromSmiles(changed) is not None:
                wrong += 1
                assert not death.complete and death.at is not None, (smiles, changed)
                assert is_viable(reference(smiles), changed[: death.at]) is True
                assert death.at == len(changed) or is_viable(reference(smiles), changed[: death.at + 1]) is False
    assert wrong > 20
