"""Runs in which there is nothing to learn: stopped, or told once."""

from dataclasses import replace

import pytest
import torch
from training_cases import LikesEvenLength, fit

from callbacks.watchdog import REASON_WIDTH, Step, Watchdog, no_contrast, reasons_of
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.certificates import abstained
from rlsf_lightning.training.hooks import RLSFCallback, build_callbacks

RAISES = """
class Raises:
    kinds = frozenset()
    def verify(self, prompt, completion):
        raise RuntimeError("licence server not reached")
VERIFIER = Raises
"""


@pytest.mark.parametrize("estimator", ["gae", "rloo", "prefix_tree"])
def test_a_tool_that_always_fails_ends_the_run_at_its_first_step(make_recipe, tmp_path, estimator):
    (tmp_path / "raises.py").write_text(RAISES)
    recipe = make_recipe(f"verifier.name={tmp_path / 'raises.py'}", f"algorithm.advantage={estimator}")
    with pytest.raises(UserError) as stop:
        fit(recipe, tmp_path, *build_callbacks({"verifier": {}, "samples": {}, "watchdog": {}}))
    assert "abstained on all 16 completions" in str(stop.value)
    assert "  16 x RuntimeError: licence server not reached" in str(stop.value)
    assert "licence server" in (tmp_path / "samples.jsonl").read_text()
    fit(recipe, tmp_path, *build_callbacks({"verifier": {}}), steps=1)  # callbacks.watchdog=null trains all the same


class Judges(RLSFCallback):
    """Certificates by ``judge(number of the completion in the run)``; the reward is their score, at the end."""

    def __init__(self, judge):
        self.judge, self.number = judge, 0

    def on_rewards_due(self, trainer, module, rollout):
        rows = range(self.number, self.number + len(rollout.completions))
        self.number = rows.stop
        rollout.is_finished_B[:] = True
        rollout.certificates = [self.judge(row) for row in rows]
        reward_BT = torch.zeros(rollout.is_action_BT.shape)
        reward_BT[torch.arange(len(rows)), rollout.length_B - 1] = torch.tensor([c.score for c in rollout.certificates])
        rollout.add_reward("verifier", reward_BT)
        is_judged_B = torch.tensor([c.verdict is not Verdict.ABSTAIN for c in rollout.certificates])
        rollout.is_credited_BT = rollout.is_credited_BT & is_judged_B[:, None]


RIGHT, WRONG, UNKNOWN = Certificate(Verdict.PASS, score=1.0), Certificate(Verdict.FAIL), abstained("no idea")


def test_one_verdict_is_enough_to_go_on(make_recipe, tmp_path):
    fit(make_recipe(), tmp_path, Judges(lambda row: WRONG if row == 5 else UNKNOWN), Watchdog())


def test_later_steps_may_abstain(make_recipe, tmp_path, capfd):
    fit(make_recipe(), tmp_path, Judges(lambda row: WRONG if row < 16 else UNKNOWN), Watchdog(3), steps=5)
    told = capfd.readouterr().err
    assert told.count("warning:") == 1 and "abstained" not in told  # in the window of steps 1 to 3 one reward


@pytest.mark.parametrize(
    ("judge", "estimator", "told"),
    [
        (
            lambda row: WRONG,
            "rloo",
            "all 48 completions got the same reward, 0: nothing was learnt. The task is too hard",
        ),
        (lambda row: RIGHT, "rloo", "the same reward, 1: nothing was learnt. The task is too easy"),
        (lambda row: WRONG, "gae", "all 48 completions got the same reward, 0"),
        (
            lambda row: RIGHT if row // 4 % 2 else WRONG,
            "rloo",
            "no prompt had right and wrong completions side by side (50.0% of 48 were right): nothing was learnt. The samples "
            "of a prompt do not differ",
        ),
        (lambda row: RIGHT if row // 4 % 2 else WRONG, "gae", None),
        (lambda row: RIGHT if row == 30 else WRONG, "rloo", None),
        (lambda row: replace(WRONG, score=0.5 * (row % 2)), "gae", None),
        (lambda row: replace(WRONG, score=0.5 * (row % 2)), "rloo", "right was never compared with wrong"),
    ],
)
def test_steps_without_contrast_are_told_once(make_recipe, tmp_path, capfd, judge, estimator, told):
    recipe = make_recipe(f"algorithm.advantage={estimator}")
    fit(recipe, tmp_path, Judges(judge), Watchdog(3), steps=7 if told else 3)
    said = capfd.readouterr().err
    assert said.count("warning: in 3 steps") == (told is not None)
    assert told is None or told in said


def test_fewer_steps_say_nothing(make_recipe, tmp_path, capfd):
    fit(make_recipe("algorithm.advantage=rloo"), tmp_path, Judges(lambda row: WRONG), Watchdog(), steps=9)
    assert "warning: in" not in capfd.readouterr().err


class LikesNothing(RLSFCallback):
    def on_rewards_due(self, trainer, module, rollout):
        rollout.add_reward("nothing", torch.zeros(rollout.is_action_BT.shape))


def test_rewards_without_a_verifier(make_recipe, tmp_path, capfd):
    fit(make_recipe(), tmp_path, LikesNothing(), Watchdog(2), steps=2)
    said = capfd.readouterr().err
    assert "the same reward, 0" in said and "Look at the callbacks that write the reward" in said


def test_a_run_that_learns_hears_nothing(make_recipe, tmp_path, capfd):
    fit(make_recipe("algorithm.advantage=rloo"), tmp_path, LikesEvenLength(), Watchdog(2), steps=3)
    assert "warning: in" not in capfd.readouterr().err


def test_it_changes_nothing_that_is_measured(make_recipe, tmp_path):
    metrics = []
    for name, extra in (("without", []), ("with", [Watchdog(1)])):
        (tmp_path / name).mkdir()
        fit(make_recipe("algorithm.advantage=rloo"), tmp_path / name, LikesEvenLength(), *extra)
        rows = (tmp_path / name / "metrics.csv").read_text().splitlines()
        timed = [n for n, title in enumerate(rows[0].split(",")) if title.startswith("seconds/")]
        metrics.append([[cell for n, cell in enumerate(row.split(",")) if n not in timed] for row in rows])
    assert metrics[0] == metrics[1]


SEEN = Step(16, 16, 0, 0, -1.0, -1.0, has_verdicts=True, is_mixed=False, teaches=False)


def test_completions_that_are_cut_off_are_told(make_recipe):
    told = no_contrast([replace(SEEN, truncated=12)] * 10, make_recipe(), compares_samples=True)
    assert "75% of the completions were cut off at rollout.max_new_tokens=8: raise it" in told
    assert "recipe=test" in told and told.startswith("warning: in 10 steps all 160 completions got the same reward, -1")
    assert "cut off" not in no_contrast([replace(SEEN, truncated=8)] * 10, make_recipe(), compares_samples=True)


def test_abstaining_on_and_on_is_told(make_recipe):
    silent = replace(SEEN, judged=0, lowest=float("inf"), highest=float("-inf"))
    told = no_contrast([silent] * 10, make_recipe(), compares_samples=True)
    assert "abstained on all 160 completions: nothing was learnt. samples.jsonl has the reasons" in told
    assert "all 16 completions got the same reward" in no_contrast([silent, SEEN], make_recipe(), compares_samples=True)


def test_the_most_frequent_reasons_come_first_and_are_clean():
    reasons = ["rare", *["frequent\x1b[31m\n\u202ered"] * 3, *["x" * 1000] * 2, "a", "b"]
    lines = reasons_of([abstained(reason) for reason in reasons]).splitlines()
    assert lines[0] == "  3 x frequent [31m red" and lines[1] == f"  2 x {'x' * REASON_WIDTH}"
    assert len(lines) == 4 and lines[-1] == "  and 2 other reasons"
    assert reasons_of([Certificate(Verdict.ABSTAIN)]) == "  1 x no reason given"


def test_a_window_has_a_step():
    with pytest.raises(UserError, match="steps must be positive"):
        build_callbacks({"watchdog": {"steps": 0}})
