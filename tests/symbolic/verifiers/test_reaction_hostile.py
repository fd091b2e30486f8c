"""What is thrown at the reaction verifier: RDKit's silent acceptances, what it hangs on or crashes at, dots by the hundred."""

import time

import pytest
from certificates import checked
from reaction_cases import VERIFIER, forward, kinds, retro

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS

LARGE = "CC(C)(C)OC(=O)N[C@@H](Cc1ccccc1)C(=O)O.CC(C)(C)OC(=O)N[C@H](Cc1ccccc1)C(=O)O.[Na+].[Na+].O"


#: RDKit reads all of these, or a part of them, as a valid molecule.
@pytest.mark.parametrize(
    ("completion", "kind"),
    [
        ("", "empty"),
        ("CC.O junk", "bad_character"),
        ("CC.O\nCC", "bad_character"),
        ("CC.\tO", "bad_character"),
        ("CC.O\u00e9", "bad_character"),
        ("\u540dCC.O", "bad_character"),
        ("CC.O\u200b\u200b", "bad_character"),
        ("CC.O |^1:0|", "bad_character"),
        ("CC.O\x00", "bad_character"),
        ("CC.\ud800O", "bad_character"),
        ("O.C1.C2", "unclosed_ring"),
        ("O.C(.C)C", "unclosed_branch"),
        ("C[CH2].O", "wrong_hydrogens"),
        ("[C]C.O", "wrong_hydrogens"),
        ("*C.O", "wrong_atoms"),
        ("C[H].O", "missing_atoms"),
        ("C~C.O", "superfluous"),
        ("[999CH3]C.O", "wrong_charge"),
        ("[Og]C.O", "wrong_atoms"),
        # Numbers of which RDKit keeps the last bits: 0, 3 and 0
        ("[CH3+256]C.O", "bad_bracket_atom"),
        ("[CH259]C.O", "bad_bracket_atom"),
        ("[65536CH3]C.O", "bad_bracket_atom"),
    ],
)
def test_silent_acceptance_is_refused(completion: str, kind: str) -> None:
    certificate = checked(VERIFIER, retro("CC.O"), completion)
    assert certificate.verdict is Verdict.FAIL and kind in kinds(certificate), certificate


#: What RDKit rejects with at most one place, none at all, or only when it sanitises.
@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("CX.O", ["bad_character"]),
        ("C[CH3.O", ["bad_bracket_atom"]),
        ("O.[#119]", ["bad_bracket_atom"]),
        ("CC(C(C.O)", ["unclosed_branch", "unclosed_branch", "extra_close"]),
        ("CC1CC2.O1", ["unclosed_ring"]),  # ring 1 is a bond across the dot
        ("CC1CC2.O3", ["unclosed_ring", "unclosed_ring", "unclosed_ring"]),
        ("C11.O", ["ring_to_self"]),
        ("C12CC12.O", ["duplicate_bond"]),
        ("O.C1=CC=n(C=C1O)C", ["valence"]),  # the list of problems is empty, sanitising fails
        ("c1cccc1CCc1cccc1.O", ["kekulisation", "kekulisation"]),
        ("c1cccc1.c1cccc1", ["kekulisation", "kekulisation"]),
        ("cC.O", ["kekulisation"]),
        ("O.CC=", ["dangling_bond"]),
    ],
)
def test_every_mistake_of_every_component_is_found(completion: str, expected: list[str]) -> None:
    certificate = checked(VERIFIER, retro("CC.O"), completion)
    assert kinds(certificate)[: len(expected)] == expected and certificate.score == 0.0


HOSTILE = {
    "open": "(" * 100_000,
    "chain": "C" * 100_000,
    "one ring": "C1" + "C" * 20_000 + "1",
    "many dots": "." * 500,
    "more dots": "C." * 100_000,
    "fragments": "C." * 249 + "C",
    "equal ones": ".".join(["C[C@@H](N)C(=O)O"] * 29),
    "salts": "[Na+]." * 80 + "C",
    "bad rings": "c1cccc1." * 60 + "C",
    "too many bonds": "FN(F)(F)(F)F." * 38 + "C",
    "centres": "C[C@H](O)F." * 45 + "C",
    "long chain": "C" * 500,
    "aromatic": "c" * 500,
    "nested": "C(" * 166 + "C" + ")" * 166,
    "small rings": "C1CC1" * 100,
    "biphenyls": "c1ccccc1" * 62,
    "ring digits": "C1" * 250,
    "stereo": "C/C=C/" * 80 + "C",
    "Cyrillic": "\u0421" * 400,
    "surrogates": "\ud800" * 400,
    "huge numbers": "[999999999C+999999999:999999999]C%(99999)CC%(99999)",
    "blanks": "CC.O" + "\n" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "prompt", [forward(), retro(), retro(LARGE, "C"), retro("C." * 99 + "C", "C")], ids=lambda p: p.reference[:8]
)
def test_hostile_completions(name: str, prompt: Prompt, capfd: pytest.CaptureFixture[str]) -> None:
    start = time.process_time()
    certificate = checked(VERIFIER, prompt, HOSTILE[name])
    VERIFIER.viable(prompt, HOSTILE[name])
    assert time.process_time() - start < 4.0
    assert len(certificate.findings) <= MAX_FINDINGS + 1
    assert len(str(certificate.to_dict())) < 100 * (500 + len(prompt.reference or ""))
    assert capfd.readouterr() == ("", "")
