"""The reaction verifier: what passes, every kind of finding at its place, the ledger, dead characters, wrong prompts."""

import random

import pytest
from certificates import checked, shown
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from reaction_cases import ACID, AMIDE, AMINE, VERIFIER, forward, kinds, real_answers, respelled, retro
from smiles_cases import corruption

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry import common_substructure
from rlsf_lightning.symbolic.verifiers.reaction.verifier import KINDS, ReactionVerifier


def verify(prompt: Prompt, completion: str, verifier: ReactionVerifier = VERIFIER) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, prompt, completion)


def found(prompt: Prompt, completion: str) -> list[tuple[str, list[str]]]:
    """(kind, the text of its spans) of every finding but the one for the first dead character."""
    return [each for each in shown(verify(prompt, completion), completion) if each[0] != "dead_end"]


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        (forward(), AMIDE),
        (forward(), "  C(C)(=O)NC\n"),
        (retro(), "CC(=O)O.CN"),
        (retro(), "NC.OC(C)=O"),
        (retro(), "[CH3]-[NH2].[H]OC(C)=O"),
        (retro("C1CC1.C1CC1.O"), "C1CC1.O.C2CC2"),  # ring numbers may be used again, and components be equal
        (retro("[Na+].CC(=O)[O-]"), "[O-]C(=O)C.[Na+]"),
        (retro("C[N+](=O)[O-].O"), "O.CN(=O)=O"),
        (retro("C[C@H](O)F.C[C@@H](O)F"), "C[C@@H](O)F.C[C@H](O)F"),
        (retro("[13CH4].[CH4:1]"), "[CH4:1].[13CH4]"),
    ],
)
def test_any_order_and_spelling_passes(prompt: Prompt, completion: str) -> None:
    certificate = verify(prompt, completion)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert certificate.dead_from is None and not certificate.findings


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CN.CC", "CN"),
        ("CN", "CN.CC"),
        ("CN.CN", "CN"),  # as often as it stands in the reference
        ("CN", "CN.CN"),
        ("C[C@H](O)F.O", "O.C[C@@H](O)F"),
        ("C[C@H](O)F.O", "O.CC(O)F"),
        ("CC[O-].[Na+]", "CCO.[Na+]"),
        ("C.C", "CC"),
        ("CC", "C.C"),
        ("CCC", "C(.C1)C1"),
    ],
)
def test_what_is_not_the_same_multiset_of_components_fails(reference: str, completion: str) -> None:
    assert verify(retro(reference), completion).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("prompt", "completion", "expected"),
    [
        # Each component by itself
        (retro(), "CC(=O)N.CN", [("wrong_atoms", ["N"]), ("missing_atoms", [])]),
        (retro("CC.CCCCCC"), "C1CCCCC1.CC", [("wrong_bonds", ["1", "1"])]),
        (retro("CC[O-].CC"), "CCO.CC", [("wrong_charge", ["O"])]),
        (retro("F/C=C/F.O"), "O.F/C=C\\F", [("wrong_stereo", ["\\"])]),
        (retro(), "CN.CC(C)(C)(C)C", [("valence", ["C"])]),
        (retro(), "CN.c1cccc1", [("kekulisation", ["c", "cccc"])]),
        (
            retro("CN.CC.CO"),
            "CN(.CX.CO1",
            [("unclosed_branch", ["("]), ("bad_character", ["X"]), ("unclosed_ring", ["1"])],
        ),
        # Which ones there are
        (retro(), "CN", [("missing_component", []), ("element_imbalance", [])]),
        (retro("CN.CC"), "CN.CC.O", [("extra_component", [".O"])]),
        (retro("CN.CC"), "O.CN.CC", [("extra_component", ["O."])]),
        (retro("CN.CC"), "CN.CC.CC", [("extra_component", [".CC"])]),
        (retro("CN.CC"), "CN..CC", [("empty_component", ["."])]),
        (retro("CN.CC"), ".CN.CC", [("empty_component", ["."])]),
        (retro("CN.CC"), "CN.CC.", [("empty_component", ["."])]),
        (retro("CCC"), "C(.C)C", [("unclosed_branch", ["("]), ("extra_close", [")"])]),
        # A token too many
        (retro("CN.CC(C)O"), "CN.CC((C)O", [("syntax", ["("]), ("unclosed_branch", ["("]), ("superfluous", ["("])]),
        # What the books say
        (forward(), "CNC(=O)CBr", [("wrong_atoms", ["Br"]), ("unsupplied_atoms", ["Br"])]),
        (forward(), f"{AMIDE}.[Pd]", [("extra_component", [".[Pd]"]), ("unsupplied_atoms", ["[Pd]"])]),
        (forward("CN.CC", "CN.CC"), "CN.CCCCC", [("wrong_atoms", ["CCC"]), ("unsupplied_atoms", ["CCC"])]),
        (
            forward("C[NH3+].[Cl-]", "CN.Cl"),
            "C[NH3+]",
            [("missing_component", []), ("charge_imbalance", [])],  # the other one lacks
        ),
    ],
)
def test_every_mistake_is_found_at_its_place(prompt: Prompt, completion: str, expected: list) -> None:
    assert found(prompt, completion)[: len(expected)] == expected


def test_the_ledger_holds_the_books_of_both_sides_and_the_reference() -> None:
    witness = verify(forward("[Na+].CC(=O)[O-]", f"{ACID}.[Na+].[OH-].Cl"), "[Na+].CC(=O)O").witness
    assert witness["ledger"] == {
        "C": [2, 2, 2],
        "Cl": [1, 0, 0],
        "Na": [1, 1, 1],
        "O": [3, 2, 2],
        "charge": [0, 0, 1],
    }


@pytest.mark.parametrize(
    ("prompt", "completion", "kind", "is_called"),
    [
        (forward("CNBr", "CN"), "CNBr.C", "unsupplied_atoms", True),
        (forward("CNBr", "CN"), "CNCBr", "unsupplied_atoms", True),  # the carbon
        (forward("CNBr", "CN"), "CBr", "unsupplied_atoms", False),  # the reference itself takes bromine from nowhere
        (forward("CCO", "CCO"), "CC(O)O", "unsupplied_atoms", True),
        (forward("CCO", "CCO.O"), "CC(O)O", "unsupplied_atoms", False),
        (retro("CN", "CN"), "C", "element_imbalance", True),
        (retro("C", "CN"), "CO", "element_imbalance", False),  # the reference lacks nitrogen, too
        (retro("CO", "CO"), "CCO", "element_imbalance", False),  # what is left over is no mistake
        (retro("C[O-]", "C[O-]"), "CO", "charge_imbalance", True),
        (retro("CO", "C[O-]"), "C[NH3+]", "charge_imbalance", False),
        (retro("C[N+](=O)[O-]", "C[N+](=O)[O-]"), "CC[N+](=O)[O-]", "charge_imbalance", False),
    ],
)
def test_the_books_are_held_against_an_answer_where_the_reference_keeps_them(
    prompt: Prompt, completion: str, kind: str, is_called: bool
) -> None:
    assert (kind in kinds(verify(prompt, completion))) is is_called


def test_an_unbalanced_charge_is_at_the_lone_charge() -> None:
    prompt = forward("C[N+](=O)[O-]", "C[N+](=O)[O-].[Na+].[Cl-]")
    completion = "[O-]C[N+](=O)[O-]"
    assert ("charge_imbalance", ["[O-]"]) in found(prompt, completion)
    (finding,) = [f for f in verify(prompt, completion).findings if f.kind == "charge_imbalance"]
    assert finding.spans == (Span(0, 4),)


def test_components_are_paired_by_likeness_and_each_partner_is_taken_once() -> None:
    rows = verify(retro("c1ccccc1O.CCCCN.CCCCO"), "CCCCF.CCCCN.c1ccccc1N").witness["components"]
    assert [row["reference"] for row in rows] == [2, 1, 0]
    assert [row["span"] for row in rows] == [[0, 5], [6, 11], [12, 21]]
    assert rows[0]["mapping"] == [[0, 0], [1, 1], [2, 2], [3, 3]] and rows[0]["missing"] == [4]
    assert "mapping" not in rows[1]


def test_what_is_no_molecule_stands_for_a_component() -> None:
    assert kinds(verify(retro("CN.CC.CO"), "CN.C(.CO"))[0] == "unclosed_branch"
    assert "missing_component" not in kinds(verify(retro("CN.CC.CO"), "CN.C(.CO"))
    assert kinds(verify(retro("CN.CC.CO"), "CN.C(")).count("missing_component") == 1


def test_scores_are_tanimoto_similarities_of_the_mixtures() -> None:
    # Morgan counts of radius 2 of CCO: C, C, O, {C-C}, {C-C-O}, {O-C}; CCN shares C, C and {C-C}; water is one more.
    assert verify(retro("CCO.O"), "O.CCN").score == pytest.approx(4 / 10)
    assert verify(retro("CC.CC"), "CC").score == pytest.approx(1 / 2)
    assert verify(retro("C[C@H](O)F.O"), "O.C[C@@H](O)F").score == MOST_WITHOUT_PASS
    assert verify(retro(), "CN.CC(=O").score == 0.0


@pytest.mark.parametrize(
    ("reference", "completion", "dead"),
    [
        ("CN.CC", "CN", 2),
        ("CN.CC", "CN.", 3),
        ("CN.CC", "CN.CO", 4),
        ("CN.CC", "CN.CN", 4),
        ("CN.CC", "CC.CC", 4),
        ("CN.CC", "CO", 1),
        ("CN.CC", "CN.CC.O", 5),
        ("CN.CC", "CN.CC.", 5),
        ("CN.CC", "CNC", 2),
        ("CN.CCC", "C.CC", 1),
        ("CN.CC", ".CN", 0),
        ("CN.CC", "CN..CC", 3),
        ("C1CC1", "C1.CC1", 2),
        ("CCC", "C(.C)C", 2),  # C(C)C could have come
        ("CN.CC", "CN.CC junk", 6),
        ("CN.CC", "CN CC", 2),
        ("CN.CC", "CN.\u00e9", 3),
        ("CN.CC", "", 0),
        ("CN.CCl", "CN.CC", 5),  # Cl could have come
        ("CN.CCl", "CC.CN", 2),
        # Stereochemistry, in whole components and the last one
        ("C[C@H](O)F.O", "C[C@@H](O)F.O", 8),
        ("C[C@H](O)F.O", "O.C[C@@H](O)F", 10),
        ("C[C@H](O)F.O", "C[C@@H](O)F.N", 8),  # not only at the nitrogen
        ("C[C@H](O)F.C[C@@H](O)F", "C[C@H](O)F.C[C@H](O)F", 18),
        ("O.F/C=C/F", "F/C=C\\F.O", 5),
    ],
)
def test_the_first_dead_character(reference: str, completion: str, dead: int) -> None:
    assert verify(retro(reference), completion).dead_from == dead


@pytest.mark.parametrize(
    ("reference", "completion", "place"),
    [
        ("CN.CC(C)(C)O", "CN.CC(C)C)O", [(7, 9)]),
        ("CN.CC", "CN", [(2, 2)]),  # only stopping was wrong
        ("CN.CCO", "CN.CCF", [(4, 6)]),
    ],
)
def test_the_place_where_an_answer_left_the_reference(reference: str, completion: str, place: list) -> None:
    last = verify(retro(reference), completion).findings[-1]
    assert (last.kind, [(span.start, span.end) for span in last.spans]) == ("dead_end", place)


def test_spans_are_of_the_completion_with_its_blanks() -> None:
    certificate = verify(forward(), "\n  CNC(=O)CBr ")
    assert certificate.findings[0].spans == (Span(11, 13),) and certificate.dead_from == 11
    assert certificate.witness["components"][0]["span"] == [0, 10]


def test_without_explanation_a_wrong_component_is_blamed_as_a_whole() -> None:
    quick = ReactionVerifier(explain=False)
    certificate = verify(retro(), "CC(=O)N.CN", quick)
    assert certificate.findings[0].kind == "other_molecule" and certificate.findings[0].spans == (Span(0, 7),)
    assert certificate.dead_from == verify(retro(), "CC(=O)N.CN").dead_from == 6
    assert certificate.score == verify(retro(), "CC(=O)N.CN").score


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        (Prompt("7", "", AMIDE), "direction"),
        (Prompt("7", "", AMIDE, facts={"direction": "sideways"}), "sideways"),
        (Prompt("7", "", AMIDE, facts={"direction": "forward", "product": AMIDE}), "reactants"),
        (Prompt("7", "", AMIDE, facts={"direction": "retro", "reactants": AMIDE}), "product"),
        (forward(AMIDE, ""), "reactants"),
        (forward(AMIDE, [ACID, AMINE]), "reactants"),
        (forward(None), "reference"),
        (retro(" "), "reference"),
    ],
)
def test_a_prompt_without_its_facts_is_the_users_mistake(prompt: Prompt, named: str) -> None:
    for call in (VERIFIER.verify, VERIFIER.viable):
        with pytest.raises(UserError, match=named):
            call(prompt, AMIDE)


@pytest.mark.parametrize(
    "prompt",
    [
        forward("C1CC"),
        retro("CC..CN"),
        retro("C1.C2"),
        forward(AMIDE, "C(("),
        retro("CN", "C" * 5000),
        retro("CC\u00e9"),
    ],
)
def test_what_rdkit_cannot_read_in_a_prompt_is_an_abstention(prompt: Prompt) -> None:
    certificate = verify(prompt, AMIDE)
    assert certificate.verdict is Verdict.ABSTAIN and "RDKit cannot read" in certificate.witness["error"]
    assert VERIFIER.viable(prompt, "C") is None


def test_a_failure_of_rdkit_is_an_abstention(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Invariant Violation")

    monkeypatch.setattr(common_substructure.rdFMCS, "FindMCS", broken)
    certificate = verify(retro("CCO.CN"), "CCN.CN")
    assert certificate.verdict is Verdict.ABSTAIN and "Invariant" in certificate.witness["error"]


def test_options() -> None:
    for options in ({"max_chars": 0}, {"max_chars": 2000}, {"mcs_seconds": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            ReactionVerifier(**options)
    (finding, *_) = verify(retro("CN.CC"), "CN.CC", ReactionVerifier(max_chars=3)).findings
    assert (finding.kind, finding.spans) == ("too_long", (Span(3, 5),))
    assert ReactionVerifier.invalid_kinds < KINDS


def same_parts(a: str, b: str) -> bool:
    """Whether RDKit reads two answers, each component by itself, as the same molecules."""
    if any(character.isspace() for character in a + b):  # what follows a blank is a name to RDKit
        return False
    parts = []
    for text in (a, b):
        molecules = [Chem.MolFromSmiles(part) if part else None for part in text.split(".")]
        if None in molecules:
            return False
        parts.append(sorted(map(Chem.MolToSmiles, molecules)))
    return parts[0] == parts[1]


def test_real_molecules() -> None:
    """Verdicts are RDKit's; every certificate stands its recheck, and no place is in the molecules that are right."""
    rng = random.Random(3)
    failed = 0
    for answer in real_answers(30, seed=3):
        prompt = retro(answer, "C")
        assert verify(prompt, respelled(answer, rng)).verdict is Verdict.PASS
        components = respelled(answer, rng).split(".")
        components[0] = corruption(components[0], rng).replace(".", "C")
        completion = ".".join(components)
        certificate = verify(prompt, completion)
        assert (certificate.verdict is Verdict.PASS) == same_parts(answer, completion)
        failed += certificate.verdict is Verdict.FAIL
        for finding in certificate.findings:
            if finding.kind not in ("dead_end", "extra_component", "empty_component"):
                assert all(span.end <= len(components[0]) for span in finding.spans), (completion, finding)
    assert failed > 20


@given(st.text(alphabet="CNOclBr[]()123%.=#@/\\+-H Fé", max_size=30))
@example("CNC(C)=O 1")
@example("[H]")
@example("[H][H]")
@settings(max_examples=80, deadline=None)
def test_any_text_has_a_certificate(completion: str) -> None:
    for prompt in (forward(), retro("C[C@H](O)F.[Na+].[Cl-]")):
        certificate = verify(prompt, completion)
        assert (certificate.verdict is Verdict.PASS) == same_parts(prompt.reference or "", completion.strip())
