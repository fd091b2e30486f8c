"""Sets of molecules, ranked samples, and what is read from witnesses, against values worked out by hand."""

import math

import pytest

from rlsf_lightning.evaluation.metrics.reactions import AllValid, Distinct, MaxFrag, SameMolecules, Top3, Top5, TopK
from rlsf_lightning.evaluation.metrics.witnesses import FactsHeld, NameMatch, Readable
from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier

REFERENCE = "CCO.CC(=O)O"


def value(metric, **columns) -> float:
    filled = metric()
    filled.update(**columns)
    return filled.compute().item()


@pytest.mark.parametrize(
    ("prediction", "same", "max_frag", "valid"),
    [
        ("CC(O)=O.OCC", 1, 1, 1),
        ("OCC.CC(=O)O.O", 0, 1, 1),
        ("OC(C)=O", 0, 1, 1),
        ("OCC", 0, 0, 1),
        ("OCC.CC(=O)Cl", 0, 0, 1),
        ("OCC.CC(=O)O.", 0, 0, 0),
        ("OCC.CC(=O", 0, 0, 0),
        ("", 0, 0, 0),
        ("CCO.CCO.CC(=O)O", 0, 1, 1),
    ],
)
def test_sets_of_molecules(prediction, same, max_frag, valid):
    pair = {"predictions": [prediction], "references": [REFERENCE]}
    assert (value(SameMolecules, **pair), value(MaxFrag, **pair)) == (same, max_frag)
    assert value(AllValid, predictions=[prediction]) == valid


def test_what_has_no_reference_is_left_out():
    pair = {"predictions": ["CCO", "CCO"], "references": [None, "CCN"]}
    assert value(SameMolecules, **pair) == value(MaxFrag, **pair) == 0
    assert math.isnan(value(SameMolecules, predictions=["CCO"], references=[None]))


def test_stereochemistry_counts():
    assert value(SameMolecules, predictions=["C[C@H](O)F"], references=["C[C@@H](O)F"]) == 0
    assert value(SameMolecules, predictions=["C[C@H](O)F"], references=["O[C@@H](C)F"]) == 1


SAMPLES = ["CCN", "C(", "OCC", "NCC", "CCC", "CCl", "CBr", "C("]  # the reference CCO comes second, after the amine


@pytest.mark.parametrize(("metric", "reference", "hit"), [(TopK, "CCO", 0), (Top3, "CCO", 1), (TopK, "CCN", 1)])
def test_top_k_ranks_by_frequency(metric, reference, hit):
    assert value(metric, samples=[SAMPLES], references=[reference]) == hit


def test_top_k_takes_the_first_sampled_of_equals():
    assert value(Top3, samples=[SAMPLES], references=["CCl"]) == 0
    assert value(Top5, samples=[SAMPLES], references=["CCl"]) == 1
    assert value(Top5, samples=[SAMPLES], references=["CBr"]) == 1
    assert value(Top3, samples=[SAMPLES, ["CCO"]], references=["CCO", "CCN"]) == 0.5


def test_distinct_molecules_among_valid_ones():
    assert value(Distinct, samples=[["CCO", "OCC", "CCN", "C("]]) == pytest.approx(2 / 3)
    assert value(Distinct, samples=[["CCO", "OCC"], ["CC", "CCC"]]) == pytest.approx(3 / 4)
    assert math.isnan(value(Distinct, samples=[["C("]]))


def test_facts_held_are_those_of_the_molecule():
    facts = {"facts": [{"formula": "C2H6O"}, {"functional_group": "alcohol"}, {"element": "N"}]}
    prompt, verifier = Prompt("p", "", facts=facts), MoleculeVerifier()
    texts = ["CCO", "COC", "CC(", "CCN"]  # 2, 1, 0 and 1 of 3
    certificates = [verifier.verify(prompt, text) for text in texts]
    assert value(FactsHeld, certificates=certificates, facts=[facts] * 4) == pytest.approx(4 / 12)


def test_readable_names_right_or_wrong():
    read = Certificate(Verdict.FAIL, (Finding("other_molecule", ""),), witness={"smiles": "CC"})
    unread, abstained = Certificate(Verdict.FAIL, (Finding("uninterpretable", ""),)), Certificate(Verdict.ABSTAIN)
    right = Certificate(Verdict.PASS, score=1.0, witness={"smiles": "CC"})
    assert value(Readable, certificates=[read, unread, abstained, right]) == pytest.approx(2 / 3)


def test_the_same_name_but_for_case():
    columns = {"predictions": ["Ethanol ", "ethane", "x"], "targets": ["ethanol", "ethanol", None]}
    assert value(NameMatch, **columns) == 0.5


def test_ranks_add_up():
    whole, one, other = SameMolecules(), SameMolecules(), SameMolecules()
    whole.update(["CCO", "CC", "C"], ["OCC", "CN", "C"])
    one.update(["CCO"], ["OCC"])
    other.update(["CC", "C"], ["CN", "C"])
    sums = one.item_statistics().sum(axis=0) + other.item_statistics().sum(axis=0)
    assert SameMolecules.from_sums(sums) == whole.compute().item()
