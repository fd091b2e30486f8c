"""Validity and fingerprint similarity: small molecules, hostile strings, conventions."""

import math
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rdkit import Chem

from rlsf_lightning.evaluation.metrics.molecules import (
    MACCSTanimoto,
    MorganTanimoto,
    RDKTanimoto,
    Validity,
)
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

ALL = [MorganTanimoto, MACCSTanimoto, RDKTanimoto]


@pytest.mark.parametrize("smiles", ["CCO", "OCC", "c1ccccc1", "C[C@H](N)C(=O)O", "[Na+].[Cl-]"])
def test_valid(smiles):
    metric = Validity()
    metric.update([smiles])
    assert metric.compute().item() == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " CCO",
        "CC(",
        "C1CC",
        "CC(C)(C)(C)C",  # valence
        "c1cccc1",  # no Kekulé form
        "CC junk",  # RDKit alone would read the first word
        "CC\tjunk",
        "CC\nCC",
        "CCé",
        "名CC",
        "CC\u200b",
        "CC\ud800",
        "CC |^1:0|",
        "CC\x00",
        "C" * 501,
        "C1" + "C" * 20_000 + "1",  # crashes RDKit
        "(" * 100_000,
    ],
)
def test_not_valid(text):
    metric = Validity()
    started = time.perf_counter()
    metric.update([text])
    assert metric.compute().item() == 0.0
    assert time.perf_counter() - started < 3


@given(st.text(max_size=40))
def test_any_text_is_survived_by_every_metric(text):
    for metric in (Validity(), *(kind() for kind in ALL)):
        if isinstance(metric, Validity):
            metric.update([text])
        else:
            metric.update([text], ["CCO"])
        values = metric.item_values()
        assert len(values) == 1 and (np.isnan(values[0]) or 0 <= values[0] <= 1)


SMILES_LIKE = st.text(alphabet="CNOclBr[]()=#12%+-H@.* \n", max_size=12)


@given(SMILES_LIKE)
@example("B1.B1")
@example("N1cC1")
def test_validity_is_what_the_verifier_calls_valid(text):
    metric, verifier = Validity(), SmilesVerifier(explain=False)
    metric.update([text.strip()])
    found = verifier.verify(Prompt("", "", "CCO"), text)
    assert metric.compute().item() == (not any(f.kind in verifier.invalid_kinds for f in found.findings))


def test_no_word_of_rdkit_about_bad_strings(capfd):
    Validity().update(["C1CC", "CC(C)(C)(C)C"])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ALL)
def test_the_same_molecule_in_another_spelling_is_1(kind):
    metric = kind()
    metric.update(["OCC", "c1ccccc1", "C"], ["CCO", "C1=CC=CC=C1", "C"])  # methane has no path bit at all
    np.testing.assert_array_equal(metric.item_values(), [1.0, 1.0, 1.0])


@pytest.mark.parametrize("kind", ALL)
def test_invalid_predictions_and_references_are_left_out(kind):
    metric = kind()
    metric.update(["CCO", "C1CC", "CCO", "CCO"], ["CCO", "CCO", None, "not a molecule"])
    assert metric.compute().item() == 1.0
    np.testing.assert_array_equal(np.isnan(metric.item_values()), [False, True, True, True])
    nothing = kind()
    nothing.update(["C1CC"], ["CCO"])
    assert math.isnan(nothing.compute().item())


def cubic_cage(n):
    """A lattice of metal atoms: valid for RDKit, whose MACCS keys of it take 12 s for n = 3 and minutes for n = 4."""
    molecule = Chem.RWMol()
    for _ in range(n**3):
        molecule.AddAtom(Chem.Atom("U"))
    for i in range(n**3):
        for step in (1, n, n * n):
            if i // step % n < n - 1:
                molecule.AddBond(i, i + step, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(molecule)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("smiles", [cubic_cage(3), "[U]" + "(C)" * 100])
def test_absurd_molecules_are_left_out_in_no_time(kind, smiles):
    metric, validity = kind(), Validity()
    started = time.perf_counter()
    metric.update([smiles], ["CCO"])
    assert time.perf_counter() - started < 3
    validity.update([smiles])
    assert math.isnan(metric.compute().item()) and validity.compute().item() == 1.0


def test_buckminsterfullerene_is_not_absurd():
    fullerene = (
        "c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3c3c8c4"
        "c4c9c5c1c1c6c2c3c41"
    )
    metric = RDKTanimoto()
    metric.update([fullerene], [fullerene])
    assert metric.compute().item() == 1.0


def test_morgan_counts_how_often_an_environment_occurs():
    metric = MorganTanimoto()
    metric.update(["CCCCCC"], ["CCCCCCCC"])  # equal as sets of environments, not as counts
    assert metric.compute().item() == pytest.approx(_slow_count_tanimoto("CCCCCC", "CCCCCCCC"))
    assert metric.compute().item() < 1


def _slow_count_tanimoto(a: str, b: str) -> float:
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    counts = [generator.GetSparseCountFingerprint(Chem.MolFromSmiles(s)).GetNonzeroElements() for s in (a, b)]
    common = sum(min(counts[0].get(bit, 0), counts[1].get(bit, 0)) for bit in {**counts[0], **counts[1]})
    return common / (sum(counts[0].values()) + sum(counts[1].values()) - common)


@pytest.mark.parametrize(
    ("kind", "fingerprint"),
    [
        (RDKTanimoto, Chem.RDKFingerprint),
        (MACCSTanimoto, lambda m: Chem.rdMolDescriptors.GetMACCSKeysFingerprint(m)),
    ],
)
def test_bit_fingerprints_are_intersection_over_union(kind, fingerprint):
    a, b = "CC(=O)Oc1ccccc1C(=O)O", "O=C(O)c1ccccc1O"
    bits = [set(fingerprint(Chem.MolFromSmiles(s)).GetOnBits()) for s in (a, b)]
    metric = kind()
    metric.update([a], [b])
    value = metric.compute().item()
    assert value == pytest.approx(len(bits[0] & bits[1]) / len(bits[0] | bits[1]))
    assert 0 < value < 1
