"""Equality of molecules with stereochemistry: symmetric places, spellings of bridged molecules, InChI as a second opinion."""

import random
import re
import time

import pytest
from rdkit import Chem, rdBase
from smiles_cases import VERIFIER, real_smiles, verify

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.equality.isomorphism import Budget, Graph, are_isomorphic
from rlsf_lightning.symbolic.chemistry.equality.same_molecule import same_molecule
from rlsf_lightning.symbolic.chemistry.equality.written_marks import has_marks

#: Molecules with stereochemistry at symmetric places, most of which RDKit's canonical SMILES do not keep or not tell apart.
SYMMETRIC = [
    "C/C=C1\\C[C@@H](F)C1",
    "Cl/C=C1/CC[C@@H](C(=O)O)CC1",
    "O/N=C1/CC[C@@H](C)CC1",
    "CO/N=C1\\C[C@H](N)C1",
    "C/N=C1/CC[C@H](O)CC1",
    "F[C@H]1C[C@]2(C1)C[C@@H](Cl)C2",
    "N[C@@H]1CC[C@]2(CC1)CC[C@H](O)CC2",
    "C[C@H]1C[C@@H](C)C1",
    "C[C@H]1CC[C@@H](C)CC1",
    "O[C@H]1[C@@H]2C[C@H]3C[C@@H](C2)C[C@H]1C3",
    "C[C@]1(O)[C@@H]2C[C@H]3C[C@@H](C2)C[C@H]1C3",
    "F[C@]1(Cl)C2CC3CC1CC(C2)[C@@H]3Br",
    "O[C@H](C(=O)O)[C@@H](O)C(=O)O",
    "C[C@H](F)[C@@H](O)[C@@H](C)F",
    "CC=[C@]=CCl",
    "OC(C)=[C@@]=C(F)C",
    "C[S@](=O)CC",
    "N[Pt@SP1](N)(Cl)Cl",
    "F[Pt@SP2](Cl)(Br)I",
]


def with_all_marks(smiles: str) -> tuple[Chem.Mol, list[int]]:
    """The molecule with every mark that RDKit can hold, as each atom is another isotope; and the isotopes that are written."""
    options = Chem.SmilesParserParams()
    options.sanitize = options.removeHs = False
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles, options)
        isotopes = [atom.GetIsotope() for atom in molecule.GetAtoms()]
        for atom in molecule.GetAtoms():
            atom.SetIsotope(100 + atom.GetIdx())
        Chem.SanitizeMol(molecule)
        Chem.AssignStereochemistry(molecule, cleanIt=True, force=True)
    return molecule, isotopes


def spelling(smiles: str, rng: random.Random) -> str:
    """Another spelling with every mark that RDKit can hold."""
    molecule, _ = with_all_marks(smiles)
    order = list(range(molecule.GetNumAtoms()))
    rng.shuffle(order)
    return re.sub(r"\[\d+", "[", Chem.MolToSmiles(Chem.RenumberAtoms(molecule, order), canonical=False))


@pytest.mark.parametrize("smiles", [each for each in SYMMETRIC if "Pt" not in each and "=[C@" not in each])
def test_every_spelling_passes_and_is_never_dead(smiles: str) -> None:
    rng, prompt = random.Random(smiles), Prompt("id", "name", smiles)
    for _ in range(8):
        text = spelling(smiles, rng)
        assert verify(smiles, text).verdict is Verdict.PASS, text
        assert not any(VERIFIER.viable(prompt, text[:end]) is False for end in range(len(text) + 1)), text


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        # the other enantiomer or diastereomer
        ("C/C=C1\\C[C@@H](F)C1", "C/C=C1\\C[C@H](F)C1"),
        ("Cl/C=C1/CC[C@@H](C(=O)O)CC1", "Cl/C=C1\\CC[C@@H](C(=O)O)CC1"),
        ("O/N=C1/CC[C@@H](C)CC1", "O/N=C1/CC[C@H](C)CC1"),
        ("CO/N=C1\\C[C@H](N)C1", "CO/N=C1\\C[C@@H](N)C1"),
        ("C/N=C1/CC[C@H](O)CC1", "C/N=C1\\CC[C@H](O)CC1"),
        ("F[C@H]1C[C@]2(C1)C[C@@H](Cl)C2", "F[C@H]1C[C@]2(C1)C[C@H](Cl)C2"),
        ("N[C@@H]1CC[C@]2(CC1)CC[C@H](O)CC2", "N[C@@H]1CC[C@@]2(CC1)CC[C@H](O)CC2"),
        ("C[C@H]1C[C@@H](C)C1", "C[C@H]1C[C@H](C)C1"),
        ("O[C@H](C(=O)O)[C@@H](O)C(=O)O", "O[C@H](C(=O)O)[C@H](O)C(=O)O"),
        ("C[C@H](F)[C@@H](O)[C@@H](C)F", "C[C@H](F)[C@H](O)[C@@H](C)F"),
        ("CC=[C@]=CCl", "CC=[C@@]=CCl"),
        ("OC(C)=[C@@]=C(F)C", "OC(C)=[C@]=C(F)C"),
        ("N[Pt@SP1](N)(Cl)Cl", "N[Pt@SP2](N)(Cl)Cl"),
        ("F[Pt@SP2](Cl)(Br)I", "F[Pt@SP3](Cl)(Br)I"),
        # none at all
        ("C/C=C1\\C[C@@H](F)C1", "CC=C1CC(F)C1"),
        ("O/N=C1/CC[C@@H](C)CC1", "ON=C1CCC(C)CC1"),
        ("F[C@H]1C[C@]2(C1)C[C@@H](Cl)C2", "FC1CC2(C1)CC(Cl)C2"),
        ("CC=[C@]=CCl", "CC=C=CCl"),
        ("N[Pt@SP1](N)(Cl)Cl", "N[Pt](N)(Cl)Cl"),
        # where the reference has none
        ("CC=C1CC(F)C1", "C/C=C1\\C[C@@H](F)C1"),
        ("CC=C=CCl", "CC=[C@]=CCl"),
    ],
)
def test_another_stereoisomer_fails(reference: str, completion: str) -> None:
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.FAIL
    assert [finding.kind for finding in certificate.findings] == ["wrong_stereo"]


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("C/C=C1\\C[C@@H](F)C1", "C/C=C1/C[C@H](F)C1"),  # the ring turned round
        ("O/N=C1/CC[C@@H](C)CC1", "C[C@H]1CCC(=N\\O)/CC1"),
        ("CC=[C@]=CCl", "ClC=[C@]=CC"),  # seen from the other end
        ("CC=[C@]=CCl", "C(C)=[C@@]=CCl"),
        ("N[Pt@SP1](N)(Cl)Cl", "Cl[Pt@SP3](Cl)(N)N"),
        ("N[Pt@SP1](N)(Cl)Cl", "Cl[Pt@SP2](N)(Cl)N"),
        # marks that change nothing
        ("C[C@H](C)O", "CC(C)O"),
        ("CC(C)O", "C[C@@H](C)O"),
        ("C[C@H]1CCC(C)CC1", "CC1CCC(C)CC1"),
        ("C=[C@]=CC", "C=C=CC"),
        ("C/C=C(C)/C", "CC=C(C)C"),
        ("C[N@](CC)CCC", "CCCN(C)CC"),
        ("Cl[Pt@SP1](Cl)(Cl)N", "Cl[Pt](Cl)(Cl)N"),
        ("C[C@H](F)[C@@](C)(O)[C@H](C)F", "C[C@H](F)C(C)(O)[C@H](C)F"),
    ],
)
def test_the_same_stereoisomer_passes(reference: str, completion: str) -> None:
    assert verify(reference, completion).verdict is Verdict.PASS
    assert verify(completion, reference).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("F[Co@OH1](Cl)(Br)(I)(N)P", "F[Co@OH2](Cl)(Br)(I)(N)P"),
        ("F[As@TB1](Cl)(Br)(I)C", "F[As@TB2](Cl)(Br)(I)C"),
        ("F/C=C=C=C/F", "F/C=C=C=C\\F"),
        ("CC=C=[C@]=C=CC", "CC=C=[C@@]=C=CC"),
        ("F[Pt@SP1](Cl)Br", "F[Pt@SP2](Cl)Br"),
    ],
)
def test_marks_that_nothing_reads_are_an_abstention(reference: str, completion: str) -> None:
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.ABSTAIN and "stereochemistry" in certificate.witness["error"]
    assert verify(reference, reference).verdict is Verdict.PASS
    assert verify(reference, "CCO").verdict is Verdict.FAIL


def inchi(smiles: str) -> str:
    """Of the molecule with all marks; empty where InChI sees less than a structure: delocalised charges, bonds of metals."""
    molecule, isotopes = with_all_marks(smiles)
    for atom, isotope in zip(molecule.GetAtoms(), isotopes, strict=True):
        atom.SetIsotope(isotope)
    metals = Chem.MolFromSmarts("[!#1;!#6;!#7;!#8;!#9;!#15;!#16;!#17;!#35;!#53]")
    if molecule.HasSubstructMatch(metals) or molecule.HasSubstructMatch(Chem.MolFromSmarts("[#6]=[#7+]")):
        return ""
    with rdBase.BlockLogs():
        return str(Chem.MolToInchi(molecule, options="-SUU -FixedH"))


def variants(smiles: str, rng: random.Random) -> list[str]:
    """Another spelling, the mirror image, another mark at one place, and one mark less."""
    marks = list(re.finditer(r"@@?|[/\\]", smiles))
    other = {"@": "@@", "@@": "@", "/": "\\", "\\": "/"}
    one = rng.choice(marks)
    mirrored = re.sub(r"@@?", lambda mark: other[mark[0]], smiles)
    flipped, dropped = (smiles[: one.start()] + new + smiles[one.end() :] for new in (other[one[0]], ""))
    return [Chem.MolToSmiles(rdkit_io.parse(smiles), doRandom=True), mirrored, flipped, dropped]


def test_inchi_agrees_on_real_molecules() -> None:
    rng, compared = random.Random(5), 0
    for smiles in [each for each in real_smiles(1500, seed=11, longest=120) if has_marks(each)]:
        wanted = inchi(smiles)
        for text in variants(smiles, rng) if wanted else ():
            if rdkit_io.parse(text) is not None:
                compared += 1
                assert same_molecule(text, smiles) == (inchi(text) == wanted), (smiles, text)
    assert compared > 300


@pytest.mark.parametrize("smiles", SYMMETRIC)
def test_equality_is_symmetric(smiles: str) -> None:
    for other in SYMMETRIC:
        assert same_molecule(smiles, other) is (smiles == other) is same_molecule(other, smiles)


def test_a_molecule_whose_canonical_smiles_has_another_one_is_decided_by_its_graph() -> None:
    """Three silatranes, PubChem 168863: of 71,325 molecules the only one whose canonical SMILES is not its own."""
    spellings = [
        "C1CO[Si]2(OCCN1CCO2)OCCN(CCO[Si]34OCCN(CCO3)CCO4)CCO[Si]56OCCN(CCO5)CCO6",
        "C(CN(CCO[Si]12OCCN(CCO1)CCO2)CCO[Si]12OCCN(CCO1)CCO2)O[Si]12OCCN(CCO1)CCO2",
        "C1CN2CCO[Si](OCCN(CCO[Si]34OCCN(CCO3)CCO4)CCO[Si]34OCCN(CCO3)CCO4)(O1)OCC2",
    ]
    for one in spellings:
        for other in spellings:
            assert verify(one, other).verdict is Verdict.PASS and same_molecule(one, other)
        assert verify(one, spellings[0].replace("CCO6", "CCN6")).verdict is Verdict.FAIL
        assert verify(one, spellings[0].replace("CCO6", "CCCO6")).verdict is Verdict.FAIL


def test_molecules_in_which_all_atoms_are_alike_take_no_long_time() -> None:
    cubane, marked = "C12C3C4C1C5C2C3C45", "[C@H]12[C@@H]3[C@H]4[C@@H]1[C@H]5[C@@H]2[C@@H]3[C@H]45"
    start = time.perf_counter()
    assert verify(cubane, marked).verdict is Verdict.FAIL
    assert verify("C1CC1.C1CC1", "C1CCCCC1").verdict is Verdict.FAIL
    assert verify("[C@H](F)(Cl)" + "C(C)(C)" * 20 + "C", "[C@@H](F)(Cl)" + "C(C)(C)" * 20 + "C").verdict is Verdict.FAIL
    ring, other = "C[C@H]1C[C@@H](C)C1", "C[C@H]1C[C@H](C)C1"
    assert verify(".".join([ring] * 15), ".".join([ring] * 14 + [other])).verdict is Verdict.FAIL
    assert verify("C/C=C/" * 40 + "C", "C/C=C/" * 39 + "C/C=C\\C").verdict is Verdict.FAIL
    assert time.perf_counter() - start < 15


def test_what_is_not_decided_in_so_many_steps_is_no_guess() -> None:
    ring = [tuple((("SINGLE", False), (i + step) % 6) for step in (-1, 1)) for i in range(6)]
    graph = Graph(("C",) * 6, tuple(ring))
    assert are_isomorphic(graph, graph, Budget())
    with pytest.raises(ToolFailed, match="not decided"):
        are_isomorphic(graph, graph, Budget(steps=20))
