"""The second opinion on reaction certificates: what is true stands, whatever is changed in it does not."""

import random
from dataclasses import replace

import pytest
from reaction_cases import VERIFIER, forward, real_answers, respelled, retro

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry.compare import target_of
from rlsf_lightning.symbolic.verifiers.reaction.recheck.isomorphism import same_molecule, similarity


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("OCC", "CCO", True),
        ("c1ccccc1", "C1=CC=CC=C1", True),
        ("C[C@H](O)F", "O[C@@H](C)F", True),
        ("C[C@H](O)F", "O[C@H](C)F", False),
        ("C[C@H](O)F", "CC(O)F", False),
        ("F/C=C/F", "F\\C=C\\F", True),
        ("F/C=C/F", "F/C=C\\F", False),
        ("Cc1cnc[nH]1", "Cc1c[nH]cn1", False),
        ("[CH3:1]C", "CC", False),
        ("[13CH3]C", "CC", False),
        ("CC[O-]", "CCO", False),
        ("C1CCCCC1", "C1CC1.C1CC1", False),
        ("CCCC", "CC(C)C", False),
        ("C[CH2]", "CC", False),
        ("CN(=O)=O", "C[N+](=O)[O-]", True),
        ("CN\u2620", "CN", False),
        ("C[C@H](O)C[C@H](O)C", "C[C@@H](O)C[C@@H](O)C", True),  # the same from the other end
    ],
)
def test_molecules_are_the_same_by_matching(ours: str, theirs: str, same: bool) -> None:
    assert same_molecule(ours, theirs) is same_molecule(theirs, ours) is same


def test_unreadable_is_the_same_as_nothing() -> None:
    assert not same_molecule("C1CC", "C1CC") and not same_molecule("", "")


def test_similarities_are_added_up() -> None:
    ethanol, ethylamine, water = (target_of(smiles).fingerprint for smiles in ("CCO", "CCN", "O"))
    assert similarity([ethanol], [ethylamine]) == pytest.approx(3 / 9)
    assert similarity([ethanol, water], [ethylamine, water]) == pytest.approx(4 / 10)
    assert similarity([ethanol, ethanol], [ethanol]) == pytest.approx(1 / 2)


def row(certificate: Certificate, number: int, **changed: object) -> Certificate:
    """The certificate with something else in the witness on one component."""
    rows = [dict(each) for each in certificate.witness["components"]]
    rows[number] |= changed
    return replace(certificate, witness={**certificate.witness, "components": rows})


def book(certificate: Certificate, name: str, counts: list[int]) -> Certificate:
    ledger = {**certificate.witness["ledger"], name: counts}
    return replace(certificate, witness={**certificate.witness, "ledger": ledger})


def moved(certificate: Certificate, number: int, by: int = 1) -> Certificate:
    """The certificate with the spans of one finding elsewhere."""
    findings = list(certificate.findings)
    spans = tuple(Span(span.start + by, span.end + by) for span in findings[number].spans)
    findings[number] = replace(findings[number], spans=spans)
    return replace(certificate, findings=tuple(findings))


def without(certificate: Certificate, kind: str) -> Certificate:
    return replace(certificate, findings=tuple(f for f in certificate.findings if f.kind != kind))


PASSED = Certificate(Verdict.PASS, score=1.0)
FALSE = [
    (retro(), "CN.CC(=O)O", lambda c: Certificate(Verdict.FAIL, (Finding("dead_end", ""),), witness=c.witness)),
    (retro(), "CN.CC(=O)O", lambda c: Certificate(Verdict.ABSTAIN)),
    (retro(), "CN.CC(=O)O", lambda c: PASSED),
    (retro(), "CN.CC(=O)O", lambda c: row(c, 0, reference=0)),
    (retro(), "CN.CC(=O)O", lambda c: row(c, 0, findings=1)),
    (retro(), "CN.CC(=O)O", lambda c: row(c, 0, canonical="CO")),
    (retro(), "CN.CC(=O)O", lambda c: row(c, 0, canonical="CN\u2620")),
    (retro(), "CN.CC(=O)O", lambda c: row(c, 0, canonical="NC")),
    (retro(), "CN.CC(=O)O", lambda c: row(c, 0, span=[0, 3])),
    (retro(), "CN.CC(=O)O", lambda c: book(c, "O", [1, 2, 3])),
    (retro(), "CN.CC(=O)O", lambda c: book(c, "charge", [0, 0, 1])),
    (retro(), "CN.CC(=O)N", lambda c: replace(c, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None)),
    (retro(), "CN.CC(=O)N", lambda c: replace(c, score=c.score + 0.01)),
    (retro(), "CN.CC(=O)N", lambda c: replace(c, dead_from=c.dead_from - 1)),
    (retro(), "CN.CC(=O)N", lambda c: replace(c, dead_from=c.dead_from + 1)),
    (retro(), "CN.CC(=O)N", lambda c: moved(c, 0, -1)),
    (retro(), "CN.CC(=O)N", lambda c: replace(c, findings=c.findings[1:])),
    (retro(), "CN.CC(=O)N", lambda c: replace(c, findings=(replace(c.findings[0], weight=0.5), *c.findings[1:]))),
    (retro(), "CN.CC(=O)N", lambda c: row(c, 1, mapping=[[0, 0], [1, 1], [2, 3]])),
    (retro(), "CN.CC(=O)N", lambda c: row(c, 1, missing=[2])),
    (retro(), "CN.CC(=O)N", lambda c: row(c, 1, reference=None)),
    (retro("CN.CC"), "CN", lambda c: replace(c, findings=c.findings[1:])),
    (retro("CN.CC"), "CN", lambda c: replace(c, findings=(c.findings[0], *c.findings))),
    (retro("CN.CC"), "CN.CC.O", lambda c: moved(c, 0, -1)),
    (retro("CN.CC"), "CN..CC", lambda c: moved(c, 0)),
    (retro("CN.CC"), "CN.CC(", lambda c: moved(c, 0, -1)),
    (retro("CN.CC"), "CN.CC(", lambda c: row(c, 1, canonical="CC")),
    (retro("CN.CC(C)O"), "CN.CC((C)O", lambda c: moved(c, 2, 2)),
    (forward(), "CNC(=O)CBr", lambda c: moved(c, 1, -2)),
    (forward(), "CNC(=O)CBr", lambda c: replace(c, findings=(c.findings[0], *c.findings[2:]))),
    (retro("C[O-]", "C[O-]"), "CO", lambda c: without(c, "charge_imbalance")),
    (retro(), "CC(=O)O", lambda c: without(c, "element_imbalance")),
    (retro("CN.CC(C)C"), "CN.CC(C)(C)(C)C", lambda c: moved(c, 0, 1)),
    (retro("CN.c1ccccc1"), "CN.c1cccc1", lambda c: moved(c, 0, 1)),
    (retro("CN.CC"), "CN.CC()", lambda c: moved(c, 0, -1)),
    (retro("C[C@H](O)F.O"), "O.C[C@@H](O)F", lambda c: replace(c, dead_from=c.dead_from + 1)),
    (retro("C[C@H](O)F.O"), "O.C[C@@H](O)F", lambda c: replace(c, dead_from=c.dead_from - 1)),
    (retro("C[C@H](O)F.O"), "O.C[C@@H](O)F", lambda c: moved(c, 0)),
    (retro("CN.CC"), "CN.CC junk", lambda c: moved(c, 0)),
    (retro("CN.CC"), "", lambda c: replace(c, findings=(Finding("too_long", ""),))),
]


@pytest.mark.parametrize(("prompt", "completion", "change"), FALSE)
def test_a_false_certificate_does_not_stand(prompt: Prompt, completion: str, change) -> None:
    certificate = VERIFIER.verify(prompt, completion)
    assert VERIFIER.recheck(certificate, prompt, completion)
    assert not VERIFIER.recheck(change(certificate), prompt, completion)


def test_atoms_that_the_reference_has_are_not_ones_too_many() -> None:
    prompt, completion = forward("OCc1ccccc1", "OCc1ccccc1"), "CCCc1ccccc1"
    certificate = VERIFIER.verify(prompt, completion)
    (at,) = [i for i, finding in enumerate(certificate.findings) if finding.kind == "unsupplied_atoms"]
    assert VERIFIER.recheck(certificate, prompt, completion)
    for span in certificate.findings[at].spans:
        moved = replace(certificate.findings[at], spans=(Span(span.start + 1, span.end + 1),))
        findings = (*certificate.findings[:at], moved, *certificate.findings[at + 1 :])
        assert not VERIFIER.recheck(replace(certificate, findings=findings), prompt, completion)


def test_the_books_of_another_prompt_do_not_stand() -> None:
    certificate = VERIFIER.verify(forward(), "CNC(=O)CBr")
    assert not VERIFIER.recheck(certificate, forward(reactants="CC(=O)Br.CN"), "CNC(=O)CBr")
    assert not VERIFIER.recheck(certificate, forward(), "CNC(=O)CCl")


def test_right_answers_stand_in_every_spelling() -> None:
    rng = random.Random(7)
    for answer in real_answers(30, seed=7):
        prompt, completion = retro(answer, "C"), respelled(answer, rng)
        certificate = VERIFIER.verify(prompt, completion)
        assert certificate.verdict is Verdict.PASS and VERIFIER.recheck(certificate, prompt, completion)
        assert not VERIFIER.recheck(certificate, prompt, f"{completion}.C")
