"""Repairs: edits compose, and with what a certificate says the completion passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.records import Certificate, Edit, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.answers.settings import AnswerSettings
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.repair import MAX_TRIED, Draft, Repairing, edited

SCHEMA = {
    "type": "object",
    "properties": {
        "street": {"type": "string"},
        "rooms": {"type": "string"},
        "kind": {"enum": ["flat", "house"]},
        "day": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "rent": {"type": ["number", "null"]},
    },
    "required": ["street", "rooms", "rent"],
    "additionalProperties": False,
}
FACTS = {
    "grammar": {"schema": SCHEMA},
    "game24": {"numbers": [4, 4, 6, 8]},
}
#: verifier, reference, completion, completion after its repair
MENDED = [
    ("grammar", None, '{"street": "A", "rooms": 2.5, "rent": 1}', '{"street": "A", "rooms": "2.5", "rent": 1}'),
    ("grammar", None, '{"street": "A", "rooms": "2"', '{"street": "A", "rooms": "2", "rent": null}'),
    ("grammar", None, '{"street": "A", "rooms": "2", "rent": "1,200 USD"}', '{"street": "A", "rooms": "2", "rent": 1200}'),
    ("grammar", None, '{"street": "A" "rooms": "2", "rent": 1}', '{"street": "A" ,"rooms": "2", "rent": 1}'),
    (
        "grammar",
        None,
        '{"street": 5, "rooms": "2", "rent": 1, "kind": "flats", "x": [1], "day": "3 May 2024"}',
        '{"street": "5", "rooms": "2", "rent": 1, "kind": "flat", "day": "2024-05-03"}',
    ),
    ("game24", None, "(4+8)*(6/4)", "(4+8)*(6-4)"),
    ("game24", None, "4 + 8 = 12\n6 - 4 = 2", "4 + 8 = 12\n6 - 4 = 2\n2 * 12 = 24"),
    (
        "game24",
        None,
        "4 + 8 = 12 (left: 4 6 12)\n6 - 4 = 3 (left: 3 12)\n3 * 12 = 36",
        "4 + 8 = 12 (left: 4 6 12)\n6 - 4 = 2 (left: 2 12)\n2 * 12 = 24 (left: 24)",
    ),
    ("math", "14", "3 * 4 = 13\n13 + 2 = 15\n#### 15", "3 * 4 = 12\n12 + 2 = 14\n#### 14"),
    ("math", "0.75", "3 / 4 = 0.9\n#### 0.9", "3 / 4 = 0.75\n#### 0.75"),
]  # fmt: skip
#: What has no repair: the prompt alone says what belongs there, the whole would be another answer, or nothing leads on.
BEYOND = [
    ("grammar", None, '{"rooms": "2", "rent": 1}'),
    ("grammar", None, "no"),
    ("game24", None, "1 + 1 = 2"),
    ("math", "14", "3 * 5 = 15\n#### 15"),
    ("math", "14", ""),
]


def prompt_of(name: str, reference: str | None) -> Prompt:
    return Prompt("p", "a task", reference, facts=FACTS.get(name, {}))


@pytest.mark.parametrize(("name", "reference", "completion", "right"), MENDED)
def test_with_its_repair_a_completion_passes(name: str, reference: str | None, completion: str, right: str) -> None:
    verifier, prompt = load_verifier(name, {}, repair=True), prompt_of(name, reference)
    certificate = verifier.verify(prompt, completion)
    assert certificate.verdict is Verdict.FAIL
    assert edited(completion, certificate.repair) == right
    assert verifier.verify(prompt, right).verdict is Verdict.PASS
    assert verifier.recheck(certificate, prompt, completion)


@pytest.mark.parametrize(("name", "reference", "completion"), BEYOND)
def test_what_only_the_prompt_could_tell_is_not_made_up(name: str, reference: str | None, completion: str) -> None:
    verifier = load_verifier(name, {}, repair=True)
    certificate = verifier.verify(prompt_of(name, reference), completion)
    assert certificate.verdict is Verdict.FAIL and certificate.repair == ()
    assert "repair" not in certificate.to_dict()


def test_two_demands_that_read_alike_are_one_finding() -> None:
    schema = {"allOf": [{"enum": [f"{name} value {i} of a long list" for i in range(20)]} for name in ("one", "other")]}
    certificate = load_verifier("grammar", {"schema": schema}).verify(prompt_of("", None), '"no"')
    assert [finding.message for finding in certificate.findings] == ["at $: enum does not hold"]


def test_a_repair_that_does_not_pass_is_rejected_by_a_recheck() -> None:
    verifier, prompt = load_verifier("game24", {}, repair=True), prompt_of("game24", None)
    certificate = verifier.verify(prompt, "(4+8)*(6/4)")
    assert certificate.to_dict()["repair"] == [[8, 9, "-"]]
    for other in (Edit(Span(8, 9), "+"), Edit(Span(8, 90), "-")):
        wrong = Certificate(**{**vars(certificate), "repair": (other,)})
        assert not verifier.recheck(wrong, prompt, "(4+8)*(6/4)")


def test_repairs_of_an_answer_lie_in_the_completion_and_need_the_same_answer() -> None:
    settings = AnswerSettings(("tag",))
    verifier, prompt = load_verifier("game24", {}, settings, repair=True), prompt_of("game24", None)
    completion = "So: <answer>(4+8)*(6/4)</answer>."
    certificate = verifier.verify(prompt, completion)
    assert certificate.repair == (Edit(Span(20, 21), "-"),)
    assert verifier.verify(prompt, edited(completion, certificate.repair)).verdict is Verdict.PASS
    assert verifier.recheck(certificate, prompt, completion)


def test_a_repair_within_the_answer_prefix_is_none() -> None:
    settings = AnswerSettings(("whole",), prefix="(4/8)")
    verifier, prompt = load_verifier("game24", {}, settings, repair=True), prompt_of("game24", None)
    assert verifier.verify(prompt, "*(6-4)").repair == ()
    assert verifier.verify(prompt, "*(6-4)").verdict is Verdict.FAIL


class Endless:
    """Never right, and full of ideas."""

    kinds = frozenset(["wrong"])
    asked = 0

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        self.asked += 1
        return Certificate(Verdict.FAIL, (Finding("wrong", "wrong"),), score=1 - 1 / (len(completion) + 2))

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str):
        yield (Edit(Span(0, 0), "a"),)


def test_the_search_ends() -> None:
    verifier = Endless()
    assert Repairing(verifier).verify(Prompt("", ""), "").repair == ()
    assert verifier.asked <= MAX_TRIED + 2


def test_a_repair_is_of_failures_alone_and_in_order() -> None:
    with pytest.raises(ValueError, match="only what fails"):
        Certificate(Verdict.PASS, score=1.0, repair=(Edit(Span(0, 0), "a"),))
    with pytest.raises(ValueError, match="in order"):
        Certificate(Verdict.FAIL, repair=(Edit(Span(2, 4), ""), Edit(Span(3, 5), "")))


@given(st.text("abc", max_size=12), st.data())
def test_edits_of_edits_are_edits_of_the_original(text: str, data: st.DataObject) -> None:
    draft, expected = Draft(text), text
    for _ in range(data.draw(st.integers(0, 4))):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(expected)), max_size=6)))
        cuts = cuts[: len(cuts) // 2 * 2]
        edits = [
            Edit(Span(a, b), data.draw(st.text("xyz", max_size=3))) for a, b in zip(cuts[::2], cuts[1::2], strict=True)
        ]
        draft.change(edits)
        for edit in reversed(edits):  # a plain loop, from behind so that no place moves
            expected = expected[: edit.span.start] + edit.text + expected[edit.span.end :]
        assert draft.text == expected
    assert edited(text, draft.edits) == expected
    assert all(a.span.end <= b.span.start for a, b in zip(draft.edits, draft.edits[1:], strict=False))
