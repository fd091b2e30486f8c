"""What is thrown at the SMILES verifier: deep, long, foreign and broken text, from several threads, without a sound."""

import threading
import time

import pytest
from rdkit import Chem, RDLogger, rdBase
from smiles_cases import ASPIRIN, VERIFIER, verify

from rlsf_lightning.records import Finding, Prompt
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

HOSTILE = {
    "open": "(" * 100_000,
    "brackets": "[" * 100_000,
    "chain": "C" * 100_000,
    "one ring": "C1" + "C" * 20_000 + "1",
    "long chain": "C" * 500,
    "aromatic": "c" * 500,
    "ring digits": "C1" * 250,
    "percent": "%" * 500,
    "nested": "C(" * 166 + "C" + ")" * 166,
    "fragments": "C." * 249 + "C",
    "small rings": "C1CC1" * 100,
    "biphenyls": "c1ccccc1" * 62,
    "buckminsterfullerene": "c12c3c4c5c1c6c7c8c2c9c1c3c2c3c4c4c%10c5c5c6c6c7c7c%11c8c9c8c9c1c2c1c2c3c4c3c4c%10c5c5c6c6c7c7c"
    "%11c8c8c9c1c1c2c3c2c4c5c6c3c7c8c1c23",
    "Cyrillic": "\u0421" * 400,
    "NUL": "\x00" * 400,
    "surrogates": "\ud800" * 400,
    "huge numbers": "[999999999C+999999999:999999999]C%(99999)CC%(99999)",
    "stereo": "C/C=C/" * 80 + "C",
    "centres": "[C@H](F)(Cl)" * 40,
    "wildcards": "*" * 500,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("reference", [None, ASPIRIN, "c1ccccc1" * 20], ids=["alone", "aspirin", "long"])
def test_hostile_completions(name: str, reference: str | None, capfd: pytest.CaptureFixture[str]) -> None:
    start = time.process_time()
    certificate = verify(reference, HOSTILE[name])
    assert time.process_time() - start < 5.0  # two runs and a recheck
    assert len(certificate.findings) <= MAX_FINDINGS + 1
    assert len(str(certificate.to_dict())) < 100 * (500 + len(reference or ""))
    assert capfd.readouterr() == ("", "")


def test_findings_beyond_the_bound_are_summed_up() -> None:
    certificate = verify(None, "FN(F)(F)(F)F." * 60 + "C", SmilesVerifier(max_chars=1000))
    assert len(certificate.findings) == MAX_FINDINGS + 1
    assert certificate.findings[-1] == Finding("valence", "and 10 more findings")


def test_nothing_is_printed_and_the_log_is_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    status = rdBase.LogStatus()
    for completion in ("CC(C", "c1cccc1", "CC(C)(C)(C)C", "[H]", "[H+]", "CCXC", "C1=CC=n(C=C1O)C", "F/C=C/F"):
        verify("CCO", completion)
        verify(None, completion)
    assert rdBase.LogStatus() == status
    assert capfd.readouterr() == ("", "")
    RDLogger.EnableLog("rdApp.error")
    Chem.MolFromSmiles("CCXC")
    assert "CCXC" in capfd.readouterr().err


def test_threads_do_not_mix_their_messages() -> None:
    jobs = [("CC" + "C" * i + "X" * (i % 7 + 1), i + 2) for i in range(60)] + [
        ("C=" + "C" * i + "=#C", 2 + i) for i in range(60)
    ]
    expected = [verify(None, completion).findings for completion, _ in jobs]
    results: dict[int, list[tuple[Finding, ...]]] = {}

    def work(worker: int) -> None:
        results[worker] = [VERIFIER.verify(Prompt("", ""), completion).findings for completion, _ in jobs]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results[i] == expected for i in range(8))
