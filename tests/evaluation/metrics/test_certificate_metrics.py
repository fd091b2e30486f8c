"""Rates of verdicts: abstentions leave them, unfinished completions fail them; and reduction over ranks."""

import math
import os

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torchmetrics import MetricCollection

from rlsf_lightning.evaluation.metrics.certificates import (
    AbstainRate,
    ExactMatch,
    FinishedRate,
    MeanScore,
    PassRate,
)
from rlsf_lightning.evaluation.metrics.strings import Bleu
from rlsf_lightning.records import Certificate, Verdict

PASS = Certificate(Verdict.PASS, score=1.0)
FAIL = Certificate(Verdict.FAIL, score=0.5)
ABSTAIN = Certificate(Verdict.ABSTAIN)


def test_pass_rate_leaves_abstentions_out_and_fails_the_unfinished():
    metric = PassRate()
    metric.update([PASS, FAIL, ABSTAIN, PASS, ABSTAIN], [True, True, True, False, False])
    assert metric.compute().item() == 0.25
    np.testing.assert_array_equal(metric.item_values(), [1, 0, np.nan, 0, 0])


def test_exact_match_needs_a_reference():
    metric = ExactMatch()
    metric.update([PASS, PASS, FAIL], [True, True, True], ["CCO", None, "C"])
    assert metric.compute().item() == 0.5
    nothing = ExactMatch()
    nothing.update([PASS], [True], [None])
    assert math.isnan(nothing.compute().item())


def test_score_abstentions_and_endings():
    certificates = [PASS, FAIL, ABSTAIN, FAIL]
    score, abstained, finished = MeanScore(), AbstainRate(), FinishedRate()
    score.update(certificates)
    abstained.update(certificates)
    finished.update([True, False, True, True])
    assert score.compute().item() == pytest.approx(2 / 3)
    assert abstained.compute().item() == 0.25
    assert finished.compute().item() == 0.75


def test_no_item_at_all_is_undefined_not_zero():
    metric = PassRate()
    metric.update([], [])
    assert math.isnan(metric.compute().item())


def test_a_collection_hands_each_metric_its_own_arguments():
    collection = MetricCollection({"passed": PassRate(), "bleu": Bleu()}, compute_groups=False)
    collection.update(predictions=["CCCC"], references=["CCCC"], certificates=[FAIL], is_finished=[True])
    assert {name: value.item() for name, value in collection.compute().items()} == {"passed": 0.0, "bleu": 1.0}


def test_several_updates_equal_one_and_reset_forgets():
    metric = PassRate()
    metric.update([PASS], [True])
    metric.update([FAIL, FAIL], [True, True])
    assert metric.compute().item() == pytest.approx(1 / 3)
    metric.reset()
    metric.update([PASS], [True])
    assert metric.compute().item() == 1.0


def _rank(rank: int, folder: str) -> None:
    """Rank 0 sees three items, rank 1 none."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    metric, bleu = PassRate(), Bleu()
    if rank == 0:
        metric.update([PASS, FAIL, ABSTAIN], [True, True, True])
        bleu.update(["CCOCC"], ["CCOCN"])
    values = [metric.compute().item(), bleu.compute().item()]
    with open(os.path.join(folder, f"rank{rank}"), "w") as file:
        file.write(repr(values))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_reduces_over_ranks_even_where_one_saw_nothing(tmp_path):
    mp.spawn(_rank, args=(str(tmp_path),), nprocs=2)
    texts = [(tmp_path / f"rank{rank}").read_text() for rank in range(2)]
    assert texts[0] == texts[1] == repr([0.5, (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25])
