"""Metrics on plain strings: BLEU on characters or words, edit distance, length. They know nothing of what the strings mean.

So a right answer that is spelled in another way than the reference, as any SMILES can be, is far from it here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length

MAX_ORDER = 4  # BLEU-4
#: mteval-v13a, the tokenizer of WMT: punctuation stands alone, but for periods and commas within numbers.
_13A = (
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_ENTITIES = {"<skipped>": "", "-\n": "", "\n": " ", "&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}


def levenshtein(a: str, b: str) -> int:
    """Fewest insertions, deletions and substitutions of a character that turn ``a`` into ``b``.

    Bit-parallel (Myers 1999, in the form of Hyyrö 2003): a column of the table is two integers with one bit for each
    character of ``a``, so a pair costs len(b) steps of len(a)-bit arithmetic.
    """
    if not a or not b:
        return len(a) or len(b)
    where: dict[str, int] = {}
    for position, character in enumerate(a):
        where[character] = where.get(character, 0) | 1 << position
    everything, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    rises, falls, distance = everything, 0, len(a)  # vertical differences +1 and -1 of the first column
    for character in b:
        equal = where.get(character, 0)
        diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
        right_rises = falls | (everything & ~(diagonal | rises))
        right_falls = rises & diagonal
        distance += bool(right_rises & last) - bool(right_falls & last)
        right_rises = (right_rises << 1 | 1) & everything
        rises = (right_falls << 1 | ~(diagonal | right_rises)) & everything
        falls = right_rises & diagonal
    return distance


class Levenshtein(ItemMetric):
    """Mean edit distance in characters between prediction and reference; 0 is equality."""

    higher_is_better = False

    def update(self, predictions: Sequence[str], references: Sequence[str | None]) -> None:
        """One string each per item; items without reference are left out."""
        same_length(predictions=predictions, references=references)
        pairs = zip(predictions, references, strict=True)
        self.add([LEFT_OUT if r is None else (float(levenshtein(p, r)), 1.0) for p, r in pairs])


class Bleu(ItemMetric):
    """Corpus BLEU-4 in [0, 1] on characters, unsmoothed (Papineni et al. 2002), as molecule papers report it on SMILES.

    BLEU = min(1, exp(1 - r / p)) * (m_1/t_1 * ... * m_4/t_4)^(1/4), with p and r the characters of all predictions and
    references, t_n the predictions' n-grams and m_n those also in the reference, all summed over the corpus. It is 0
    where an m_n is 0.
    """

    higher_is_better = True
    width = 2 + 2 * MAX_ORDER  # p, r, m_1..m_4, t_1..t_4

    @staticmethod
    def tokens(text: str) -> Sequence[str]:
        """What n-grams are made of."""
        return text

    def update(self, predictions: Sequence[str], references: Sequence[str | None]) -> None:
        """One string each per item; items without reference are left out."""
        same_length(predictions=predictions, references=references)
        pairs = zip(predictions, references, strict=True)
        self.add([(0.0,) * self.width if r is None else _bleu_row(self.tokens(p), self.tokens(r)) for p, r in pairs])

    @classmethod
    def from_sums(cls, sums_RK: np.ndarray) -> np.ndarray:
        """(..., 10) sums -> (...) BLEU; NaN where there is no reference text at all."""
        predicted_R, reference_R = sums_RK[..., 0], sums_RK[..., 1]
        matches_RO, totals_RO = sums_RK[..., 2 : 2 + MAX_ORDER], sums_RK[..., 2 + MAX_ORDER :]
        has_all_R = np.all(matches_RO > 0, axis=-1)
        precision_RO = np.where(np.expand_dims(has_all_R, -1), matches_RO, 1.0) / np.maximum(totals_RO, 1.0)
        brevity_R = np.minimum(0.0, 1.0 - reference_R / np.maximum(predicted_R, 1.0))
        bleu_R = np.where(has_all_R, np.exp(brevity_R + np.log(precision_RO).mean(axis=-1)), 0.0)
        return np.where(reference_R > 0, bleu_R, np.nan)


class WordBleu(Bleu):
    """Corpus BLEU-4 in [0, 1] on words, unsmoothed, with the tokenizer that sacreBLEU takes by default (``13a``)."""

    @staticmethod
    def tokens(text: str) -> Sequence[str]:
        """Words, numbers and marks of punctuation."""
        for old, new in _ENTITIES.items():
            text = text.replace(old, new)
        text = f" {text} "
        for pattern, spaced in _13A:
            text = pattern.sub(spaced, text)
        return text.split()


class Length(ItemMetric):
    """Mean characters of the predictions: neither good nor bad, but a policy that is paid for length shows here."""

    higher_is_better = None

    def update(self, predictions: Sequence[str]) -> None:
        """One string per item."""
        self.add([(float(len(p)), 1.0) for p in predictions])


def _bleu_row(prediction: Sequence[str], reference: Sequence[str]) -> tuple[float, ...]:
    matches, totals = [], []
    for order in range(1, MAX_ORDER + 1):
        ours, theirs = _ngrams(prediction, order), _ngrams(reference, order)
        matches.append(float((ours & theirs).total()))
        totals.append(float(ours.total()))
    return (float(len(prediction)), float(len(reference)), *matches, *totals)


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[i:] for i in range(order)), strict=False))
