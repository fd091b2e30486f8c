"""Round trips: other reactants than the reference are right where a named reaction certainly leads to the product."""

import random
from dataclasses import replace

import pytest
from certificates import checked
from reaction_cases import ACID, AMIDE, AMINE, kinds, respelled, retro
from test_named_reactions import CASES

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier

VERIFIER = ReactionVerifier(round_trip=True)
STRICT = ReactionVerifier()
#: A reference that no named reaction has, so that only a round trip passes.
OTHER = "[Xe]"


def verify(completion: str, prompt: Prompt | None = None) -> Certificate:
    return checked(VERIFIER, prompt or retro(), completion)


def only(*reactions: str, product: str = AMIDE, reference: str = f"{ACID}.{AMINE}") -> Prompt:
    return replace(retro(), reference=reference, facts={**retro(product=product).facts, "reactions": list(reactions)})


@pytest.mark.parametrize("completion", ["CC(=O)Cl.CN", "CN.ClC(C)=O", " [CH3][NH2].CC(Cl)=O\n"])
def test_another_way_to_the_product_passes(completion: str) -> None:
    certificate = verify(completion)
    assert certificate.verdict is Verdict.PASS
    assert certificate.witness == {"round_trip": "acylation of an amine by an acyl chloride"}
    assert STRICT.verify(retro(), completion).verdict is Verdict.FAIL


def test_the_reference_passes_whether_a_reaction_is_known_or_not() -> None:
    assert verify("CCCC.[Na]", retro("[Na].CCCC")).verdict is Verdict.PASS
    assert "components" in verify("CN.CC(=O)O").witness


@pytest.mark.parametrize(("name", "reactants", "product"), [case for case in CASES if case[2] is not None])
def test_every_named_reaction_makes_the_trip_and_a_second_opinion_agrees(name, reactants, product) -> None:
    rng = random.Random(name)
    answer = respelled(reactants, rng)
    certificate = verify(answer, only(name, product=product, reference=OTHER))
    assert certificate.verdict is Verdict.PASS and certificate.witness == {"round_trip": name}


@pytest.mark.parametrize(
    "completion",
    [
        "CC(=O)Cl",
        "CC(=O)Cl.CCN",
        "CC(=O)Cl.CN.O",
        "CC(=O)Br.CN",
        AMIDE,
        f"{AMIDE}.O",
        "CC(=O)Cl.[CH3:1]N",
        "CC(=O)Cl.C[NH]",
    ],
)
def test_what_leads_elsewhere_fails(completion: str) -> None:
    certificate = verify(completion)
    assert certificate.verdict is Verdict.FAIL and kinds(certificate)[-1] == "no_reaction"


@pytest.mark.parametrize(
    "completion", ["", "CC(=O)Cl.CN(", "CC(=O)Cl.CN.", "C(C)(C)(C)(C)C.CN", "CC(=O)Cl CN", "C" * 501]
)
def test_what_is_no_molecule_fails_as_ever(completion: str) -> None:
    certificate = verify(completion)
    assert certificate.verdict is Verdict.FAIL and "no_reaction" not in kinds(certificate)


@pytest.mark.parametrize(
    ("product", "completion"),
    [
        ("CC(=O)NCCN", "CC(=O)Cl.NCCN"),  # the other amine reacts as well
        ("CC(=O)Nc1ccc(O)cc1", "CC(=O)Cl.Nc1ccc(O)cc1"),  # a phenol competes
        ("C[C@H](O)c1ccccc1", "CC(=O)c1ccccc1"),  # which hand the hydride makes is not known
    ],
)
def test_what_cannot_be_decided_abstains(product: str, completion: str) -> None:
    certificate = verify(completion, retro("CCCC", product))
    assert certificate.verdict is Verdict.ABSTAIN and certificate.witness["error"].startswith("not decided")
    assert VERIFIER.viable(retro("CCCC", product), completion + " ") is None


def test_a_hand_that_stays_is_compared() -> None:
    prompt = retro("CCCC", "CC(=O)N[C@@H](C)c1ccccc1")
    assert verify("CC(=O)Cl.N[C@@H](C)c1ccccc1", prompt).verdict is Verdict.PASS
    assert verify("CC(=O)Cl.N[C@H](C)c1ccccc1", prompt).verdict is Verdict.ABSTAIN
    assert verify("CC(=O)Cl.NC(C)c1ccccc1", prompt).verdict is Verdict.ABSTAIN


def test_the_fact_reactions_names_what_counts() -> None:
    assert verify("CC(=O)Cl.CN", only("amide coupling")).verdict is Verdict.FAIL
    assert verify("CC(=O)Cl.CN", only("acylation of an amine by an acyl chloride")).verdict is Verdict.PASS


@pytest.mark.parametrize("reactions", ["amide coupling", [], [1], ["amide copling"]])
def test_other_reactions_than_there_are_are_told(reactions: object) -> None:
    prompt = Prompt("p", "", ACID, facts={"direction": "retro", "product": AMIDE, "reactions": reactions})
    with pytest.raises(UserError, match=r"amide coupling"):
        VERIFIER.verify(prompt, ACID)


def test_forward_prompts_have_no_round_trip() -> None:
    prompt = Prompt("p", "", AMIDE, facts={"direction": "forward", "reactants": f"{ACID}.{AMINE}"})
    for answer in (AMIDE, "CC(=O)Cl.CN", "CC(=O)"):
        assert replace(VERIFIER.verify(prompt, answer), seconds=0) == replace(STRICT.verify(prompt, answer), seconds=0)


@pytest.mark.parametrize("answer", ["CC(=O)O.CN", "CC(=O)Cl.CN", "CN.CC(Cl)=O", "[CH3]N.CC(=O)Cl "])
def test_no_prefix_of_what_passes_is_dead(answer: str) -> None:
    assert verify(answer).verdict is Verdict.PASS
    assert all(VERIFIER.viable(retro(), answer[:end]) is not False for end in range(len(answer) + 1))


@pytest.mark.parametrize(
    ("completion", "dead_from"),
    [
        ("CC(=O)O.CN.O", 10),  # no reaction takes three
        ("CC(=O)O.CF)", 10),
        ("CC(F)(F)(F)F.CN", 11),
        ("C1CC.CN", None),  # the ring may close behind the dot
        ("CC(=O)", 6),
        ("CC(=O)F.CN", None),
    ],
)
def test_what_no_reactants_begin_with_is_dead(completion: str, dead_from: int | None) -> None:
    assert verify(completion).dead_from == dead_from


FALSE = [
    ("CC(=O)Cl.CN", lambda c: replace(c, witness={"round_trip": "amide coupling"})),
    ("CC(=O)Cl.CN", lambda c: replace(c, witness={"round_trip": "no such reaction"})),
    ("CC(=O)F.CN", lambda c: Certificate(Verdict.PASS, score=1.0, witness={"round_trip": "amide coupling"})),
    ("CC(=O)F.CN", lambda c: replace(c, findings=c.findings[:-1])),
    ("CC(=O)F.CN", lambda c: replace(c, dead_from=0)),
    ("CC(=O)F.CN", lambda c: replace(c, dead_from=8)),
]


@pytest.mark.parametrize(("completion", "change"), FALSE)
def test_what_is_changed_does_not_stand(completion: str, change) -> None:
    certificate = verify(completion)
    assert not VERIFIER.recheck(change(certificate), retro(), completion)


def test_a_failure_does_not_stand_where_a_reaction_leads() -> None:
    narrow = only("amide coupling")
    certificate = verify("CC(=O)Cl.CN", narrow)
    assert certificate.verdict is Verdict.FAIL
    assert not VERIFIER.recheck(certificate, retro(), "CC(=O)Cl.CN")
