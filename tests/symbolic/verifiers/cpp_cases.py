"""What the tests of the C++ verifier share: a verifier, a task, and the checks that every certificate must stand."""

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.cpp.verifier import CppVerifier

#: A folder of data sets, with SPoC's programs and tests in its folder spoc.
SPOC = Path(os.environ.get("RLSF_DATA", "")) / "spoc"
SUM = [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5", "output": "10"}, {"input": "7 -9", "output": "-2"}]
GOOD = "int main() {\n  int a, b;\n  cin >> a >> b;\n  cout << a + b << endl;\n  return 0;\n}\n"


def verifier_or_skip() -> CppVerifier:
    try:
        return CppVerifier(test_seconds=1)
    except UserError as error:
        pytest.skip(str(error))


def prompt(tests: Any = SUM) -> Prompt:
    return Prompt("id", "add two numbers", facts={"tests": tests})


def verify(verifier: CppVerifier, completion: str, tests: Any = SUM) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    certificate = verifier.verify(prompt(tests), completion)
    assert {finding.kind for finding in certificate.findings} <= verifier.kinds
    assert all(span.end <= len(completion) for finding in certificate.findings for span in finding.spans)
    assert bool(certificate.findings) == (certificate.verdict is Verdict.FAIL)
    assert certificate.tool == "g++" and certificate.version and certificate.seconds > 0
    json.dumps(certificate.to_dict())
    return certificate


def spoc(number: int) -> list[tuple[str, list[dict[str, str]]]]:
    """Programs of people, with their tests."""
    if not SPOC.is_dir():
        pytest.skip("RLSF_DATA names no folder with the SPoC programs in spoc/")
    tests = {row["probid"]: row["tests"] for row in map(json.loads, gzip.open(SPOC / "tests.jsonl.gz"))}
    rows = [json.loads(line) for line in (SPOC / "programs_train_eval.jsonl").open()]
    rows = [row for row in rows if "gets" not in row["code"]]  # it is no longer part of C++
    chosen = random.Random(0).sample(rows, number)
    return [
        (row["code"], [{"input": t["input"], "output": t["output"]} for t in tests[row["probid"]]]) for row in chosen
    ]
