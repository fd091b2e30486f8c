"""Every metric of every suite equals an independent computation on 200 drawn items, by one rank and by two."""

import inspect
import json
import os

import pytest
import torch
import torch.multiprocessing as mp
from drawn_cases import drawn
from slow_metrics import SLOW, pass_at_k

from rlsf_lightning.evaluation import metrics as shipped
from rlsf_lightning.evaluation.metrics import PassAtK, Suite

SUITES = [value for value in vars(shipped).values() if isinstance(value, Suite)]
CLASSES = {kind.__name__: kind for suite in SUITES for kind in (*suite.greedy.values(), *suite.grouped.values())}
#: Items of the first of two ranks; batches are of 16, so that both end with a ragged one.
FIRST = 137


def filled(metric, columns, start, end):
    names = list(inspect.signature(type(metric).update).parameters)[1:]
    for at in range(start, end, 16):
        metric.update(**{name: columns[name][at : min(at + 16, end)] for name in names})
    return metric


def test_every_metric_of_a_suite_has_a_slow_twin():
    assert set(CLASSES) == set(SLOW) and len(SUITES) == 11


@pytest.mark.parametrize("name", sorted(SLOW))
def test_equals_the_slow_one(name):
    kind, slow = SLOW[name]
    columns = drawn(kind)
    found = filled(CLASSES[name](), columns, 0, 200).compute().item()
    assert found == pytest.approx(slow(columns), abs=1e-9)
    assert 0.0 < found and (found < 1.0 or name in ("Length", "Levenshtein")), "the items tell nothing apart"


@pytest.mark.parametrize("k", [1, 2, 5, 8])
def test_pass_at_k_equals_drawing_one_by_one(k):
    columns = drawn("texts")
    assert filled(PassAtK(k), columns, 0, 200).compute().item() == pytest.approx(pass_at_k(k)(columns), abs=1e-9)


def _rank(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    start, end = (0, FIRST) if rank == 0 else (FIRST, 200)
    values = {
        name: filled(CLASSES[name](), drawn(SLOW[name][0]), start, end).compute().item() for name in sorted(CLASSES)
    }
    values |= {f"pass@{k}": filled(PassAtK(k), drawn("texts"), start, end).compute().item() for k in (1, 5)}
    with open(os.path.join(folder, f"rank{rank}.json"), "w") as file:
        json.dump(values, file)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_ranks_with_unequal_shares_say_what_one_says(tmp_path):
    mp.spawn(_rank, args=(str(tmp_path),), nprocs=2)
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2))
    alone = {name: filled(CLASSES[name](), drawn(SLOW[name][0]), 0, 200).compute().item() for name in CLASSES}
    alone |= {f"pass@{k}": filled(PassAtK(k), drawn("texts"), 0, 200).compute().item() for k in (1, 5)}
    assert first == second
    assert first == pytest.approx(alone, abs=1e-12)
