"""Ring numbers that are open at a dot: a bond between two fragments, as in the strings of SAFE."""

import itertools
import random
import re

import pytest
import reaction_cases
from certificates import checked
from rdkit import Chem, rdBase
from reaction_cases import forward, retro
from smiles_cases import VERIFIER, is_same, real_smiles, verify

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier

SAME = [
    ("CCO", "C1.C1O"),
    ("CCO", "C1O.C1"),
    ("CCC", "C1.C12.C2"),
    ("C=C", "C=1.C1"),
    ("C#N", "C1.N#1"),
    ("C1CC1", "C12.C13.C23"),
    ("c1ccccc1C", "c1ccccc12.C2"),
    ("CC(=O)NC", "CC%10=O.CN%10"),
    ("CC(C)C", "C123.C1.C2.C3"),
    ("CC.O", "C1.O.C1"),
    ("N[C@@H](C)C(=O)O", "[C@@H]12C.N1.C2(=O)O"),
    ("N[C@@H](C)C(=O)O", "N1.[C@@H]12C.C2(=O)O"),
    ("C/C=C/C", "C/C=C/1.C1"),
    ("CCN(CC)CCOC(=O)c1ccccc1", "CCN3CC.C34.C45.O56.C6(=O)c1ccccc1"),
]


@pytest.mark.parametrize(("reference", "completion"), SAME)
def test_a_bond_over_a_dot_is_read(reference: str, completion: str) -> None:
    assert is_same(reference, completion)
    assert verify(reference, completion).verdict is Verdict.PASS
    assert verify(completion, reference).verdict is Verdict.PASS
    assert verify(None, completion).verdict is Verdict.PASS
    for prompt in (Prompt("", "", reference), Prompt("", "")):
        assert not any(VERIFIER.viable(prompt, completion[:end]) is False for end in range(len(completion) + 1))


@pytest.mark.parametrize(
    ("reference", "completion", "kind", "dead"),
    [
        ("CCO", "C1.C1N", "wrong_atoms", 5),
        ("CCC", "C1.C1", "missing_atoms", 5),
        ("CCO", "C1O.O1", "wrong_atoms", 4),
        ("CCO", "C1C.O2", "unclosed_ring", None),
        ("C1CC1", "C12.C1.C2", "missing_bonds", 6),
        ("N[C@@H](C)C(=O)O", "[C@H]12C.N1.C2(=O)O", "wrong_stereo", None),
        ("CC", "C1.CC1", "wrong_atoms", 4),
        (None, "C1.C2", "unclosed_ring", 5),
        (None, "C1.C1.", "syntax", 6),
        (None, "C1.1", "syntax", 3),
    ],
)
def test_what_is_wrong_with_one_has_its_place(
    reference: str | None, completion: str, kind: str, dead: int | None
) -> None:
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.FAIL and kind in [finding.kind for finding in certificate.findings]
    assert dead is None or certificate.dead_from == dead


def in_pieces(smiles: str, rng: random.Random) -> str | None:
    """The molecule cut at some single bonds, each of which is a ring number over a dot; None if it has none to cut."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or "@" in smiles or "/" in smiles or "\\" in smiles:
        return None
    bonds = [
        bond.GetIdx()
        for (a, b) in molecule.GetSubstructMatches(Chem.MolFromSmarts("[#6]-;!@[#6,#7,#8]"))
        for bond in [molecule.GetBondBetweenAtoms(a, b)]
    ]
    if not bonds:
        return None
    cut = rng.sample(bonds, min(len(bonds), rng.randrange(1, 5)))
    labels = [(51 + i, 51 + i) for i in range(len(cut))]
    text = Chem.MolToSmiles(Chem.FragmentOnBonds(molecule, cut, dummyLabels=labels), doRandom=True)
    pieces = [re.sub(r"^\[(\d+)\*\](\[[^\]]*\]|Cl|Br|.)", r"\2%\1", piece) for piece in text.split(".")]
    rng.shuffle(pieces)
    return re.sub(r"\(?\[(\d+)\*\]\)?", r"%\1", ".".join(pieces))


def test_real_molecules_in_pieces() -> None:
    rng, judged = random.Random(2), 0
    for smiles in real_smiles(120, seed=41, longest=80):
        text = in_pieces(smiles, rng)
        if text is None or not is_same(smiles, text):
            continue
        judged += 1
        assert verify(smiles, text).verdict is Verdict.PASS, (smiles, text)
        prompt = Prompt("", "", smiles)
        assert not any(VERIFIER.viable(prompt, text[:end]) is False for end in range(len(text) + 1)), (smiles, text)
    assert judged > 30


@pytest.mark.parametrize(
    ("smiles", "letters", "longest"),
    [("CCO", "CO1.", 8), ("C1CC1", "C12.", 8), ("C=C", "C1=.", 8), ("CC.O", "CO1.", 8)],
)
def test_no_beginning_of_any_text_that_is_right_is_dead(smiles: str, letters: str, longest: int) -> None:
    prompt, over_dots = Prompt("", "", smiles), 0
    with rdBase.BlockLogs():
        atoms = sum(letter.isupper() for letter in smiles)
        for size in range(longest + 1):
            for chosen in itertools.product(letters, repeat=size):
                text = "".join(chosen)
                read = read_smiles(text) if sum(map(str.isupper, text)) == atoms else None
                if read is not None and not read.problems and is_same(smiles, text):
                    over_dots += read.spans_dots
                    assert not any(VERIFIER.viable(prompt, text[:end]) is False for end in range(size + 1)), text
    assert over_dots >= 3


AMIDE = forward("CC(=O)NC", "CC(=O)Cl.CN")


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        (AMIDE, "CC1=O.N1C"),
        (AMIDE, "C1.C1(=O)NC"),
        (AMIDE, "C12=O.C1.N2C"),
        (retro("CC.O"), "C1.C1.O"),
        (retro("CC.O"), "O.C1.C1"),
        (retro("CC.CN"), "N1.C1.C1.C1"),
        (retro("C1CC1.O"), "C12.C1C2.O"),
        (retro("C1.C1.O"), "CC.O"),  # in the reference
        (retro("CC(=O)O.CN"), "CN.CC%11=O.O%11"),
        (retro("c1ccccc1O.[Na+]"), "[Na+].O7.c17ccccc1"),
    ],
)
def test_the_components_of_a_reaction_may_be_bonded_over_dots(prompt: Prompt, completion: str) -> None:
    verifier = reaction_cases.VERIFIER
    assert checked(reaction_cases.VERIFIER, prompt, completion).verdict is Verdict.PASS
    assert not any(verifier.viable(prompt, completion[:end]) is False for end in range(len(completion) + 1))


@pytest.mark.parametrize(
    ("prompt", "completion", "kind"),
    [
        (AMIDE, "CC1=O.O1C", "wrong_atoms"),
        (retro("CC.O"), "C1.C1.N", "wrong_atoms"),
        (retro("CC.O"), "C1.C1", "missing_component"),
        (retro("CC"), "C1.C1.O", "extra_component"),
        (retro("C1CC1.CC"), "C1CC.CC", "unclosed_ring"),
        (retro("CC.O"), "C1.N.C1", "wrong_atoms"),  # one within another
    ],
)
def test_mistakes_in_components_over_dots(prompt: Prompt, completion: str, kind: str) -> None:
    certificate = checked(reaction_cases.VERIFIER, prompt, completion)
    assert certificate.verdict is Verdict.FAIL and kind in [finding.kind for finding in certificate.findings]


def test_right_components_within_each_other_are_an_abstention() -> None:
    certificate = checked(reaction_cases.VERIFIER, retro("CC.O"), "C1.O.C1")
    assert certificate.verdict is Verdict.ABSTAIN and "one stands within another" in certificate.witness["error"]


@pytest.mark.parametrize(
    ("facts", "completion"),
    [
        ([{"ring": "benzene"}], "c17ccccc1.C7"),
        ([{"formula": "C2H6O"}], "C1.C1O"),
        ([{"functional_group": "ether"}], "C1.O12.C2"),
        ([{"property": "fragments", "count": 1}], "C1.C1"),
        ([{"property": "rings", "count": 1}], "C12.C1C2"),
        ([{"property": "rings", "count": 0}], "C1.C1"),
    ],
)
def test_facts_hold_over_dots(facts: list[dict[str, object]], completion: str) -> None:
    verifier, prompt = MoleculeVerifier(), Prompt("id", "text", facts={"facts": facts})
    assert checked(verifier, prompt, completion).verdict is Verdict.PASS
    assert not any(verifier.viable(prompt, completion[:end]) is False for end in range(len(completion) + 1))
