"""Evaluation with a policy whose completions are typed in: every number is checked by hand."""

import io
import json
import pickle

import numpy as np
import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.evaluation import policy_report
from rlsf_lightning.evaluation.metrics.certificates import PassRate
from rlsf_lightning.evaluation.metrics.reactions import Distinct, TopK
from rlsf_lightning.evaluation.metrics.strings import Length, Levenshtein
from rlsf_lightning.evaluation.policy_report import evaluate_policy, progress_on_stderr
from rlsf_lightning.evaluation.report import Column, Report, compare, table
from rlsf_lightning.policy.sampling.generate import Sampled
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

PROMPTS = [
    Prompt("a", "ethanol", "CCO"),
    Prompt("b", "ethane", "CC"),
    Prompt("c", "methane", "C"),
    Prompt("d", "?", "N"),
]


class SpelledTokenizer:
    """One id a character."""

    def decode(self, ids, skip_special_tokens=True, clean_up_tokenization_spaces=False):
        return "".join(map(chr, ids))


class SpelledPolicy:
    """Answers from a table: prompt -> the greedy completion, then the samples; "..." at the end means: not finished."""

    tokenizer = SpelledTokenizer()

    def __init__(self, answers):
        self.answers = answers
        self.calls = []

    def encode_prompt(self, text):
        return [ord(c) for c in text]

    def sample(self, prompts_ids, *, samples, max_new_tokens, temperature, greedy, batch_size, generator):
        self.calls.append((len(prompts_ids), samples, max_new_tokens, temperature, greedy, batch_size))
        assert greedy == (generator is None)
        rows = []
        for ids in prompts_ids:
            greedy_text, *others = self.answers["".join(map(chr, ids))]
            for text in [greedy_text] if greedy else others[:samples]:
                rows.append(Sampled([ord(c) for c in text.removesuffix("...")], not text.endswith("..."), []))
        return rows


class Spelling:
    """Passes exactly the reference; crashes on "crash"; remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def verify(self, prompt, completion):
        self.asked.append((prompt.id, completion))
        if completion == "crash":
            raise RuntimeError("the tool broke down")
        if completion == prompt.reference:
            return Certificate(Verdict.PASS, score=1.0, seconds=0.1 * len(self.asked))
        return Certificate(Verdict.FAIL, score=0.25, seconds=0.1)


class MoleculeSpelling(Spelling):
    metrics = "molecules"


ANSWERS = {
    "> ethanol": ["CCO", "CCO", "CCC", "OCC", "CC("],
    "> ethane": ["CC...", "CC", "CC", "CC...", "crash"],
    "> methane": ["C1", "N", "C", "O", "F"],
    "> ?": ["O", "crash", "crash", "crash", "crash"],
}


def evaluate(monkeypatch, answers=ANSWERS, verifier=None, prompts=PROMPTS, samples=4, **options):
    policy = SpelledPolicy(answers)
    monkeypatch.setattr(policy_report, "sample", lambda policy, *args, **kwargs: policy.sample(*args, **kwargs))
    defaults = {"encode": lambda p: [ord(c) for c in f"> {p.text}"], "max_new_tokens": 9, "batch_size": 8, "seed": 0}
    report = evaluate_policy(
        policy, prompts, VerifierPool.of(verifier or MoleculeSpelling()), samples=samples, **defaults | options
    )
    return report, policy


def values(report):
    return {name: found.value for name, found in report.metrics.items()}


def test_values_by_hand(monkeypatch):
    report, _ = evaluate(monkeypatch, ks=(1, 2, 4))
    assert values(report) == {
        "exact_match": 0.25,  # a; b is right but not finished
        "validity": 0.75,  # all but C1
        "morgan_tanimoto": pytest.approx(2 / 3),  # a, b: 1; d: O against N is 0; c is not valid
        "maccs_tanimoto": pytest.approx((1 + 1 + maccs("O", "N")) / 3),
        "rdk_tanimoto": 1.0,  # one atom alone has no path: both fingerprints are empty, and equal
        "bleu": 0.0,
        "levenshtein": 0.5,  # 0, 0, 1, 1
        "score": pytest.approx((1 + 1 + 0.25 + 0.25) / 4),
        "length": 2.0,
        "finished": 0.75,
        "abstained": 0.0,
        # a: 1 of 4; b: 2 of the 3 judged (one of them fails unfinished); c: 1 of 4; d: none judged.
        "sampled_exact_match": pytest.approx((1 / 4 + 2 / 3 + 1 / 4) / 3),
        "pass_at_2": pytest.approx((1 / 2 + 1 + 1 / 2) / 3),
        "pass_at_4": 1.0,  # a and c: b has only three judged samples
        "sampled_validity": pytest.approx((3 + 3 + 4 + 0) / 16),
    }


def maccs(a, b):
    from rdkit import Chem, DataStructs
    from rdkit.Chem import rdMolDescriptors

    prints = [rdMolDescriptors.GetMACCSKeysFingerprint(Chem.MolFromSmiles(s)) for s in (a, b)]
    return DataStructs.TanimotoSimilarity(*prints)


def test_blanks_around_an_answer_are_no_part_of_it(monkeypatch):
    report, _ = evaluate(monkeypatch, {"> ethanol": [" CCO\n"]}, SmilesVerifier(), PROMPTS[:1], samples=0)
    assert report.records[0]["greedy"]["completion"] == " CCO\n"
    found = values(report)
    assert (found["exact_match"], found["validity"], found["levenshtein"], found["length"]) == (1.0, 1.0, 0.0, 3.0)


def test_another_verifier_gets_no_chemistry(monkeypatch):
    report, _ = evaluate(monkeypatch, verifier=Spelling())
    assert list(report.metrics) == [
        "pass_rate", "score", "length", "finished", "abstained", "sampled_pass_rate", "pass_at_4",
    ]  # fmt: skip
    asked_for, _ = evaluate(monkeypatch, verifier=Spelling(), metrics="molecules", samples=0)
    assert "rdk_tanimoto" in asked_for.metrics
    with pytest.raises(UserError, match=r"evaluation\.metrics=chemistry: no such metric suite; write one of generic"):
        evaluate(monkeypatch, metrics="chemistry")


def test_the_policy_is_asked_in_batches_at_temperature_1(monkeypatch):
    _, policy = evaluate(monkeypatch)
    greedy, sampled = (4, 1, 9, 1.0, True, 8), (2, 4, 9, 1.0, False, 8)
    assert policy.calls == [greedy, (4, *sampled[1:])]
    monkeypatch.setattr(policy_report, "BATCHES_A_REPORT", 1)
    _, policy = evaluate(monkeypatch)
    assert policy.calls == [greedy, sampled, sampled]
    _, policy = evaluate(monkeypatch, batch_size=3)  # fewer than a prompt's samples
    assert [call[0] for call in policy.calls] == [3, 1, 1, 1, 1, 1]
    _, policy = evaluate(monkeypatch, samples=0)
    assert policy.calls == [greedy]


def test_equal_completions_of_a_prompt_are_verified_once(monkeypatch):
    verifier = MoleculeSpelling()
    evaluate(monkeypatch, verifier=verifier)
    assert len(verifier.asked) == len(set(verifier.asked))
    assert verifier.asked.count(("a", "CCO")) == 1 and ("c", "C") in verifier.asked


def test_records_account_for_every_completion_and_hold_no_time(monkeypatch):
    report, _ = evaluate(monkeypatch)
    assert json.loads(json.dumps(report.records, allow_nan=False)) == report.records
    assert [record["id"] for record in report.records] == ["a", "b", "c", "d"]
    second = report.records[1]
    assert (second["id"], second["prompt"], second["reference"]) == ("b", "ethane", "CC")
    assert second["greedy"]["completion"] == "CC" and second["greedy"]["finished"] is False
    assert second["greedy"]["certificate"]["verdict"] == "pass" and "seconds" not in second["greedy"]["certificate"]
    assert [sample["completion"] for sample in second["samples"]] == ["CC", "CC", "CC", "crash"]
    assert second["metrics"]["exact_match"] == 0.0
    assert report.records[3]["metrics"]["sampled_exact_match"] is None
    crashed = report.records[3]["samples"][0]["certificate"]
    assert crashed["verdict"] == "abstain" and "the tool broke down" in crashed["witness"]["error"]


def test_the_same_twice(monkeypatch):
    first, _ = evaluate(monkeypatch)
    second, _ = evaluate(monkeypatch)
    assert first.to_dict() == second.to_dict() and first.records == second.records


def test_prompts_without_reference_leave_matches_undefined(monkeypatch):
    report, _ = evaluate(monkeypatch, prompts=[Prompt("x", "ethanol")], samples=2)
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["n"] == 1
    assert document["metrics"]["exact_match"] == {"value": None, "low": None, "high": None}
    assert document["metrics"]["validity"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_impossible_requests_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="no prompts"):
        evaluate(monkeypatch, prompts=[])
    with pytest.raises(ValueError, match=r"got k in \[5\] with 4 samples"):
        evaluate(monkeypatch, ks=(5,))


def test_progress_counts_prompts_on_stderr_only(monkeypatch, capfd):
    evaluate(monkeypatch, batch_size=4, progress=progress_on_stderr("before, "))
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == ["before, greedy: 4 of 4 prompts", "before, sampled: 4 of 4 prompts"]


def test_progress_on_a_terminal_overwrites_its_line(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    show = progress_on_stderr()
    show("greedy", 3, 3)
    assert terminal.getvalue() == "\rgreedy: 3 of 3 prompts\n"


def column(metric, values_N):
    return Column(metric, np.stack([np.array(values_N, dtype=float), np.ones(len(values_N))], axis=1))


def report_of(**columns):
    n = len(next(iter(columns.values())).statistics_NK)
    return Report(tuple(map(str, range(n))), columns)


def test_compare_is_paired():
    # Prompts differ a lot, but each gains exactly .01: unpaired intervals would overlap widely.
    base = np.linspace(0, 0.9, 50)
    differences = compare(report_of(score=column(PassRate, base)), report_of(score=column(PassRate, base + 0.01)))
    change = differences["score"]
    assert (change.delta, change.low, change.high) == pytest.approx((0.01, 0.01, 0.01))
    assert change.word == "better"


@pytest.mark.parametrize(
    ("metric", "step", "word"),
    [
        (PassRate, 1.0, "better"),
        (PassRate, -1.0, "worse"),
        (Levenshtein, 1.0, "worse"),
        (Levenshtein, -1.0, "better"),
        (Length, 1.0, "higher"),
        (Length, -1.0, "lower"),
        (PassRate, 0.0, "no clear change"),
        (Length, 0.0, "no clear change"),
    ],
)
def test_the_word_knows_which_direction_is_good(metric, step, word):
    before = report_of(x=column(metric, [5.0] * 20))
    assert compare(before, report_of(x=column(metric, [5.0 + step] * 20)))["x"].word == word


def test_a_change_within_its_interval_is_not_clear():
    before, after = column(PassRate, [0, 1] * 20), column(PassRate, [1, 0] * 19 + [1, 1])
    change = compare(report_of(x=before), report_of(x=after))["x"]
    assert change.delta == pytest.approx(1 / 40)
    assert change.low < 0 < change.high and change.word == "no clear change"


def test_compare_refuses_other_prompts():
    one = report_of(x=column(PassRate, [1.0]))
    with pytest.raises(ValueError, match="same prompts in the same order"):
        compare(one, Report(("other",), one.columns))


def test_a_report_refuses_statistics_of_another_shape():
    with pytest.raises(ValueError, match="for 1 prompts"):
        Report(("a",), {"x": column(PassRate, [1.0, 0.0])})


def test_what_is_saved_compares_as_the_report_itself(monkeypatch):
    before, _ = evaluate(monkeypatch)
    after, _ = evaluate(monkeypatch, answers=ANSWERS | {"> methane": ["C", "C", "C", "O", "F"]})
    again = Report.from_saved(json.loads(json.dumps(before.to_saved(), allow_nan=False)), like=after)
    assert before.to_dict() == again.to_dict()
    assert compare(again, after) == compare(before, after)
    assert compare(again, after)["exact_match"].delta == 0.25


def test_shares_of_ranks_join_to_the_whole(monkeypatch):
    whole, _ = evaluate(monkeypatch)
    shares = [pickle.loads(pickle.dumps(evaluate(monkeypatch, prompts=PROMPTS[rank::3])[0])) for rank in range(3)]
    joined = Report.joined(shares, [p.id for p in PROMPTS])
    assert joined.to_dict() == whole.to_dict() and joined.records == whole.records
    with pytest.raises(ValueError, match="exactly once"):
        Report.joined(shares[:2], [p.id for p in PROMPTS])
    with pytest.raises(ValueError, match="exactly once"):
        Report.joined([*shares, shares[0]], [p.id for p in PROMPTS])


def test_table_literal():
    before = report_of(exact_match=column(PassRate, [0.0] * 4), levenshtein=column(Levenshtein, [12.0] * 4))
    after = report_of(exact_match=column(PassRate, [1.0] * 4), levenshtein=column(Levenshtein, [12.0] * 4))
    assert table(before, after).splitlines() == [
        "             before [95 % interval]  after [95 % interval]  difference [95 % interval]",
        "exact_match  0.000 [0.000, 0.000]    1.000 [1.000, 1.000]   +1.000 [+1.000, +1.000]     better",
        "levenshtein  12.0 [12.0, 12.0]       12.0 [12.0, 12.0]      +0.000 [+0.000, +0.000]     no clear change",
        "4 prompts; intervals: bootstrap over prompts, the difference paired",
    ]
    assert table(before).splitlines() == [
        "             value [95 % interval]",
        "exact_match  0.000 [0.000, 0.000]",
        "levenshtein  12.0 [12.0, 12.0]",
        "4 prompts; intervals: bootstrap over prompts",
    ]


def test_table_has_no_negative_zero():
    line = table(report_of(x=column(PassRate, [0.5])), report_of(x=column(PassRate, [0.4999]))).splitlines()[1]
    assert "+0.000 [+0.000, +0.000]" in line and line.endswith("worse")


def test_table_shows_what_is_undefined():
    nothing = Column(PassRate, np.zeros((2, 2)))
    assert "exact_match  -" in table(report_of(exact_match=nothing))


def test_metrics_of_all_samples_read_the_answer_and_not_what_stands_around_it():
    certificate = Certificate(Verdict.PASS, score=1.0)
    answers = [
        policy_report.Answer(f"It is <answer>{text}</answer>", text, True, certificate) for text in ("OCC", "CO", "CCO")
    ]
    prompts = [Prompt("one", "ethanol", reference="CCO")]
    assert policy_report._grouped_statistics(TopK, answers, prompts).tolist() == [[1.0, 1.0]]
    assert policy_report._grouped_statistics(Distinct, answers, prompts).tolist() == [[2.0, 3.0]]
