"""BLEU, edit distance and length against literals, a table filled in cell by cell, and torchmetrics."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.text import bleu_score, sacre_bleu_score

from rlsf_lightning.evaluation.metrics.strings import Bleu, Length, Levenshtein, WordBleu, levenshtein

TEXT = st.text(alphabet="CNO()=1é ", max_size=12)


def slow_levenshtein(a: str, b: str) -> int:
    """The table of Wagner and Fischer, filled in cell by cell."""
    cost = [[i + j if i == 0 or j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            cost[i][j] = min(cost[i - 1][j] + 1, cost[i][j - 1] + 1, change)
    return cost[-1][-1]


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "CCO", 3), ("CCO", "", 3), ("kitten", "sitting", 3), ("CCO", "CCO", 0), ("CCO", "OCC", 2)],
)
def test_levenshtein_literals(a, b, distance):
    assert levenshtein(a, b) == distance


@given(TEXT, TEXT)
def test_levenshtein_equals_the_table(a, b):
    assert levenshtein(a, b) == slow_levenshtein(a, b)


def test_levenshtein_of_strings_longer_than_a_machine_word():
    a, b = "CC(=O)N" * 30, "CC(=S)NC" * 29
    assert levenshtein(a, b) == slow_levenshtein(a, b)


def test_levenshtein_metric_is_the_mean_over_items_with_a_reference():
    metric = Levenshtein()
    metric.update(["CCO", "C", "CCCC"], ["CCO", "CCO", None])
    assert metric.compute().item() == 1.0  # (0 + 2) / 2
    np.testing.assert_array_equal(metric.item_values(), [0.0, 2.0, np.nan])


def test_bleu_literal():
    # In both: C C O C of 5; CC CO OC of 4; CCO COC of 3; CCOC of 2.
    metric = Bleu()
    metric.update(["CCOCC"], ["CCOCN"])
    assert metric.compute().item() == pytest.approx((4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_bleu_pays_for_brevity_and_sums_over_the_corpus():
    metric = Bleu()
    metric.update(["CCCC", "CCCCCC"], ["CCCCCCCC", "CCCCCC"])
    assert metric.compute().item() == pytest.approx(math.exp(1 - 14 / 10))


def test_bleu_is_zero_without_a_common_4_gram_and_undefined_without_references():
    metric = Bleu()
    metric.update(["CCO"], ["CCO"])
    assert metric.compute().item() == 0.0
    nothing = Bleu()
    nothing.update(["CCO"], [None])
    assert math.isnan(nothing.compute().item())
    empty = Bleu()
    empty.update([""], ["CCO"])
    assert empty.compute().item() == 0.0


WORD = st.text("CNO1", max_size=9)


@given(st.lists(st.tuples(WORD, WORD.filter(bool)), min_size=1, max_size=5))
def test_bleu_equals_torchmetrics_on_single_characters(pairs):
    predictions, references = zip(*pairs, strict=True)
    metric = Bleu()
    metric.update(predictions, references)
    theirs = bleu_score([" ".join(p) for p in predictions], [[" ".join(r)] for r in references])
    assert metric.compute().item() == pytest.approx(theirs.item(), abs=1e-6)


def test_length_counts_characters():
    metric = Length()
    metric.update(["CCO", ""])
    assert metric.compute().item() == 1.5


def test_an_update_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="'predictions': 2, 'references': 1"):
        Levenshtein().update(["C", "C"], ["C"])


def test_words_are_those_of_the_tokenizer_of_wmt():
    assert WordBleu.tokens('cin>>a[1];\n"x" 1,200.5 3-4 &lt;b&gt; end.') == (
        'cin > > a [ 1 ] ; " x " 1,200.5 3 - 4 < b > end .'.split()
    )


PROGRAM = (
    "int main() {\n  int a, b = 1;\n  cin >> a;\n  if (a % 2 == 0 && a != -3.5) {\n    cout << a + b << endl;\n  }\n}"
)
PROSE = 'The price is 1,200.5 & 3-4 "x" &lt;b&gt; -\nit\'s 50%, then the end.'


@pytest.mark.parametrize("seed", range(200))
def test_word_bleu_equals_sacrebleus(seed):
    rng = random.Random(seed)
    references = [rng.choice([PROGRAM, PROSE, PROGRAM + PROSE]) for _ in range(rng.randint(1, 4))]
    predictions = [
        " ".join(w for w in text.split(" ") if rng.random() < rng.choice([0.7, 0.9, 1.0])) for text in references
    ]
    metric = WordBleu()
    metric.update(predictions, references)
    theirs = sacre_bleu_score(predictions, [[text] for text in references], tokenize="13a").item()
    assert metric.compute().item() == pytest.approx(theirs, abs=1e-6)  # theirs is in single precision
