"""What is thrown at the verifier of molecules: deep, long and broken text, many facts, patterns that match everywhere."""

import time

import pytest
from certificates import checked
from test_smiles_hostile import HOSTILE

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.molecule.check import MAX_LISTED
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier

VERIFIER = MoleculeVerifier()
FACTS = [
    {"functional_group": "carboxylic acid"},
    {"smarts": "*~*~*~*", "max": 3},
    {"formula": "C9H8O4"},
    {"property": "rings", "max": 2},
    {"property": "fragments", "count": 1},
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_completions(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    start = time.process_time()
    certificate = checked(VERIFIER, Prompt("", "", facts={"facts": FACTS}), HOSTILE[name])
    assert time.process_time() - start < 6.0  # verified three times and counted again
    assert certificate.verdict is Verdict.FAIL
    assert len(certificate.findings) <= MAX_FINDINGS + 1
    assert capfd.readouterr() == ("", "")


def test_the_witness_is_bounded() -> None:
    facts = [{"functional_group": name} for name in FUNCTIONAL_GROUPS] + [{"smarts": "*~*~*", "min": 1}]
    certificate = checked(VERIFIER, Prompt("", "", facts={"facts": facts}), "CC(C)(C)" * 60 + "C")
    rows = certificate.witness["facts"]
    assert rows[-1]["found"] > MAX_LISTED == len(rows[-1]["atoms"])
