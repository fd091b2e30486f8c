"""Metrics of answers that name several molecules, and of all samples of a prompt together: exact sets, MaxFrag, top-k.

Molecules are compared by canonical SMILES, stereochemistry included, and sets of them without regard to their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from rdkit import Chem

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length
from rlsf_lightning.evaluation.metrics.molecules import parse_molecule


@lru_cache(maxsize=8192)
def components(smiles: str) -> tuple[str, ...] | None:
    """The canonical SMILES of the molecules between the dots, in order of the alphabet; None where one of them is none."""
    found = [parse_molecule(part) for part in smiles.split(".")]
    return None if None in found else tuple(sorted(Chem.MolToSmiles(molecule) for molecule in found))


@lru_cache(maxsize=8192)
def largest(smiles: str) -> str | None:
    """The component with the most heavy atoms, of several the first; None where one of them is no molecule."""
    found = components(smiles)
    if found is None:
        return None
    return max(found, key=lambda part: (Chem.MolFromSmiles(part).GetNumHeavyAtoms(), part))


class AllValid(ItemMetric):
    """Share of the predictions of which every component is a valid molecule."""

    higher_is_better = True

    def update(self, predictions: Sequence[str]) -> None:
        """One SMILES string per item, perhaps with dots."""
        self.add([(float(components(p) is not None), 1.0) for p in predictions])


class SameMolecules(ItemMetric):
    """Exact match: share of the predictions with the same molecules as the reference, each as often."""

    higher_is_better = True

    def update(self, predictions: Sequence[str], references: Sequence[str | None]) -> None:
        """One SMILES string each per item; items without a valid reference are left out."""
        same_length(predictions=predictions, references=references)
        pairs = zip(predictions, references, strict=True)
        self.add([_row(components(p), None if r is None else components(r)) for p, r in pairs])


class MaxFrag(ItemMetric):
    """Share of the predictions whose largest molecule is the reference's (Tetko et al. 2020, Nature Communications 11:5575)."""

    higher_is_better = True

    def update(self, predictions: Sequence[str], references: Sequence[str | None]) -> None:
        """One SMILES string each per item; items without a valid reference are left out."""
        same_length(predictions=predictions, references=references)
        pairs = zip(predictions, references, strict=True)
        self.add([_row(largest(p), None if r is None else largest(r)) for p, r in pairs])


class TopK(ItemMetric):
    """Share of the prompts whose reference is among the k most frequent different answers of its samples.

    Invalid answers take no rank. Of equally frequent ones that comes first which was sampled first.
    """

    higher_is_better = True
    k = 1

    def update(self, samples: Sequence[Sequence[str]], references: Sequence[str | None]) -> None:
        """All samples of a prompt, and its reference, per item; items without a valid reference are left out."""
        same_length(samples=samples, references=references)
        self.add([self._ranked(many, r) for many, r in zip(samples, references, strict=True)])

    def _ranked(self, samples: Sequence[str], reference: str | None) -> tuple[float, float]:
        wanted = None if reference is None else components(reference)
        if wanted is None:
            return LEFT_OUT
        answers = Counter(found for found in map(components, samples) if found is not None)
        return (float(wanted in [answer for answer, _ in answers.most_common(self.k)]), 1.0)


class Top3(TopK):
    """``TopK`` with k = 3."""

    k = 3


class Top5(TopK):
    """``TopK`` with k = 5."""

    k = 5


class Distinct(ItemMetric):
    """Uniqueness: different valid molecules among the valid samples of a prompt, as a share, over all prompts."""

    higher_is_better = True

    def update(self, samples: Sequence[Sequence[str]]) -> None:
        """All samples of a prompt per item; a prompt without a valid one counts for nothing."""
        valid = [[found for found in map(components, many) if found is not None] for many in samples]
        self.add([(float(len(set(many))), float(len(many))) for many in valid])


def _row(ours: object, theirs: object) -> tuple[float, float]:
    return LEFT_OUT if theirs is None else (float(ours == theirs), 1.0)
