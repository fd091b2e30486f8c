"""The SMILES verifier: verdicts, places of findings, first dead characters, RDKit's traps, and hostile completions."""

import itertools
import random
import time
from dataclasses import replace

import pytest
from smiles_cases import ASPIRIN, VERIFIER, corruption, found, is_same, real_smiles, spelling, verify

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry import common_substructure
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from
from rlsf_lightning.symbolic.verifiers.smiles.verifier import KINDS, SmilesVerifier


@pytest.mark.parametrize(
    "completion", [ASPIRIN, "OC(=O)C1=CC=CC=C1OC(C)=O", f"  {ASPIRIN}\n", "[H]OC(=O)c1ccccc1OC(=O)C([H])([H])[H]"]
)
def test_any_spelling_passes(completion: str) -> None:
    certificate = verify(ASPIRIN, completion)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert certificate.dead_from is None and not certificate.findings


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("C[N+](=O)[O-]", "CN(=O)=O"),
        ("[2H]C", "C[2H]"),
        ("[CH4:1]", "[CH4:1]"),
        ("[Na+].[Cl-]", "[Cl-].[Na+]"),
        ("F/C=C/F", "F\\C=C\\F"),
        ("*C", "C*"),  # what the reference has is not odd
        ("[CH3]", "[CH3]"),
        ("[H][H]", "[H][H]"),
        (None, "CCO"),
        (None, "[Na+].[Cl-]"),
    ],
)
def test_more_that_passes(reference: str | None, completion: str) -> None:
    assert verify(reference, completion).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("[2H]C", "C"),
        ("C", "[2H]C"),
        ("[CH4:1]", "C"),
        ("C", "[CH4:1]"),
        ("CC[O-]", "CCO"),
        ("C.C", "CC"),
        ("CC.C", "CC"),
    ],
)
def test_isotopes_atom_maps_charges_and_fragments_count(reference: str, completion: str) -> None:
    assert verify(reference, completion).verdict is Verdict.FAIL


#: What RDKit by itself accepts, or reads a part of.
@pytest.mark.parametrize(
    ("completion", "kind", "spans"),
    [
        ("", "empty", []),
        (" \n", "empty", []),
        ("CC junk", "bad_character", [" "]),
        ("CC\nCC", "bad_character", ["\n"]),
        ("C\tC", "bad_character", ["\t"]),
        ("C C(", "bad_character", [" "]),
        ("CCé", "bad_character", ["é"]),
        ("名CC", "bad_character", ["名"]),
        ("CC\u200b\u200b", "bad_character", ["\u200b\u200b"]),
        ("\u0421\u0421", "bad_character", ["\u0421\u0421"]),  # Cyrillic
        ("CC\x00", "bad_character", ["\x00"]),
        ("C\ud800C", "bad_character", ["\ud800"]),
        ("CC |^1:0|", "bad_character", [" "]),
        ("CC |a|", "bad_character", [" "]),
        ("\u540dCC\u540d", "bad_character", ["\u540d", "\u540d"]),
        ("[CH3].[C]", "radical", ["[CH3]", "[C]"]),
        ("[H]", "radical", ["[H]"]),
        ("C~C", "wildcard", ["~"]),
        ("CC|^1:0|", "bad_character", ["|^"]),
        ("[C]", "radical", ["[C]"]),
        ("C[CH2]", "radical", ["[CH2]"]),
        ("*", "wildcard", ["*"]),
        ("C*[*]", "wildcard", ["*[*]"]),
        ("[#119]", "bad_bracket_atom", ["[#119]"]),
    ],
)
def test_silent_acceptance_is_refused(completion: str, kind: str, spans: list[str]) -> None:
    kinds = found(None, completion)
    assert kinds[0] == (kind, spans)
    assert verify(None, completion).verdict is Verdict.FAIL
    assert verify("CC", completion).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("CCXC", [("bad_character", ["X"])]),
        ("CC=", [("dangling_bond", ["="])]),
        ("CC(C(C", [("unclosed_branch", ["("]), ("unclosed_branch", ["("])]),
        ("CC)C)", [("extra_close", [")"]), ("extra_close", [")"])]),
        ("c1ccccc", [("unclosed_ring", ["1"])]),
        ("CC1CC2", [("unclosed_ring", ["1"]), ("unclosed_ring", ["2"])]),
        ("C11", [("ring_to_self", ["1"])]),
        ("C12CC12", [("duplicate_bond", ["2"])]),
        ("C[CH3", [("bad_bracket_atom", ["[CH3"])]),
        ("C[Xx]C(", [("bad_bracket_atom", ["[Xx]"]), ("unclosed_branch", ["("])]),
        ("CC(C)(C)(C)C", [("valence", ["C"])]),
        ("FC(F)(F)(F)CC(F)(F)(F)F", [("valence", ["C"]), ("valence", ["C"])]),
        ("C1=CC=n(C=C1O)C", [("valence", ["n"])]),  # the list of problems is empty, sanitising fails
        ("c1cccc1", [("kekulisation", ["c", "cccc"])]),
        ("c1cccc1CCc1cccc1", [("kekulisation", ["c", "cccc"]), ("kekulisation", ["c", "cccc"])]),
        ("n1cccc1", [("kekulisation", ["n", "cccc"])]),
        ("cC", [("kekulisation", ["c"])]),
        ("N1cC1", [("kekulisation", ["c"])]),  # RDKit reads the four as if they were upper-case
        ("c1-cCC1", [("kekulisation", ["c", "c"])]),
        ("[cH2]1CC1", [("kekulisation", ["[cH2]"])]),
        ("C1Cc1-c1CC1", [("kekulisation", ["c", "c"])]),
        ("c1cccc1.CC(C)(C)(C)C", [("valence", ["C"]), ("kekulisation", ["c", "cccc"])]),
    ],
)
def test_every_mistake_is_found_at_its_place(completion: str, expected: list[tuple[str, list[str]]]) -> None:
    assert found(None, completion) == expected
    assert found(ASPIRIN, completion) == expected
    assert verify(ASPIRIN, completion).score == 0.0


@pytest.mark.parametrize(
    ("reference", "completion", "kind", "text", "dead"),
    [
        ("C", "[CH4+256]", "bad_bracket_atom", "[CH4+256]", 5),  # RDKit keeps a byte of the charge
        ("C", "[65536CH4]", "bad_bracket_atom", "[65536CH4]", 1),
        ("C", "[CH260]", "bad_bracket_atom", "[CH260]", 3),
    ],
)
def test_what_rdkit_reads_otherwise(reference: str, completion: str, kind: str, text: str, dead: int) -> None:
    certificate = verify(reference, completion)
    assert (certificate.verdict, certificate.dead_from) == (Verdict.FAIL, dead)
    assert (kind, text) in [(f.kind, completion[f.spans[0].start : f.spans[0].end]) for f in certificate.findings]
    assert VERIFIER.viable(Prompt("", "", reference), completion[: dead + 1]) is False


def test_spans_are_of_the_completion_with_its_blanks() -> None:
    (finding,) = verify(None, "\n  CC(C)(C)(C)C ").findings
    assert finding.spans == (Span(4, 5),)
    certificate = verify("CC", "\n  CC(C)(C)(C)C ")
    assert certificate.findings[0].spans == (Span(4, 5), Span(5, 6))
    assert certificate.witness["departure"] == [[5, 6]]
    assert verify("CC", "\n  CCC ").dead_from == 5


@pytest.mark.parametrize(
    ("reference", "completion", "expected"),
    [
        (ASPIRIN, "CC(=O)Oc1ccccc1C(=O)N", [("wrong_atoms", ["N"]), ("missing_atoms", [])]),
        ("c1ccccc1", "c1ccccc1CO", [("wrong_atoms", ["CO"])]),
        ("CCCO", "CCO", [("missing_atoms", [])]),
        ("CCCCCC", "C1CCCCC1", [("wrong_bonds", ["1", "1"])]),
        ("C1CCCCC1", "CCCCCC", [("missing_bonds", [])]),
        ("CC[O-]", "CCO", [("wrong_charge", ["O"])]),
        ("[Na+].CC(=O)[O-]", "[K+].CC(=O)[O-]", [("wrong_atoms", ["[K+]"]), ("missing_atoms", [])]),
        ("F/C=C/F", "F/C=C\\F", [("wrong_stereo", ["\\"])]),
        ("C[C@H](O)F", "C[C@@H](O)F", [("wrong_stereo", ["@@"])]),
        ("C[C@H](O)F", "CC(O)F", [("wrong_stereo", [])]),
        ("CC(O)F", "C[C@H](O)F", [("wrong_stereo", ["@"])]),
        ("C[C@H](O)[C@@H](F)Cl", "C[C@H](O)[C@H](F)Cl", [("wrong_stereo", ["@"])]),
        ("Cc1ncc[nH]1", "[CH3]c1[nH]ccn1", []),
    ],
)
def test_where_a_valid_molecule_differs(reference: str, completion: str, expected: list[tuple[str, list[str]]]) -> None:
    assert found(reference, completion) == expected


#: Where the reference was left stands beside where the mistake shows.
@pytest.mark.parametrize(
    ("reference", "completion", "departure"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1cccc1C(=O)O", ["1"]),  # an atom of the ring is missing before it
        ("CC(C)C", "CCC)C", ["CC"]),  # the gap in which the parenthesis is missing
        ("CC(C)(C)O", "CC(C)(CO", ["CO"]),
        ("OCC1CC1", "OCC1CC", ["C"]),
        ("CC=C", "CC#C", ["#"]),
        ("CCO", "CC(C)(C)(C)C", ["(C"]),
        ("CCCO", "CCO", ["O"]),
    ],
)
def test_where_the_reference_was_left(reference: str, completion: str, departure: list[str]) -> None:
    certificate = verify(reference, completion)
    places = [Span(*place) for place in certificate.witness["departure"]]
    assert set(places) <= set(certificate.findings[0].spans)
    assert [completion[place.start : place.end] for place in places] == departure


def test_every_bad_ring_of_many_is_found() -> None:
    completion = "C".join(f"c1cc{letter}c1" for letter in "ccccc")
    findings = verify(None, completion).findings
    assert [finding.kind for finding in findings] == ["kekulisation"] * 5
    starts = [finding.spans[0].start for finding in findings]
    assert sorted(starts) == [0, 8, 16, 24, 32]


def test_the_search_for_a_common_substructure_is_bounded_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, completion = "CC(=O)Oc1ccccc1C(=O)OCCN", "CC(=O)Nc1ccccc1C(=O)NCCOC"
    assert verify(reference, completion).witness["search_complete"] is True
    monkeypatch.setattr(common_substructure, "MAX_STEPS", 3)
    first, second = (VERIFIER.verify(Prompt("", "", reference), completion) for _ in range(2))
    assert first.witness["search_complete"] is False and first.witness == second.witness


def test_certificates_do_not_depend_on_how_busy_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, completion = "CCCCc1ccccc1C(=O)NC1CC1", "CCCOc1ccccc1C(=O)NC1CCC1"
    quiet = verify(reference, completion)
    leaping = itertools.count(0.0, 100.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(leaping))
    busy = verify(reference, completion)
    assert "mapping" in quiet.witness
    assert replace(busy, seconds=0.0) == replace(quiet, seconds=0.0)


def test_a_mapping_is_the_witness_of_a_difference() -> None:
    certificate = verify("CC(N)O", "[H]OC(C)S")
    # written atoms of the completion: H O C C S; of the reference: C C N O
    assert certificate.witness["mapping"] == [[1, 3], [2, 1], [3, 0]]
    assert certificate.witness["search_complete"] is True


def test_without_explanation_the_whole_molecule_is_blamed_and_the_place_is_still_known() -> None:
    quick = SmilesVerifier(explain=False)
    certificate = verify(ASPIRIN, "CC(=O)Oc1ccccc1C(=O)N", quick)
    assert [(f.kind, f.spans) for f in certificate.findings] == [("other_molecule", ())]
    assert certificate.dead_from == 20
    assert verify("C[C@H](O)F", "C[C@@H](O)F", quick).dead_from == 8


def test_scores_are_tanimoto_similarities_below_one() -> None:
    # Morgan counts of radius 2 of CCO: C, C, O, {C-C}, {C-C-O}, {O-C}; CCN shares only the first two.
    assert verify("CCO", "CCN").score == pytest.approx(1 / 3)
    assert verify("C[C@H](O)F", "C[C@@H](O)F").score == MOST_WITHOUT_PASS
    assert 0.5 < verify(ASPIRIN, "CC(=O)Oc1ccccc1C(=O)N").score < 1
    assert verify(ASPIRIN, "CC(=O)Oc1ccccc1C(=O").score == 0.0


@pytest.mark.parametrize(
    ("reference", "completion", "dead"),
    [
        (ASPIRIN, "CC(=O)Oc1cccc1C(=O)O", 13),
        ("CC(C)Cl", "CC(C)C", 6),  # the last C could have become Cl
        ("CC(C)Cl", "CC(C)CC", 6),
        ("CCO", "CC", 2),
        ("CCO", "CC \n", 2),
        ("CC", "CC junk", 3),  # the blank after the right molecule did no harm
        ("CCC", "CC junk", 2),
        ("CC", "CCé", 2),
        ("CC", "", 0),
        ("CC", "é", 0),
        ("C" * 30, "C" * 2000, 30),
        ("C" * 600, "C" * 599, 500),  # longer than what is read
        # Stereochemistry: "@" may become "@@", but not the other way round.
        ("C[C@H](O)F", "C[C@@H](O)F", 8),
        ("C[C@@H](O)F", "C[C@H](O)F", 7),
        ("CC(O)F", "C[C@H](O)F", 3),
        ("F/C=C/F", "F/C=C\\F", 5),
        ("F/C=C/F", "FC=CF", 1),
        # Without a reference: syntax, too many bonds, wildcards.
        (None, "CC)C", 2),
        (None, "CC(C)(C)(C)C", 11),
        (None, "OC1CO1(C)C", 7),
        (None, "CC*C", 2),
        (None, "C1CC", 4),
        (None, "CC(C", 4),
        (None, "c1ccccc", 7),
        (None, "CC=", 3),
        (None, "c1cccc1", None),
        (None, "C[CH2]", 6),  # an atom could have followed
        (None, "C[CH]=C", None),
    ],
)
def test_the_first_dead_character(reference: str | None, completion: str, dead: int | None) -> None:
    assert verify(reference, completion).dead_from == dead


def test_without_a_reference_nothing_that_rdkit_accepts_was_ever_dead() -> None:
    rng = random.Random(9)
    checked = 0
    for text in real_smiles(150, seed=9):
        text = corruption(spelling(text, rng), rng)
        if text and VERIFIER.verify(Prompt("", ""), text).verdict is Verdict.PASS:
            checked += 1
            assert {certainly_dead_from(read_smiles(text[:end])) for end in range(len(text) + 1)} == {None}, text
    assert checked > 15


def test_an_unreadable_reference_is_an_abstention() -> None:
    for reference in ("C1CC", "", "not SMILES", "C" * 5000, "CC\x00"):
        certificate = verify(reference, "CC")
        assert certificate.verdict is Verdict.ABSTAIN and "reference" in certificate.witness["error"]


def test_a_failure_of_rdkit_is_an_abstention(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Invariant Violation")

    monkeypatch.setattr(common_substructure.rdFMCS, "FindMCS", broken)
    certificate = verify("CCO", "CCN")
    assert certificate.verdict is Verdict.ABSTAIN and "Invariant" in certificate.witness["error"]


#: What must neither crash, hang, print nor grow.
def test_corruptions_of_real_molecules() -> None:
    """Verdicts are RDKit's; every certificate stands its recheck; an explanation changes no verdict, score or place."""
    rng = random.Random(12)
    quick = SmilesVerifier(explain=False)
    failed = 0
    for reference in real_smiles(120, seed=12):
        completion = corruption(spelling(reference, rng), rng)
        certificate, plain = verify(reference, completion), verify(reference, completion, quick)
        assert (certificate.verdict is Verdict.PASS) == is_same(reference, completion)
        assert (certificate.verdict, certificate.dead_from, certificate.score) == (
            plain.verdict,
            plain.dead_from,
            plain.score,
        )
        failed += certificate.verdict is Verdict.FAIL
        assert verify(reference, spelling(reference, rng)).verdict is Verdict.PASS
    assert failed > 80


@pytest.mark.parametrize(
    ("reference", "completion", "change"),
    [
        (ASPIRIN, "CCO", lambda c: Certificate(Verdict.PASS, score=1.0)),
        (None, "CC(", lambda c: Certificate(Verdict.PASS, score=1.0)),
        ("CCO", "CCN", lambda c: replace(c, findings=())),
        ("CCO", "CCN", lambda c: replace(c, dead_from=1)),
        ("CCO", "CCN", lambda c: replace(c, dead_from=3)),
        ("CCO", "CCN", lambda c: replace(c, witness={"mapping": [[0, 0], [1, 0]]})),
        ("CCO", "CCN", lambda c: replace(c, witness={"mapping": [[2, 2]]})),
        ("CCO", "CCN", lambda c: replace(c, witness={"mapping": [[0, 1], [1, 9]]})),
        ("CCOC", "CCOCN", lambda c: replace(c, witness={"mapping": [[0, 3], [1, 0]]})),
        ("CCO", "CCN", lambda c: replace(c, findings=(Finding("wrong_atoms", "", (Span(0, 1),)),))),
        ("CCO", "CC(", lambda c: replace(c, findings=(Finding("unclosed_branch", "", (Span(0, 1),)),))),
        ("CCO", "CCN", lambda c: replace(c, findings=(Finding("valence", "", (Span(2, 9),)),))),
        ("CCO", "C[NH]", lambda c: replace(c, findings=(Finding("valence", "", (Span(2, 3),)),))),
        ("CCO", "CCN", lambda c: replace(c, findings=(Finding("empty", ""),))),
        ("CCO", "CCN", lambda c: replace(c, findings=(Finding("bad_character", "", (Span(0, 1),)),))),
    ],
)
def test_a_false_certificate_does_not_stand(reference: str | None, completion: str, change) -> None:
    prompt = Prompt("", "", reference)
    certificate = VERIFIER.verify(prompt, completion)
    assert VERIFIER.recheck(certificate, prompt, completion)
    assert not VERIFIER.recheck(change(certificate), prompt, completion)


def test_options() -> None:
    for options in ({"max_chars": 0}, {"max_chars": 2000}, {"mcs_seconds": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            SmilesVerifier(**options)
    short = SmilesVerifier(max_chars=3)
    (finding,) = verify("CCCC", "CCCC", short).findings
    assert (finding.kind, finding.spans) == ("too_long", (Span(3, 4),))
    assert SmilesVerifier.invalid_kinds < KINDS
