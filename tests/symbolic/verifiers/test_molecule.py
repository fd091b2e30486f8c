"""The verifier of molecules from a description: facts and the user's mistakes, findings at their places, RDKit's traps."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from certificates import checked, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS
from rlsf_lightning.symbolic.verifiers.molecule.verifier import KINDS, MoleculeVerifier

VERIFIER = MoleculeVerifier()
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
Fact = Mapping[str, Any]


def prompt_of(*facts: Any) -> Prompt:
    return Prompt("id", "a molecule", facts={"facts": list(facts)})


def verify(completion: str, *facts: Fact, verifier: MoleculeVerifier = VERIFIER) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, prompt_of(*facts), completion)


def group(name: str, count: int = 1) -> Fact:
    return {"functional_group": name, "count": count}


RIGHT = [
    group("carboxylic acid"),
    group("ester"),
    group("alcohol", 0),
    {"ring": "benzene"},
    {"element": "O", "count": 4},
    {"element": "H", "count": 8},
    {"smarts": "[CX3]=[OX1]", "min": 2, "max": 3},
    {"formula": "C9H8O4"},
    {"property": "charge", "count": 0},
    {"property": "rings", "count": 1},
    {"property": "fragments", "max": 1},
    {"property": "heavy_atoms", "count": 13},
    {"property": "stereocentres", "count": 0},
    {"property": "molecular_weight", "min": 180.1, "max": 180.2},
]


@pytest.mark.parametrize(
    "completion", [ASPIRIN, "OC(=O)C1=CC=CC=C1OC(C)=O", f" {ASPIRIN}\n", "[H]OC(=O)c1ccccc1OC(=O)C([H])([H])[H]"]
)
def test_all_facts_are_true_of_every_spelling(completion: str) -> None:
    certificate = verify(completion, *RIGHT)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1
    assert all(row["holds"] for row in certificate.witness["facts"])


def test_the_witness_names_the_atoms_of_each_fact() -> None:
    rows = verify("[H]OC(=O)CCl", group("carboxylic acid"), {"element": "Cl"}, {"formula": "C2H3ClO2"}).witness["facts"]
    # as they are written: H O C O C Cl
    assert [row["atoms"] for row in rows] == [[[1, 2, 3]], [[5]], []]
    assert [row["found"] for row in rows] == [1, 1, {"C": 2, "O": 2, "Cl": 1, "H": 3}]
    assert rows[1]["fact"] == {"element": "Cl", "min": 1}


@pytest.mark.parametrize(
    ("completion", "fact", "expected"),
    [
        ("CCO", group("carboxylic acid"), [("missing_group", [])]),
        ("OCC(O)CO", group("alcohol", 1), [("extra_group", ["OCC", "O", "CO"])]),
        ("CC(C)=O", group("ketone", 0), [("extra_group", ["CC", "C", "=O"])]),
        ("CCc1ccccc1", {"ring": "pyridine"}, [("missing_ring", ["c"] * 5)]),
        ("CCc1ccccc1", {"ring": "benzene", "max": 0}, [("extra_ring", ["c1ccccc1"])]),
        ("CCCl", {"element": "Cl", "count": 2}, [("missing_element", ["C"])]),
        ("ClCCCl", {"element": "Cl", "max": 1}, [("extra_element", ["Cl", "Cl"])]),
        ("CC", {"element": "H", "count": 4}, [("extra_element", ["C", "C"])]),
        ("CC=O", {"smarts": "C=N"}, [("missing_substructure", ["O"])]),
        ("CC=O", {"smarts": "C=O", "count": 0}, [("extra_substructure", ["C=O"])]),
        ("CCO", {"formula": "C2H6S"}, [("extra_element", ["O"]), ("missing_element", ["O"])]),
        ("C=C", {"formula": "C2H6"}, [("wrong_hydrogens", ["="])]),
        ("CC(=O)[O-]", {"formula": "C2H3O2"}, [("wrong_charge", ["[O-]"])]),
        ("[NH3+]CC(=O)[O-]", {"property": "charge", "count": -1}, [("wrong_charge", ["[NH3+]"])]),
        ("C1CC1C1CC1", {"property": "rings", "max": 1}, [("wrong_rings", ["1", "1", "1", "1"])]),
        ("CCC", {"property": "rings", "count": 1}, [("wrong_rings", [])]),
        ("C.C", {"property": "fragments", "count": 1}, [("wrong_fragments", ["."])]),
        ("C[C@H](O)F", {"property": "stereocentres", "count": 0}, [("wrong_stereocentres", ["[C@H]"])]),
        ("CCC", {"property": "heavy_atoms", "count": 4}, [("wrong_heavy_atoms", [])]),
        ("CCC", {"property": "molecular_weight", "max": 20}, [("wrong_molecular_weight", [])]),
        ("CCC", {"property": "molecular_weight", "min": 99}, [("wrong_molecular_weight", ["C", "C", "C"])]),
        ("CCCC", {"formula": "C2H10S2"}, [("extra_element", ["CCCC"]), ("missing_element", [])]),
        ("CC(N)O", {"property": "molecular_weight", "min": 46, "max": 47}, [("wrong_molecular_weight", ["(N)"])]),
        ("C1CC1=O", {"property": "molecular_weight", "max": 43}, [("wrong_molecular_weight", ["=O"])]),
    ],
)
def test_what_is_in_excess_has_its_atoms_and_what_is_missing_the_places_where_one_change_mends_it(
    completion: str, fact: Fact, expected: list[tuple[str, list[str]]]
) -> None:
    assert shown(verify(completion, fact), completion) == expected


def test_the_score_is_the_share_of_facts_that_hold() -> None:
    assert verify("CCO", group("alcohol"), group("ester"), {"element": "O"}).score == pytest.approx(2 / 3)
    assert verify("CCO(", group("alcohol")).score == 0
    # true of it, but no molecule that counts
    assert verify("*CO", group("alcohol")).score == 0.999


#: What RDKit by itself accepts, or reads a part of.
@pytest.mark.parametrize(
    ("completion", "kind", "spans"),
    [
        ("", "empty", []),
        ("CO junk", "bad_character", [" "]),
        ("C\tO", "bad_character", ["\t"]),
        ("CO\u540d", "bad_character", ["\u540d"]),
        ("CO |^1:0|", "bad_character", [" "]),
        ("C\ud800O", "bad_character", ["\ud800"]),
        ("[CH2]O", "radical", ["[CH2]"]),
        ("*CO", "wildcard", ["*"]),
        ("C~CO", "wildcard", ["~"]),
        ("[#119]", "bad_bracket_atom", ["[#119]"]),
        ("CO" * 300, "too_long", ["CO" * 50]),
        ("COC)", "extra_close", [")"]),
        ("C11O", "ring_to_self", ["1"]),
        ("C12OC12", "duplicate_bond", ["2"]),
        ("CO=", "dangling_bond", ["="]),
        ("COX", "bad_character", ["X"]),
        ("CO(C)(C)C", "valence", ["O", "C", "C", "C"]),  # with its bonds: any may be the one too many
        ("c1cccc1CO", "kekulisation", ["c1cccc1C"]),
    ],
)
def test_what_is_no_molecule(completion: str, kind: str, spans: list[str]) -> None:
    certificate = verify(completion, {"element": "O"}, verifier=MoleculeVerifier(explain=False))
    assert shown(certificate, completion)[0] == (kind, spans)


def test_where_the_other_half_is_missing() -> None:
    certificate = verify("CC1CC", {"ring": "cyclopropane"})
    assert certificate.witness["departure"] == [[4, 5]]
    assert certificate.findings[0] == Finding(
        "unclosed_ring", "ring 1 is opened and not closed", (Span(2, 3), Span(4, 5))
    )


@pytest.mark.parametrize(
    ("completion", "facts", "dead"),
    [
        ("CC)O", [group("alcohol")], 2),
        ("CC*", [group("alcohol")], 2),
        ("CCCC", [{"formula": "C3H8"}], 3),
        ("CCBr", [{"formula": "C2H5Cl"}], 2),
        ("CCCl", [{"formula": "C2H5Br"}], 2),  # of Cl the C is one too many already
        ("CCl", [{"element": "Cl", "max": 0}, {"element": "C", "count": 2}], 2),
        ("CCC", [{"element": "C", "max": 2}, {"element": "Cl", "max": 1}], 3),  # the third could have been Cl
        ("OCC[O-]", [{"element": "O", "max": 1}], 6),
        ("C1CC1C1CC1", [{"property": "rings", "max": 1}], 9),
        ("C.C", [{"property": "fragments", "count": 1}], 1),
        ("C1.C1.C", [{"property": "fragments", "count": 1}], 5),  # C1.C1 is one
        ("CCCC", [{"property": "heavy_atoms", "max": 3}], 3),
        ("CCI", [{"property": "molecular_weight", "max": 100}], 2),
        ("CCC", [{"formula": "C3H4"}], 2),  # CH3 and CH2 are five hydrogens already
        ("CC", [group("alcohol")], 2),  # an O could have followed
        ("CC", [{"ring": "benzene"}], 2),
        ("", [group("alcohol")], 0),
    ],
)
def test_the_first_dead_character(completion: str, facts: list[Fact], dead: int | None) -> None:
    assert verify(completion, *facts).dead_from == dead


def test_forbidden_elements() -> None:
    organic = MoleculeVerifier(allowed_elements=["C", "N", "O"])
    completion = "CCS[Na]"
    certificate = verify(completion, {"element": "C"}, verifier=organic)
    assert shown(certificate, completion) == [("forbidden_atom", ["S[Na]"])]
    assert (certificate.dead_from, certificate.score) == (2, 0.999)
    with pytest.raises(ValueError, match="no element"):
        MoleculeVerifier(forbidden_elements=["Q"])


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ["facts", "list of what is stated", "carboxylic acid"]),
        ({"facts": []}, ["list of 1 to 50"]),
        ({"facts": "acid"}, ["list of 1 to 50"]),
        ({"facts": ["acid"]}, ["no mapping"]),
        ({"facts": [{"functional_group": "carboxylic acd"}]}, ["carboxylic acd", "did you mean `carboxylic acid`"]),
        ({"facts": [{"ring": "benzol"}]}, ["benzol", "smarts"]),
        ({"facts": [{"element": "Xx"}]}, ["no element 'Xx'"]),
        ({"facts": [{"property": "colour", "count": 1}]}, ["colour", "stereocentres"]),
        ({"facts": [{"property": "rings"}]}, ["states nothing"]),
        ({"facts": [{"smarts": "[C"}]}, ["SMARTS", "[C"]),
        ({"facts": [{"formula": "C9H8O4x"}]}, ["no formula", "C9H8O4x"]),
        ({"facts": [{"formula": "Xx2"}]}, ["no formula"]),
        ({"facts": [{"formula": "C2", "count": 1}]}, ["a formula has no count"]),
        ({"facts": [{"element": "C", "count": -1}]}, ["count", "at least 0"]),
        ({"facts": [{"element": "C", "count": 1.5}]}, ["whole number"]),
        ({"facts": [{"element": "C", "count": True}]}, ["whole number"]),
        ({"facts": [{"element": "C", "min": 3, "max": 2}]}, ["`min` is above `max`"]),
        ({"facts": [{"element": "C", "count": 3, "max": 4}]}, ["either"]),
        ({"facts": [{"element": "C", "cuont": 3}]}, ["did you mean `count`"]),
        ({"facts": [{"element": "C", "ring": "benzene"}]}, ["must have one of"]),
        ({"facts": [{"element": ["C"]}]}, ["must be a text"]),
        ({"facts": [{"element": {1, 2}}]}, ["no plain JSON"]),
        ({"facts": [{"property": "molecular_weight", "count": 100}]}, ["range"]),
    ],
)
def test_wrong_facts_are_the_users_mistake(facts: dict[str, Any], words: list[str]) -> None:
    prompt = Prompt("row-7", "", facts=facts)
    for call in (VERIFIER.verify, VERIFIER.viable):
        with pytest.raises(UserError) as error:
            call(prompt, "CC")
        for word in ["row-7", *words]:
            assert word in str(error.value)


def test_ions_in_formulas() -> None:
    assert verify("CC(=O)[O-]", {"formula": "C2H3O2-"}).verdict is Verdict.PASS
    assert verify("[Mg+2]", {"formula": "Mg+2"}).verdict is Verdict.PASS
    assert verify("[Na+].[Cl-]", {"formula": "ClNa"}).verdict is Verdict.PASS


@pytest.mark.parametrize("subject", ["functional_group", "ring"])
def test_every_name_has_an_example_in_which_it_occurs_once(subject: str) -> None:
    for name, entry in {"functional_group": FUNCTIONAL_GROUPS, "ring": RINGS}[subject].items():
        assert verify(entry.example, {subject: name, "count": 1}).verdict is Verdict.PASS, name
        assert Chem.MolFromSmarts(entry.smarts) is not None


#: Which names each molecule has, of all in the table: borders between neighbouring groups.
@pytest.mark.parametrize(
    ("smiles", "names"),
    [
        ("CC(=O)O", {"carboxylic acid", "methyl"}),
        ("CC(=O)OC(C)=O", {"anhydride", "methyl"}),
        ("COC(=O)OC", {"carbonate", "methoxy", "methyl"}),
        ("CC(=O)NC", {"amide", "methyl"}),
        ("CNC(=O)NC", {"urea", "methyl"}),
        ("CCOCC", {"ether", "methyl"}),
        ("Nc1ccccc1", {"primary amine"}),
        ("CS(=O)(=O)N", {"sulfonamide", "methyl"}),
        ("CO[N+](=O)[O-]", {"methyl"}),  # a nitrate is no nitro group
        ("CN(=O)=O", {"nitro", "methyl"}),
        ("C[S+](C)C", {"methyl"}),
        ("OCc1ccccc1O", {"alcohol", "phenol"}),
        ("FC(F)(F)C#N", {"trifluoromethyl", "fluoride", "halide", "nitrile"}),
    ],
)
def test_which_groups_a_molecule_has(smiles: str, names: set[str]) -> None:
    certificate = VERIFIER.verify(prompt_of(*({"functional_group": name} for name in FUNCTIONAL_GROUPS)), smiles)
    rows = certificate.witness["facts"]
    assert {row["fact"]["functional_group"] for row in rows if row["holds"]} == names


@given(st.text(max_size=30), st.sampled_from([RIGHT, [group("alcohol")], [{"formula": "C2H6O"}]]))
@settings(max_examples=80, deadline=None)
def test_any_text(text: str, facts: list[Fact]) -> None:
    verify(text, *facts)


@given(
    st.lists(
        st.sampled_from(["C", "c", "O", "=", "(", ")", "1", "[", "H]", "[O-]", "N", "Cl", ".", "l", "B"]), max_size=10
    )
)
@settings(max_examples=120, deadline=None)
def test_the_dead_stay_dead(symbols: list[str]) -> None:
    text = "".join(symbols)
    prompt = prompt_of({"formula": "C3H7ClO"}, {"property": "fragments", "count": 1}, {"property": "rings", "max": 1})
    answers = [VERIFIER.viable(prompt, text[:end]) for end in range(len(text) + 1)]
    if False in answers:
        first = answers.index(False)
        assert set(answers[first:]) == {False}, (text, answers)
        dead = VERIFIER.verify(prompt, text).dead_from
        assert dead in (first - 1, None)


def test_what_is_tried_out_is_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of endings are tried for a beginning that can be ended in none of these ways: none needs its places."""

    def explains(*_: object) -> None:
        raise AssertionError("places were looked for")

    monkeypatch.setattr("rlsf_lightning.symbolic.chemistry.validity.invalid", explains)
    monkeypatch.setattr("rlsf_lightning.symbolic.verifiers.molecule.check.differences", explains)
    prompt = prompt_of({"ring": "benzene", "count": 3}, {"element": "N", "count": 2})
    assert VERIFIER.viable(prompt, "CC[NH+]=C1C=CC(=C(c2ccc(N(C)C)cc2)c2cc") is None


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("CCO", True),
        ("OCC", True),
        ("[CH3]CO", True),
        ("CC.O", False),
        ("CCS", False),
        ("CCCO", False),
        ("", False),
        ("C" * 501, False),
        ("CC(O", False),
        ("CCO*", False),
        ("C[CH]O", False),
        ("cCO", False),
        ("N1cC1", False),
        ("C1.C1O", True),
        ("C~C.O", False),
        ("OC=C=C=O=C", False),
    ],
)
def test_a_text_with_a_blank_behind_it_is_judged_as_a_whole(text: str, verdict: bool) -> None:
    facts = ({"element": "O", "count": 1}, {"property": "heavy_atoms", "count": 3}, {"property": "fragments", "max": 1})
    assert VERIFIER.viable(prompt_of(*facts), f"{text} ") is (verdict if text else None)
    assert (verify(text, *facts).verdict is Verdict.PASS) is verdict


@pytest.mark.parametrize(
    ("completion", "facts", "changes"),
    [
        # Another element stands in its place: of a ring, of a group, beside a branch.
        ("CN1C(=SC(=CC1=O)OC)C", [{"ring": "pyridine", "count": 1}], [[6, 7, "C"]]),
        ("OC(=N)c1ccccc1", [group("carboxylic acid"), {"element": "N", "count": 0}], [[4, 5, "O"]]),
        # An atom, a branch or a bond symbol is too many.
        ("CC(F)N", [group("primary amine"), {"formula": "C2H7N"}], [[2, 5, ""]]),
        ("CCC(C#N)CO", [group("alcohol"), {"property": "molecular_weight", "max": 75}], [[3, 8, ""]]),
        ("CC#CO", [{"formula": "C3H8O"}], [[2, 3, ""]]),
        # An atom in the place of another leaves the rings as they are: nothing is tried out.
        ("CCCCO", [{"property": "rings", "count": 1}], None),
        ("CC", [group("carboxylic acid")], None),
    ],
)
def test_where_one_change_makes_everything_true(
    completion: str, facts: list[Fact], changes: list[list[int | str]] | None
) -> None:
    assert verify(completion, *facts).witness.get("mended") == changes


def test_atoms_that_may_be_too_many_must_make_all_true_when_they_are_left_out() -> None:
    facts = ({"property": "molecular_weight", "max": 47}, group("alcohol"))
    text = " NCCO"
    certificate = verify(text, *facts)
    assert shown(certificate, text) == [("wrong_molecular_weight", ["N"])]
    assert certificate.witness["mended"] == [[1, 2, ""]]
    place = Span(4, 5)
    finding = replace(certificate.findings[0], spans=(place,))
    other = replace(certificate, findings=(finding,), witness={**certificate.witness, "mended": [[4, 5, ""]]})
    assert not VERIFIER.recheck(other, prompt_of(*facts), text)
    plain = verify(text, *facts, verifier=MoleculeVerifier(explain=False))
    assert shown(plain, text) == [("wrong_molecular_weight", [])]


@pytest.mark.parametrize(
    ("completion", "change"),
    [
        ("CCO", lambda c: replace(c, witness={**c.witness, "facts": []})),
        ("CCO", lambda c: Certificate(Verdict.FAIL, (Finding("missing_group", ""),), witness=c.witness)),
        ("CCS", lambda c: Certificate(Verdict.PASS, score=1.0, witness=c.witness)),
        ("CCS", lambda c: replace(c, score=0.5)),
        ("CCS", lambda c: replace(c, dead_from=2)),
        ("CCS", lambda c: replace(c, findings=())),
        ("OCCO", lambda c: replace(c, findings=(replace(c.findings[0], spans=(Span(1, 2),)),))),
        ("OCCO", lambda c: replace(c, witness={"facts": [{**c.witness["facts"][0], "atoms": [[0], [1]]}]})),
        ("CC(", lambda c: replace(c, findings=(replace(c.findings[0], spans=(Span(0, 1),)),))),
    ],
)
def test_a_false_certificate_does_not_stand(completion: str, change: Any) -> None:
    prompt = prompt_of({"element": "O", "count": 1})
    certificate = VERIFIER.verify(prompt, completion)
    assert VERIFIER.recheck(certificate, prompt, completion)
    assert not VERIFIER.recheck(change(certificate), prompt, completion)


def test_options() -> None:
    with pytest.raises(ValueError, match="max_chars=0"):
        MoleculeVerifier(max_chars=0)
    assert MoleculeVerifier.invalid_kinds < KINDS


@pytest.mark.parametrize(
    ("name", "completion", "count"),
    [
        ("sulfoxide", "CC[S+](C)[O-]", 1),
        ("sulfoxide", "[O-][S+](c1ccccc1)C", 1),
        ("sulfoxide", "[O-][S@+](C)CC", 1),
        ("sulfoxide", "CS(=O)CC[S+]([O-])C", 2),
        ("sulfoxide", "C1CC[S+]1[O-]", 1),
        ("sulfoxide", "C[S+](C)CC", 0),
        ("sulfoxide", "C[S+](=O)([O-])C", 0),
        ("sulfoxide", "CSOC", 0),
        ("sulfone", "CC[S+](=O)([O-])C", 1),
        ("sulfone", "CC[S+2]([O-])([O-])C", 1),
        ("sulfonamide", "C[S+2]([O-])([O-])NC", 1),
        ("sulfonamide", "NS(=O)(=O)[O-]", 1),
        ("sulfonic acid", "C[S+](=O)([O-])O", 1),
        ("phosphate", "CO[P+]([O-])(O)O", 1),
        ("phosphate", "COP(=O)([O-])[O-]", 1),
        ("azide", "CC[N-][N+]#N", 1),
        ("azide", "CCN=[N+]=[N-]", 1),
    ],
)
def test_a_group_counts_in_every_spelling_of_its_charges(name: str, completion: str, count: int) -> None:
    assert verify(completion, group(name, count)).verdict is Verdict.PASS
    assert verify(completion, group(name, count + 1)).verdict is Verdict.FAIL
