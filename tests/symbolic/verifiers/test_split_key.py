"""What decides on the split of a prompt whose answer is a molecule, and which metrics its answers get."""

import pytest
from rdkit import Chem

from rlsf_lightning.symbolic.chemistry.equality.same_molecule import same_molecule
from rlsf_lightning.symbolic.chemistry.rdkit_io import canonical, parse
from rlsf_lightning.symbolic.verifiers.iupac_name.verifier import IupacNameVerifier
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier
from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

VERIFIERS = [SmilesVerifier, MoleculeVerifier, ReactionVerifier, IupacNameVerifier]


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("OCC", "CCO"),
        ("C(C)O", "CCO"),
        ("C1=CC=CC=C1", "c1ccccc1"),
        ("CN.CC(O)=O", "CC(=O)O.CN"),
        ("C[C@@H](F)O", "CC(O)F"),
        ("F[C@@H](O)C", "CC(O)F"),
        ("C/C=N/[H]", "CC=N"),
        ("[H]/N=C/C", "CC=N"),
        ("ethanol", "ethanol"),
        ("C1CC", "C1CC"),
        ("", ""),
        ("\ud800", "\ud800"),
        ("OCC is ethanol", "OCC is ethanol"),  # RDKit would take the sentence for a name
        ("OCC ", "OCC "),
        ("C" * 1000, "C" * 1000),
        ("OC" + "C" * 998, "C" * 999 + "O"),
        ("OC" + "C" * 999, "OC" + "C" * 999),  # RDKit may crash on longer ones
    ],
)
def test_all_spellings_of_a_molecule_have_one_key(
    verifier: type, reference: str, key: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert verifier.split_key(reference) == key
    assert capfd.readouterr() == ("", "")


#: Bridged and square-planar molecules, cages among them.
BRIDGED = [
    "O[C@]1(C(=O)N)[C@@H]2C[C@H]3C[C@@H](C2)C[C@H]1C3",
    "C[C@]1(C#N)[C@H]2C[C@H]3C[C@@H](C2)C[C@@H]1C3",
    "CC[C@]1(c2ccccc2)C2CC3CC1CC(C2)[C@@H]3O",
    "Br[Pt@SP1](Br)([NH3])[NH3]",
    "F[C@H]1[C@@H]2C[C@H]1[C@H](F)C2",
]


@pytest.mark.parametrize("smiles", BRIDGED)
def test_equal_molecules_have_one_key_whatever_their_canonical_smiles(smiles: str) -> None:
    molecule = parse(smiles)
    assert molecule is not None
    spellings = Chem.MolToRandomSmilesVect(molecule, 60, randomSeed=3)
    equal = [spelling for spelling in spellings if same_molecule(spelling, smiles)]
    assert len(equal) > 20
    assert {SmilesVerifier.split_key(spelling) for spelling in equal} == {SmilesVerifier.split_key(smiles)}


def test_canonical_smiles_of_a_bridged_molecule_differ() -> None:
    spellings = Chem.MolToRandomSmilesVect(parse(BRIDGED[0]), 60, randomSeed=3)
    assert len({canonical(parse(spelling)) for spelling in spellings if same_molecule(spelling, BRIDGED[0])}) > 1


def test_metrics() -> None:
    assert [getattr(verifier, "metrics", None) for verifier in VERIFIERS[:3]] == [
        "molecules",
        "described_molecules",
        None,
    ]
