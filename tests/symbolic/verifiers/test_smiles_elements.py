"""Elements that a recipe forbids, or alone allows: where they stand, and what they kill."""

import pytest
from certificates import shown
from smiles_cases import verify

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier


def test_forbidden_elements() -> None:
    organic = SmilesVerifier(allowed_elements=["C", "N", "O", "Cl"])
    assert verify(None, "[2H]OC(Cl)c1cc[nH]c1", organic).verdict is Verdict.PASS
    completion = "BrCCS[Na].S("
    certificate = verify(None, completion, organic)
    assert shown(certificate, completion) == [("unclosed_branch", ["("]), ("forbidden_atom", ["Br", "S[Na]", "S"])]
    assert certificate.dead_from == 0  # neither Br nor B may be there
    assert [verify(None, text, organic).dead_from for text in ("CCBr", "CC[Xe]", "CCF", "CCO", "CC1")] == [
        2,
        5,
        2,
        None,
        3,
    ]
    chlorides = SmilesVerifier(forbidden_elements=["C"])
    prompt = Prompt("", "")
    # "C" may still become "Cl".
    assert [chlorides.viable(prompt, text) for text in ("C", "Cl", "CC", "[C", "[C]")] == [
        None,
        True,
        False,
        None,
        False,
    ]
    assert verify(None, "OC", chlorides).dead_from is None
    assert verify(None, "OCO", chlorides).dead_from == 2
    no_chlorine = SmilesVerifier(forbidden_elements=["Cl"])
    assert verify(None, "CCCl", no_chlorine).dead_from == 3
    assert verify("CCCl", "CCCl", no_chlorine).verdict is Verdict.ABSTAIN
    wrong = verify("CCO", "CCCl", no_chlorine)
    assert [finding.kind for finding in wrong.findings] == ["forbidden_atom", "wrong_atoms", "missing_atoms"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"allowed_elements": "CNO"}, "list of symbols"),
        ({"allowed_elements": []}, "empty"),
        ({"allowed_elements": ["C", "Xx"]}, "'Xx' is no element"),
        ({"forbidden_elements": ["H"]}, "hydrogen"),
        ({"allowed_elements": ["C"], "forbidden_elements": ["O"]}, "both"),
    ],
)
def test_wrong_choices_of_elements(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SmilesVerifier(**options)  # type: ignore[arg-type]


def test_forbidden_elements_never_kill_what_is_allowed() -> None:
    """All strings of a small alphabet: what begins an allowed molecule is never called dead."""
    few = SmilesVerifier(forbidden_elements=["B", "C"])
    strings = [""]
    for text in strings:
        if len(text) < 5:
            strings += [text + symbol for symbol in ("C", "l", "B", "r", "O", "[C]")]
    alive = {
        t[:end] for t in strings if few.verify(Prompt("", ""), t).verdict is Verdict.PASS for end in range(len(t) + 1)
    }
    assert {"C", "Cl", "B", "OB", "OCl", "BrO"} <= alive
    assert [text for text in alive if few.viable(Prompt("", ""), text) is False] == []
