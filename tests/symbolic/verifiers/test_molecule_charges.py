"""Groups whose bonds to oxygen may be written double or with charges."""

from typing import Any

import pytest

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.molecule import MoleculeVerifier

PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.mark.parametrize(
    ("completion", "facts", "verdict"),
    [
        ("C[S+]([O-])C", [{"functional_group": "sulfoxide"}], PASS),
        ("C[S@+]([O-])CC", [{"functional_group": "sulfoxide"}], PASS),
        ("CC[S@@+]([O-])c1ccccc1", [{"functional_group": "sulfoxide"}], PASS),
        ("[O-][S+](C)C", [{"functional_group": "sulfoxide"}], PASS),
        ("C[S+](C)[O-]", [{"functional_group": "sulfoxide"}], PASS),
        ("O=S(C)C", [{"functional_group": "sulfoxide"}], PASS),
        ("CS(=O)C", [{"functional_group": "sulfoxide"}], PASS),
        ("[O-][S+]1CCCC1", [{"functional_group": "sulfoxide"}], PASS),
        ("c1ccc(cc1)[S+]([O-])c1ccccc1", [{"functional_group": "sulfoxide"}], PASS),
        ("N#CC[S+]([O-])C", [{"functional_group": "sulfoxide"}], PASS),
        ("CSC", [{"functional_group": "sulfoxide"}], FAIL),
        ("CS(=O)(=O)C", [{"functional_group": "sulfoxide"}], FAIL),
        ("C[S+](C)C", [{"functional_group": "sulfoxide"}], FAIL),
        ("C[S+]([O-])(=O)C", [{"functional_group": "sulfoxide"}], FAIL),
        ("CS(O)C", [{"functional_group": "sulfoxide"}], FAIL),
        ("C[S+2]([O-])([O-])C", [{"functional_group": "sulfone"}], PASS),
        ("CS(=O)(=O)C", [{"functional_group": "sulfone"}], PASS),
        ("C[S+]([O-])(=O)C", [{"functional_group": "sulfone"}], PASS),
        ("[O-][S+2]([O-])(C)c1ccccc1", [{"functional_group": "sulfone"}], PASS),
        ("O=S1(=O)CCCC1", [{"functional_group": "sulfone"}], PASS),
        ("C[S+]([O-])C", [{"functional_group": "sulfone"}], FAIL),
        ("CS(=O)C", [{"functional_group": "sulfone"}], FAIL),
        ("C[S+2]([O-])([O-])N", [{"functional_group": "sulfonamide"}], PASS),
        ("CS(=O)(=O)N", [{"functional_group": "sulfonamide"}], PASS),
        ("CNS(=O)(=O)c1ccccc1", [{"functional_group": "sulfonamide"}], PASS),
        ("C[S+](=O)([O-])NC", [{"functional_group": "sulfonamide"}], PASS),
        ("C[N+](=O)[O-]", [{"functional_group": "nitro"}], PASS),
        ("CN(=O)=O", [{"functional_group": "nitro"}], PASS),
        ("[O-][N+](=O)c1ccccc1", [{"functional_group": "nitro"}], PASS),
        ("OS(=O)(=O)C", [{"functional_group": "sulfonic acid"}], PASS),
        ("O[S+2]([O-])([O-])C", [{"functional_group": "sulfonic acid"}], PASS),
        ("O[S+](=O)([O-])C", [{"functional_group": "sulfonic acid"}], PASS),
        ("C[S+]([O-])C", [{"functional_group": "sulfoxide"}, {"formula": "C2H6OS"}], PASS),
        ("CS(=O)C", [{"functional_group": "sulfoxide"}, {"formula": "C2H6OS"}], PASS),
        ("C[S+]([O-])C", [{"functional_group": "sulfoxide"}, {"property": "charge", "count": 0}], PASS),
        ("C[S+]([O-])C.C[S+]([O-])C", [{"functional_group": "sulfoxide", "count": 2}], PASS),
        ("C[S+]([O-])C.C[S+]([O-])C", [{"functional_group": "sulfoxide", "count": 1}], FAIL),
    ],
)
def test_both_spellings_are_the_group(completion: str, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    prompt, verifier = Prompt("p", "q", facts={"facts": facts}), MoleculeVerifier()
    certificate = verifier.verify(prompt, completion)
    assert certificate.verdict is verdict, certificate
    assert verifier.recheck(certificate, prompt, completion)
