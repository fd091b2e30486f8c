"""The verifier of IUPAC names where stereochemistry decides: racemates, what OPSIN cannot assign, and equality of molecules."""

import pytest
from certificates import shown
from iupac_name_cases import verifier, verify

from rlsf_lightning.records import Finding, Prompt, Verdict
from rlsf_lightning.symbolic.certificates import failed, passed
from rlsf_lightning.symbolic.chemistry.compare import target_of
from rlsf_lightning.symbolic.verifiers.iupac_name.check.doubt import configurations
from rlsf_lightning.symbolic.verifiers.iupac_name.check.similarity import may_pass

pytest.importorskip("py2opsin", reason="OPSIN is not installed", exc_type=ImportError)

S_BUTANOL, R_BUTANOL = "CC[C@H](C)O", "CC[C@@H](C)O"
MESO_BUTANEDIOL, BUTANEDIOL = "C[C@@H](O)[C@H](C)O", "C[C@@H](O)[C@@H](C)O"
TRANS_CHLOROCYCLOPENTANOL, CIS_CHLOROCYCLOPENTANOL = "Cl[C@@H]1CCC[C@H]1O", "Cl[C@@H]1CCC[C@@H]1O"
ALANINE = "C[C@H](N)C(=O)O"


def reason(reference: str, completion: str) -> str:
    """Why there is no verdict; recheck must not stand by any other."""
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.ABSTAIN, certificate
    prompt = Prompt("id", "name it", reference)
    assert not verifier().recheck(passed(certificate.witness), prompt, completion)
    assert not verifier().recheck(failed([Finding("other_molecule", "made up")]), prompt, completion)
    assert verifier().viable(prompt, completion) is None
    return str(certificate.witness["error"])


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        (S_BUTANOL, "(\u00b1)-butan-2-ol"),
        (R_BUTANOL, "(\u00b1)-butan-2-ol"),
        (R_BUTANOL, "(+/-)-butan-2-ol"),
        (R_BUTANOL, "(+-)-butan-2-ol"),
        (S_BUTANOL, "rac-butan-2-ol"),
        (S_BUTANOL, "rac-(2R)-butan-2-ol"),
        (S_BUTANOL, "(RS)-butan-2-ol"),
        (S_BUTANOL, "(2RS)-butan-2-ol"),
        (ALANINE, "DL-alanine"),
        (ALANINE, "(\u00b1)-2-aminopropanoic acid"),
        (TRANS_CHLOROCYCLOPENTANOL, "(\u00b1)-trans-2-chlorocyclopentan-1-ol"),
        (TRANS_CHLOROCYCLOPENTANOL, "rac-(1R,2R)-2-chlorocyclopentan-1-ol"),
        (TRANS_CHLOROCYCLOPENTANOL, "rac-(1S,2S)-2-chlorocyclopentan-1-ol"),
        (TRANS_CHLOROCYCLOPENTANOL, "(1RS,2RS)-2-chlorocyclopentan-1-ol"),
        (CIS_CHLOROCYCLOPENTANOL, "(1RS,2SR)-2-chlorocyclopentan-1-ol"),
        (CIS_CHLOROCYCLOPENTANOL, "rel-(1R,2S)-2-chlorocyclopentan-1-ol"),
        (CIS_CHLOROCYCLOPENTANOL, "(1R*,2S*)-2-chlorocyclopentan-1-ol"),
        (BUTANEDIOL, "(R*,R*)-butane-2,3-diol"),
    ],
)
def test_of_a_racemate_against_one_of_its_forms_there_is_no_verdict(reference: str, completion: str) -> None:
    assert "a racemate or a relative configuration" in reason(reference, completion)


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CCC(C)O", "(\u00b1)-butan-2-ol"),
        ("CCC(C)O", "(RS)-butan-2-ol"),
        ("CCC(C)O", "rac-butan-2-ol"),
        ("CC(N)C(=O)O", "DL-alanine"),
        (MESO_BUTANEDIOL, "rac-(2R,3S)-butane-2,3-diol"),  # its own mirror image
        (MESO_BUTANEDIOL, "(R*,S*)-butane-2,3-diol"),
    ],
)
def test_a_racemate_without_marks_is_the_molecule_without_marks(reference: str, completion: str) -> None:
    assert verify(reference, completion).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("reference", "completion", "kind"),
    [
        (S_BUTANOL, "(\u00b1)-pentan-2-ol", "wrong_fragment"),
        (S_BUTANOL, "rac-butan-1-ol", "wrong_fragment"),  # nothing that could be racemic
        (CIS_CHLOROCYCLOPENTANOL, "(1RS,2RS)-2-chlorocyclopentan-1-ol", "wrong_stereo"),
        (CIS_CHLOROCYCLOPENTANOL, "(\u00b1)-trans-2-chlorocyclopentan-1-ol", "wrong_stereo"),
        (CIS_CHLOROCYCLOPENTANOL, "(\u00b1)-2-chlorocyclopentan-1-ol", "wrong_stereo"),  # which of both is not said
        ("ClC1CCCC1O", "rac-(1R,2R)-2-chlorocyclopentan-1-ol", "wrong_stereo"),
        (BUTANEDIOL, "rac-(2R,3S)-butane-2,3-diol", "wrong_stereo"),
    ],
)
def test_a_racemate_of_another_molecule_fails(reference: str, completion: str, kind: str) -> None:
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.FAIL and certificate.findings[0].kind == kind


def test_groups_of_stereocentres() -> None:
    assert list(configurations("C[C@H](F)O |$_AV:1;2$,r|")) == ["C[C@H](F)O", "C[C@@H](F)O"]
    assert list(configurations("C[C@@H](F)[C@H](O)Cl |$_AV:1$,&1:3|")) == [
        "C[C@@H](F)[C@H](O)Cl",
        "C[C@@H](F)[C@@H](O)Cl",
    ]
    assert list(configurations("F[C@H](O)[C@H](Cl)N |o1:1,3|")) == ["F[C@H](O)[C@H](Cl)N", "F[C@@H](O)[C@@H](Cl)N"]
    assert len(set(configurations("F[C@H](O)[C@H](Cl)N |&1:1,o1:3|"))) == 4
    assert list(configurations("C[C@H](F)O |$_AV:r;2$|")) == ["C[C@H](F)O"]  # a label
    assert list(configurations("CCO")) == ["CCO"]


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CC[C@H]1CC[C@@H](O)CC1", "(1s,4s)-4-ethylcyclohexan-1-ol"),
        ("CC[C@H]1CC[C@H](O)CC1", "(1r,4r)-4-ethylcyclohexan-1-ol"),
        ("Br[C@H]1C[C@@H](Br)C1", "(1s,3s)-1,3-dibromocyclobutane"),
        ("O=C(O)[C@H]1CC[C@H](C(=O)O)CC1", "(1r,4r)-cyclohexane-1,4-dicarboxylic acid"),
        ("C[C@@H](Cl)[C@H](O)[C@H](C)Cl", "(2R,3s,4S)-2,4-dichloropentan-3-ol"),
        ("CN1[C@@H]2CC[C@H]1C[C@H](Cl)C2", "(1R,3s,5S)-3-chloro-8-methyl-8-azabicyclo[3.2.1]octane"),
        ("CC[C@@H]1CCC[C@H]1C", "trans-(1R,2R)-1-ethyl-2-methylcyclopentane"),
        ("C[C@@H]1CCC[C@@H]1C", "cis-(1R,2S)-1,2-dimethylcyclopentane"),
        ("CC/C=C\\C", "cis-(2Z)-pent-2-ene"),
        ("CC/C=C/C", "trans-(E)-pent-2-ene"),
        ("C[C@@H]1C[C@H](C)C[C@H](C)C1", "cis-1,3,5-trimethylcyclohexane"),
        ("C[C@@H](Cl)[C@H](C)Br", "syn-2-bromo-3-chlorobutane"),
        ("C[C@H]1[C@@H]2CC[C@H]1CC2", "syn-7-methylbicyclo[2.2.1]heptane"),
    ],
)
def test_of_what_opsin_cannot_assign_there_is_no_verdict(reference: str, completion: str) -> None:
    assert reason(reference, completion).startswith("stereochemistry that OPSIN cannot assign: ")


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CC[C@H]1CC[C@@H](O)CC1", "(1s,4s)-4-methylcyclohexan-1-ol"),  # another constitution
        ("CCC1CCC(O)CC1", "(1s,4s)-4-ethylcyclohexan-1-ol"),  # says more than the reference
        ("C[C@@H](Cl)[C@H](O)[C@H](C)Cl", "(2R,3s,4R)-2,4-dichloropentan-3-ol"),  # 2R,4R is not 2R,4S
        ("CC[C@@H]1CCC[C@H]1C", "cis-(1R,2S)-1-ethyl-2-methylcyclopentane"),
        ("CC/C=C/C", "cis-(Z)-pent-2-ene"),
        ("C=CCC", "cis-but-1-ene"),
        (ALANINE, "cis-2-aminopropanoic acid"),  # nothing there is cis or trans
        (ALANINE, "(3r)-2-aminopropanoic acid"),  # nothing there is pseudoasymmetric
        (ALANINE, "(3R)-2-aminopropanoic acid"),
        (S_BUTANOL, "(2S,3R)-butan-2-ol"),
        ("CC(C)O", "(2R)-propan-2-ol"),
        ("CC(O)C(C)O", "syn-butane-2,3-diol"),
        ("C[C@@H](O)[C@H](C)O", "syn-butane-1,3-diol"),
    ],
)
def test_what_is_wrong_whatever_opsin_cannot_assign_fails(reference: str, completion: str) -> None:
    certificate = verify(reference, completion)
    assert [finding.kind for finding in certificate.findings] == ["contradiction"]


def test_marks_that_rdkit_drops_count() -> None:
    assert verify("CC=C1CC(O)C1", "3-ethylidenecyclobutan-1-ol").verdict is Verdict.PASS
    assert shown(verify("C/C=C1/C[C@H](O)C1", "3-ethylidenecyclobutan-1-ol"), "x" * 40) == [("wrong_stereo", [])]


def test_marks_that_nothing_reads_are_no_verdict() -> None:
    assert "RDKit cannot tell" in reason("CC(F)=C=C=C(/F)C", "2,5-difluorohexa-2,3,4-triene")
    assert verify("CC(F)=C=C=C(/F)C", "2,5-difluorohexa-2,4-diene").verdict is Verdict.FAIL
    assert may_pass("2,5-difluorohexa-2,3,4-triene", target_of("CC(F)=C=C=C(/F)C"), 300, verifier()._server)


def test_the_sign_of_a_racemate_is_a_character_of_names() -> None:
    prompt = Prompt("id", "", "CCC(C)O")
    name = "(\u00b1)-butan-2-ol"
    assert False not in [verifier().viable(prompt, name[:end]) for end in range(len(name) + 1)]
    assert verify("CCC(C)O", "butan-2-ol \u00b1").verdict is Verdict.FAIL
