"""Certificates of answers: places in the whole completion, verdicts that agree with those of prefixes, second opinions."""

import pickle

import pytest

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.answers.answered import Answered
from rlsf_lightning.symbolic.answers.settings import AnswerSettings
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.loader import load_verifier

ETHER = Prompt("p", "diethyl ether", "CCOCC")
PASSING = [
    (("tag",), "", "optional", "Hm: <answer>CCOCC</answer> for sure"),
    (("tag",), "", "optional", "<think>C(C <answer>CN</answer></think>\r\n<answer>\r\n [CH3]COCC \r\n</answer>"),
    (("fence",), "", "optional", "No:\n```\nC1CC\n```\nBut:\n```smiles\nCCOCC\n```\nGood."),
    (("fence", "tag", "last_line"), "", "optional", "CC(\n<answer>CN</answer>\n```\nCCO[CH2]C"),
    (("after",), "", "optional", "Answer: C1\nAnswer: CCO[CH2]C"),
    (("last_line",), "", "optional", "It is C1CC( or\nCCOCC\n"),
    (("whole",), "", "optional", "<think>C(</think>\nCCOCC"),
    (("whole",), "", "opened", "C( </think>\nCCOCC"),
    (("whole",), "CC", "auto", "OCC"),
    (("tag",), "<answer>", "optional", "[CH3]COCC</answer>"),
    (("tag",), "<think>\n", "optional", "so</think><answer>[CH3]COCC</answer>"),
]


def answered(extract=("tag",), prefix="", thinking="auto", verifier="smiles", **others) -> Answered:
    settings = AnswerSettings(tuple(extract), prefix=prefix, thinking=thinking, **others)
    found = load_verifier(verifier, {}, settings)
    assert isinstance(found, Answered)
    return found


def test_findings_and_the_first_dead_character_lie_in_the_completion() -> None:
    verifier, completion = answered(), "🧪 <answer>CC1N</answer> ok"
    certificate = verifier.verify(ETHER, completion)
    assert certificate.verdict is Verdict.FAIL and certificate.answer == Span(10, 14)
    assert completion[10:14] == "CC1N" and certificate.to_dict()["answer"] == [10, 14]
    assert {completion[s.start : s.end] for f in certificate.findings for s in f.spans} <= {"1", "N"}
    alone = verifier.verifier.verify(ETHER, "CC1N")
    assert certificate.dead_from == alone.dead_from + 10 and len(certificate.findings) == len(alone.findings)
    assert certificate.tool == alone.tool and verifier.recheck(certificate, ETHER, completion)


def test_an_answer_that_ends_too_early_dies_with_its_closing_tag() -> None:
    verifier = answered()
    assert verifier.verifier.verify(ETHER, "CCO").dead_from == 3
    assert verifier.verify(ETHER, "<answer>CCO</answer>.").dead_from == len("<answer>CCO")
    assert verifier.verify(ETHER, "<answer>CCO").dead_from == len("<answer>CCO")
    verifier.verifier = Sentence()
    assert verifier.verify(ETHER, "<answer>a</answer>").dead_from == len("<answer>a</answer")
    assert verifier.verify(ETHER, "<answer>a</ans").dead_from == len("<answer>a</ans")


@pytest.mark.parametrize(
    ("completion", "dead"),
    [
        ("<answer>CCOCC</x>", "x"),
        ("<answer>CCOCC  </answers>", "s"),
        ("<answer>CCOCC  N</answer>", "N"),
        ("<answer>CCO </x>", " "),
    ],
)
def test_what_may_become_the_closing_tag_is_not_dead(completion: str, dead: str) -> None:
    certificate = answered().verify(ETHER, completion)
    assert certificate.dead_from == completion.rindex(dead, 8)


def test_where_another_answer_may_follow_nothing_is_known_to_be_dead() -> None:
    verifier, completion = answered(("fence", "tag")), "```\nC1CC\n```"
    certificate = verifier.verify(ETHER, completion)
    assert certificate.verdict is Verdict.FAIL and certificate.dead_from is None
    assert certificate.findings[0].spans and certificate.findings[0].spans[0].start >= 4
    assert verifier.viable(ETHER, completion) is True


@pytest.mark.parametrize(
    ("extract", "is_known"),
    [(("tag",), True), (("fence",), True), (("after",), True), (("tag", "regex"), True), (("last_line",), False)],
)
def test_no_answer_is_a_failure_at_the_end(extract: tuple[str, ...], is_known: bool) -> None:
    verifier = answered(extract, pattern="x=(.)")
    certificate = verifier.verify(ETHER, "" if not is_known else "I do not know.\r\n")
    (finding,) = certificate.findings
    end = 0 if not is_known else 16
    assert certificate.verdict is Verdict.FAIL and finding.kind == "no_answer" in verifier.kinds
    assert finding.spans == (Span(end, end),) and certificate.answer == Span(end, end)
    assert certificate.dead_from == (end if is_known else None)
    assert verifier.recheck(certificate, ETHER, "" if not is_known else "I do not know.\r\n")
    assert not verifier.recheck(certificate, ETHER, "<answer>CCOCC</answer>\n```\nC\n```\nAnswer: C")


@pytest.mark.parametrize(("extract", "prefix", "thinking", "completion"), PASSING)
def test_no_prefix_of_a_completion_that_passes_is_dead(extract, prefix, thinking, completion) -> None:
    verifier = answered(extract, prefix, thinking)
    whole = verifier.verify(ETHER, completion)
    assert whole.verdict is Verdict.PASS and verifier.recheck(whole, ETHER, completion)
    for end in range(len(completion) + 1):
        certificate = verifier.verify(ETHER, completion[:end])
        assert certificate.dead_from in (None, end), completion[:end]
        assert verifier.viable(ETHER, completion[:end]) is not False, completion[:end]
        assert verifier.recheck(certificate, ETHER, completion[:end])


@pytest.mark.parametrize("answer", ["CC1N", "CCO", "CCOCCC", "C<C", "CCO </a", "  N", "CCOCC </x>", ""])
@pytest.mark.parametrize("frame", ["<answer>{}</answer>", "a <answer>{}", "<think>(</think><answer>\n{}</answer> b"])
def test_what_is_dead_stays_dead_and_agrees_with_dead_from(frame: str, answer: str) -> None:
    verifier, completion = answered(), frame.format(answer)
    dead_from = verifier.verify(ETHER, completion).dead_from
    was_dead = False
    for end in range(len(completion) + 1):
        is_dead = verifier.viable(ETHER, completion[:end]) is False
        assert is_dead >= was_dead, completion[:end]
        was_dead = is_dead
        if dead_from is not None and is_dead:
            assert end > dead_from, completion[:end]


def test_the_prefix_is_seen_by_the_verifier_and_not_by_the_spans() -> None:
    verifier = answered(("whole",), prefix="C1C")
    certificate = verifier.verify(Prompt("p", "", "C1CC1"), "C(")
    assert [f.kind for f in certificate.findings] and certificate.answer == Span(0, 2)
    assert all(0 <= s.start <= s.end <= 2 for f in certificate.findings for s in f.spans)
    assert verifier.verify(Prompt("p", "", "C1CC1"), "C1").verdict is Verdict.PASS
    dead = verifier.verify(Prompt("p", "", "N"), "C1")
    assert dead.dead_from == 0


def test_no_right_answer_no_viable_text() -> None:
    verifier = answered(("fence",))
    verifier.verifier = Stubborn()
    assert verifier.viable(ETHER, "so") is False and verifier.verify(ETHER, "so").dead_from is None


class Sentence:
    """PASS for whatever ends in a full stop."""

    kinds = frozenset(("no_stop",))

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        if completion.endswith("."):
            return Certificate(Verdict.PASS, score=1.0)
        return Certificate(Verdict.FAIL, (Finding("no_stop", "no stop"),), dead_from=len(completion))


class Stubborn:
    """FAIL whatever the answer is."""

    kinds = frozenset(("no",))

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        return Certificate(Verdict.FAIL, (Finding("no", "no"),), dead_from=0)

    def viable(self, prompt: Prompt, prefix: str) -> bool:
        return False


def test_a_pattern_without_an_end_abstains() -> None:
    verifier = answered(("regex",), pattern="(a+)+b")
    certificate = verifier.verify(ETHER, "a" * 5000)
    assert certificate.verdict is Verdict.ABSTAIN and "answer.pattern" in certificate.witness["error"]
    assert certificate.tool == "smiles" and verifier.viable(ETHER, "a" * 5000) is None


def test_the_default_is_the_verifier_itself() -> None:
    verifier = load_verifier("smiles", {}, AnswerSettings())
    assert not isinstance(verifier, Answered) and verifier.verify(ETHER, "CCOCC").answer is None


@pytest.mark.parametrize("workers", [0, 1])
def test_a_pool_judges_answers(workers: int) -> None:
    settings = pickle.loads(pickle.dumps(AnswerSettings(("tag",))))
    with VerifierPool("smiles", {}, workers=workers, answer=settings) as pool:
        found = pool.submit(
            [(ETHER, "<answer>CCOCC</answer>"), (ETHER, "CCOCC"), (ETHER, "<answer>CC(</answer>")]
        ).result()
        assert [c.verdict.value for c in found] == ["pass", "fail", "fail"]
        assert pool.verifier_class.__name__ == "SmilesVerifier" and "no_answer" in pool.invalid_kinds
        assert pool.answer_of("<answer>CCOCC</answer>") == "CCOCC" and pool.answer_of("CCOCC") == ""


def test_a_pool_around_a_verifier_of_answers_knows_the_one_inside() -> None:
    with VerifierPool.of(answered(), "smiles") as pool:
        assert pool.verifier_class.__name__ == "SmilesVerifier" and pool.answer_of("<answer>N") == "N"
