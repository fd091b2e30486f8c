"""Measure a policy on prompts: one greedy completion each, and samples at temperature 1, all judged by the verifier.

Nothing is learnt or changed here, and the same policy, prompts, sizes and seed give the same numbers.
``evaluate_policy`` itself prints nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torchmetrics import MetricCollection

from rlsf_lightning.evaluation.metrics import ItemMetric, PassAtK, Suite, suite_for
from rlsf_lightning.evaluation.report import Column, Difference, Report, compare, table
from rlsf_lightning.policy.sampling.generate import Sampled, sample
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.extract import stripped

if TYPE_CHECKING:
    from rlsf_lightning.policy.policy import Policy
    from rlsf_lightning.symbolic.execution.pool import VerifierPool

__all__ = ["Difference", "Report", "compare", "evaluate_policy", "progress_on_stderr", "table"]

#: Batches that are decoded between two reports of progress.
BATCHES_A_REPORT = 4
#: Called with what is being done, the prompts done and the prompts in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Answer:
    """One completion of one prompt, judged."""

    completion: str
    #: What of it was judged.
    text: str
    is_finished: bool
    certificate: Certificate


def evaluate_policy(
    policy: Policy,
    prompts: Sequence[Prompt],
    pool: VerifierPool,
    *,
    encode: Callable[[Prompt], list[int]],
    max_new_tokens: int,
    samples: int,
    batch_size: int,
    seed: int,
    ks: Sequence[int] | None = None,
    metrics: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Greedy and, where ``samples`` > 0, sampled metrics of ``policy``, with 95 % bootstrap intervals over prompts.

    Args:
        pool: the verifier, in workers or without.
        encode: a prompt's token ids, as ``PromptEncoder`` gives them.
        samples: samples of each prompt; 0 evaluates greedily only.
        batch_size: sequences decoded at a time.
        ks: which pass@k to estimate; default: ``samples`` alone. pass@1 is always reported, as ``sampled_exact_match``
            (``sampled_`` and whatever the suite calls success).
        metrics: a suite of ``rlsf_lightning.evaluation.metrics``; default: the verifier's.

    Raises:
        ValueError: no prompts, or a k that is not in 1 to ``samples``.
        UserError: no such suite.
    """
    ks = tuple(ks) if ks is not None else (samples,) if samples else ()
    if not prompts:
        raise ValueError("no prompts: there is nothing to evaluate")
    if any(not 1 <= k <= samples for k in ks):
        raise ValueError(f"pass@k needs 1 <= k <= samples, got k in {list(ks)} with {samples} samples")
    suite = suite_for(pool.verifier_class, metrics)
    examiner = _Examiner(policy, pool, prompts, encode, max_new_tokens, batch_size, progress)
    greedy = examiner.answers(samples=1, generator=None)
    columns = {name: Column(metric, _statistics(metric, greedy, prompts)) for name, metric in suite.greedy.items()}
    sampled: list[Answer] = []
    if samples:
        sampled = examiner.answers(samples=samples, generator=torch.Generator().manual_seed(seed))
        columns |= _sampled_columns(suite, sampled, prompts, ks)
    records = _records(prompts, greedy, sampled, columns)
    return Report(tuple(p.id for p in prompts), columns, records)


def progress_on_stderr(label: str = "") -> Progress:
    """A ``progress`` that keeps one line of a terminal up to date; elsewhere it writes a line every ten seconds."""
    is_terminal = sys.stderr.isatty()
    last = time.monotonic()

    def show(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < (0.2 if is_terminal else 10.0):
            return
        last = now
        start, end = ("\r", "\n" if done == total else "") if is_terminal else ("", "\n")
        print(f"{start}{label}{stage}: {done} of {total} prompts", end=end, file=sys.stderr, flush=True)

    return show


class _Examiner:
    """Generates completions and has the verifier judge them."""

    def __init__(
        self,
        policy: Policy,
        pool: VerifierPool,
        prompts: Sequence[Prompt],
        encode: Callable[[Prompt], list[int]],
        max_new_tokens: int,
        batch_size: int,
        progress: Progress | None,
    ) -> None:
        self.policy, self.pool, self.prompts, self.progress = policy, pool, prompts, progress
        self.max_new_tokens, self.batch_size = max_new_tokens, batch_size
        self.prompts_ids = [encode(prompt) for prompt in prompts]

    def answers(self, *, samples: int, generator: torch.Generator | None) -> list[Answer]:
        """``samples`` answers to each prompt, prompt-major; greedy ones without a generator."""
        answers: dict[int, list[Answer]] = {}
        # Prompts of like length together: little padding. A few batches are done between two reports: where one completion
        # ends another begins, so that only the last batch runs empty.
        order = sorted(range(len(self.prompts)), key=lambda index: len(self.prompts_ids[index]))
        step = max(1, BATCHES_A_REPORT * self.batch_size // samples)
        for start in range(0, len(order), step):
            chosen = order[start : start + step]
            sampled = sample(
                self.policy,
                [self.prompts_ids[index] for index in chosen],
                samples=samples,
                max_new_tokens=self.max_new_tokens,
                temperature=1.0,
                greedy=generator is None,
                batch_size=self.batch_size,
                generator=generator,
            )
            judged = self.judged([index for index in chosen for _ in range(samples)], sampled)
            for row, index in enumerate(chosen):
                answers[index] = judged[row * samples : (row + 1) * samples]
            if self.progress is not None:
                self.progress("greedy" if generator is None else "sampled", len(answers), len(order))
        return [answer for index in range(len(order)) for answer in answers[index]]

    def judged(self, indices: Sequence[int], sampled: Sequence[Sampled]) -> list[Answer]:
        """One completion of each of the prompts at ``indices`` with its certificate; a tool that fails abstains."""
        # The text of token_spans.decode_with_spans, without the cost of the spans.
        decode = partial(self.policy.tokenizer.decode, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        texts = [str(decode(one.ids)) for one in sampled]
        pairs = [(self.prompts[index], text) for index, text in zip(indices, texts, strict=True)]
        certificates = self.pool.submit(pairs).result()
        return [
            Answer(text, self.pool.answer_of(text), one.is_finished, certificate)
            for text, one, certificate in zip(texts, sampled, certificates, strict=True)
        ]


def _statistics(metric: type[ItemMetric], answers: Sequence[Answer], prompts: Sequence[Prompt]) -> np.ndarray:
    """The metric's numbers summed over the answers of each prompt: shape (prompts, K)."""
    samples = len(answers) // len(prompts)
    filled = metric(sync_on_compute=False)
    # The collection hands the metric those of the arguments that its ``update`` names.
    MetricCollection({"metric": filled}, compute_groups=False).update(
        predictions=[stripped(a.text)[0] for a in answers],
        references=[p.reference for p in prompts for _ in range(samples)],
        targets=[p.target for p in prompts for _ in range(samples)],
        facts=[p.facts for p in prompts for _ in range(samples)],
        certificates=[a.certificate for a in answers],
        is_finished=[a.is_finished for a in answers],
    )
    return filled.item_statistics().reshape(len(prompts), samples, metric.width).sum(axis=1)


def _grouped_statistics(metric: type[ItemMetric], sampled: Sequence[Answer], prompts: Sequence[Prompt]) -> np.ndarray:
    """The metric's numbers of all samples of each prompt together: shape (prompts, K)."""
    texts = [stripped(answer.text)[0] for answer in sampled]
    many = len(texts) // len(prompts)
    filled = metric(sync_on_compute=False)
    MetricCollection({"metric": filled}, compute_groups=False).update(
        samples=[texts[i * many : (i + 1) * many] for i in range(len(prompts))],
        references=[p.reference for p in prompts],
    )
    return filled.item_statistics()


def _sampled_columns(
    suite: Suite, sampled: Sequence[Answer], prompts: Sequence[Prompt], ks: Sequence[int]
) -> dict[str, Column]:
    success_N2 = _statistics(suite.greedy[suite.success], sampled, prompts)  # samples right, samples judged
    passed, tried = (column.astype(int).tolist() for column in success_N2.T)
    columns = {}
    for k, name in ((1, f"sampled_{suite.success}"), *((k, f"pass_at_{k}") for k in ks if k > 1)):
        estimate = PassAtK(k, sync_on_compute=False)
        estimate.update(tried, passed)
        columns[name] = Column(PassAtK, estimate.item_statistics())
    for name in suite.sampled:
        columns[f"sampled_{name}"] = Column(suite.greedy[name], _statistics(suite.greedy[name], sampled, prompts))
    for name, metric in suite.grouped.items():
        columns[name] = Column(metric, _grouped_statistics(metric, sampled, prompts))
    return columns


def _records(
    prompts: Sequence[Prompt], greedy: Sequence[Answer], sampled: Sequence[Answer], columns: dict[str, Column]
) -> list[dict[str, Any]]:
    values = {name: column.per_prompt() for name, column in columns.items()}
    samples = len(sampled) // len(prompts)
    return [
        {
            "id": prompt.id,
            "prompt": prompt.text,
            "reference": prompt.reference,
            "metrics": {name: float(v[i]) if np.isfinite(v[i]) else None for name, v in values.items()},
            "greedy": _account(greedy[i]),
            "samples": [_account(answer) for answer in sampled[i * samples : (i + 1) * samples]],
        }
        for i, prompt in enumerate(prompts)
    ]


def _account(answer: Answer) -> dict[str, Any]:
    certificate = answer.certificate.to_dict()
    del certificate["seconds"]  # the same evaluation twice writes the same records
    return {"completion": answer.completion, "finished": answer.is_finished, "certificate": certificate}
