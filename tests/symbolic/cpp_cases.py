"""What the tests of the C++ verifier share: a verifier, a task, and the checks that every certificate must stand."""

import json
from typing import Any

import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.cpp.verifier import CppVerifier

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
