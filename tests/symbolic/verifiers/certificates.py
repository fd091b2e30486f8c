"""What every certificate must stand, and how the tests of the verifiers write findings down."""

import json
from dataclasses import replace

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifier import Verifier


def checked(verifier: Verifier, prompt: Prompt, completion: str) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    certificate = verifier.verify(prompt, completion)
    assert {finding.kind for finding in certificate.findings} <= verifier.kinds
    assert all(span.end <= len(completion) for finding in certificate.findings for span in finding.spans)
    assert certificate.dead_from is None or certificate.dead_from <= len(completion)
    assert bool(certificate.findings) == (certificate.verdict is Verdict.FAIL)
    assert certificate.tool and certificate.version and certificate.seconds >= 0
    json.dumps(certificate.to_dict(), allow_nan=False)
    again = verifier.verify(prompt, completion)
    assert replace(again, seconds=certificate.seconds) == certificate
    assert verifier.recheck(certificate, prompt, completion), certificate  # type: ignore[attr-defined]
    return certificate


def shown(certificate: Certificate, completion: str) -> list[tuple[str, list[str]]]:
    """(kind, the text of its spans) of every finding."""
    return [(f.kind, [completion[s.start : s.end] for s in f.spans]) for f in certificate.findings]
