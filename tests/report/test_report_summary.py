"""The sentence and the tables are computed from the figures."""

import pytest
from report_cases import certificate, record, run_folder, summary

from rlsf_lightning.report.curves import charts_of
from rlsf_lightning.report.gallery import gallery_of
from rlsf_lightning.report.mistakes import area_chart, kinds_of
from rlsf_lightning.report.read import read_run
from rlsf_lightning.report.summary import rows_of, sentence_of, table_of


@pytest.mark.parametrize(
    ("greedy", "sampled", "sentence"),
    [
        (
            "no clear change",
            "better",
            "One sample is right more often (40.0% before, 60.0% after); the greedy answer shows no clear change "
            "(45.0% before, 46.0% after) on 200 held-out prompts.",
        ),
        (
            "worse",
            "no clear change",
            "The greedy answer is right less often (45.0% before, 46.0% after); one sample shows no clear change "
            "(40.0% before, 60.0% after) on 200 held-out prompts.",
        ),
    ],
)
def test_the_sentence_says_what_changed_first(tmp_path, greedy, sampled, sentence):
    assert sentence_of(read_run(run_folder(tmp_path, summary=summary(greedy, sampled)))) == sentence


def test_what_does_not_differ_at_all_is_unchanged(tmp_path):
    figures = summary()
    figures["difference"]["exact_match"] = {"delta": 0.0, "low": 0.0, "high": 0.0, "word": "no clear change"}
    figures["after"]["exact_match"] = figures["before"]["exact_match"]
    run = read_run(run_folder(tmp_path, summary=figures))
    assert "the greedy answer is unchanged (45.0% before, 45.0% after)" in sentence_of(run)
    assert [(row.name, row.before, row.word) for row in rows_of(run.summary)] == [
        ("exact_match", "0.450 [0.350, 0.550]", "unchanged"),
        ("sampled_exact_match", "0.400 [0.300, 0.500]", "better"),
    ]


def test_what_is_not_defined_has_no_word():
    undefined = {"delta": None, "low": None, "high": None, "word": "no clear change"}
    (row,) = rows_of({"difference": {"step_validity": undefined}})
    assert (row.before, row.difference, row.word) == ("-", "-", "-")


def test_a_run_that_has_not_ended_is_told_by_its_reward(tmp_path):
    assert sentence_of(read_run(run_folder(tmp_path))) == (
        "Not measured before and after so far; in 10 logged steps the mean reward went from 0 to 0.9."
    )


def test_an_empty_run_says_that_nothing_was_logged(tmp_path):
    run = read_run(run_folder(tmp_path, metrics=[]))
    assert sentence_of(run) == "Nothing was logged yet." and charts_of(run) == []


def test_curves_are_grouped_into_charts_and_a_table(tmp_path):
    run = read_run(run_folder(tmp_path))
    assert [(chart["title"], [t["name"] for t in chart["traces"]]) for chart in charts_of(run)] == [
        ("Reward by channel", ["reward"]),
        ("Gradient norms", ["grad_norm/policy"]),
    ]
    assert table_of(run.curves)[1] == ("reward", "0", "0.9", "0", "0.9")


def test_kinds_have_their_shares_at_both_ends_and_examples(tmp_path):
    syntax, ring = ("syntax", "odd", [[1, 2]]), ("ring", "open", [])
    records = [
        record("CC(", certificate("fail", syntax), step=0),
        record("CCC", certificate("pass"), step=0),
        record("CC1", certificate("fail", ring, syntax), step=1),
        record("C1", certificate("abstain"), step=2),
        record("C2", certificate("fail", ring), step=2),
    ]
    gallery = gallery_of(read_run(run_folder(tmp_path, records)))
    found = {kind.name: kind for kind in kinds_of(gallery)}
    assert (found["syntax"].at_start, found["syntax"].at_end, found["syntax"].count) == ("50.0%", "0.0%", 2)
    assert (found["ring"].at_start, found["ring"].at_end, found["ring"].count) == ("0.0%", "100.0%", 2)
    newest = found["syntax"].examples[0]
    assert (newest.step, newest.message, newest.parts) == (1, "odd", (("C", False), ("C", True), ("1", False)))
    chart = area_chart(gallery)
    assert {trace["name"]: trace["y"] for trace in chart["traces"]} == {
        "syntax": [0.5, 1.0, 0.0],
        "ring": [0.0, 1.0, 1.0],
    }
