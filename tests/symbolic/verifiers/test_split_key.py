"""What decides on the split of a prompt whose answer is a molecule, and which metrics its answers get."""

import pytest

from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier
from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

VERIFIERS = [SmilesVerifier, MoleculeVerifier, ReactionVerifier]


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("OCC", "CCO"),
        ("C(C)O", "CCO"),
        ("C1=CC=CC=C1", "c1ccccc1"),
        ("CN.CC(O)=O", "CC(=O)O.CN"),
        ("C[C@@H](F)O", "C[C@H](O)F"),
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


def test_metrics() -> None:
    assert [getattr(verifier, "metrics", None) for verifier in VERIFIERS] == ["molecules", "described_molecules", None]
