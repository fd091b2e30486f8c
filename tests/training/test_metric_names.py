"""The metrics that a ``monitor`` may name are those that training logs."""

from fnmatch import fnmatchcase

import pytest
from training_cases import Keeps, LikesEvenLength, fit

from rlsf_lightning.training.hooks import METRICS


@pytest.mark.parametrize(
    "settings",
    [
        ["algorithm.advantage=gae", "algorithm.kl.form=k3", "algorithm.kl.beta=0.1", "algorithm.entropy_coef=0.1"],
        ["algorithm.advantage=vine", "algorithm.vine.rollouts=2"],
    ],
    ids=["gae", "vine"],
)
def test_every_metric_of_training_is_known(make_recipe, tmp_path, settings):
    kept = Keeps()
    fit(make_recipe(*settings), tmp_path, LikesEvenLength(), kept, steps=1)
    (stats,) = kept.stats
    assert len(stats) > 20
    assert not [name for name in stats if not any(fnmatchcase(name, known) for known in METRICS)]
