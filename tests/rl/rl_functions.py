"""The estimators that ship, by name: what ``algorithm.advantage`` resolves to."""

from rlsf_lightning.config.estimator_specs import ESTIMATORS, find_estimator

FUNCTIONS = {name: find_estimator(name)[0] for name in ESTIMATORS}
