"""Known answers, judged by the recipe's own verifier as if the model had written them.

A gold answer is the completion that ``sft`` would teach. Where ``answer.extract`` finds nothing in it, as a pattern does not
say how an answer is written, the reference is judged as an answer that was found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict
from rlsf_lightning.symbolic.answers.answered import Answered
from rlsf_lightning.symbolic.answers.find import AnswerFinder
from rlsf_lightning.symbolic.answers.settings import AnswerSettings
from rlsf_lightning.symbolic.execution.batches import in_batches
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.execution.worker_server import verify
from rlsf_lightning.symbolic.verifier import Verifier

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe

#: Examples of each kind that are kept.
SHOWN = 3
#: Prompts without which the verifier cannot work, after which a split is judged no further: each costs a worker.
MOST_REFUSED = 10
#: Kinds beside the verifier's: it abstained, the prompt lacks what it needs.
ABSTAIN, REFUSED = "abstain", "refused"
#: Seconds after which a sample is judged no further, once an answer has passed and where none has; and what it has at least.
SAMPLE_SECONDS, PATIENT_SECONDS, LEAST_JUDGED = 2.0, 20.0, 4


#: Takes a known answer that does not pass, JSON-ready: a row that ``certify input=`` reads, with what was found.
Tell = Callable[[dict[str, Any]], None]


class Gold(NamedTuple):
    """A known answer as a completion; ``is_bare``: as the answer that was found in one."""

    prompt: Prompt
    text: str
    is_bare: bool


class GoldReader:
    """Finds the known answers of prompts, by a recipe's ``answer`` block."""

    def __init__(self, answers: AnswerSettings) -> None:
        self.answers, self.finder = answers, AnswerFinder(answers)

    def gold_of(self, prompt: Prompt) -> Gold | None:
        """None where no answer is known."""
        answer = prompt.reference if prompt.reference is not None else prompt.target
        if answer is None:
            return None
        try:
            text = self.answers.completion(prompt)
        except UserError:  # it lacks the prefix: ``sft`` refuses it, and a model may find it nevertheless
            return Gold(prompt, answer, True)
        is_judged_as_it_stands = prompt.target is not None or self._is_found(text)
        return Gold(prompt, text, False) if is_judged_as_it_stands else Gold(prompt, answer, True)

    def _is_found(self, completion: str) -> bool:
        try:
            return self.finder.find(self.answers.prefix + completion) is not None
        except ToolFailed:
            return True  # judged, it abstains and says why


@dataclass
class Kind:
    """What is wrong with known answers: how many have it, and the first of them."""

    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Tally:
    """Verdicts on the known answers of a split."""

    passed: int = 0
    failed: int = 0
    abstained: int = 0
    #: The prompt lacks what the verifier needs.
    refused: int = 0
    #: No answer is known.
    missing: int = 0
    #: Judged as an answer, not as a completion.
    bare: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    #: Hears of every known answer that does not pass.
    tell: Tell = field(default=lambda row: None, repr=False)

    @property
    def judged(self) -> int:
        return self.passed + self.failed + self.abstained + self.refused

    def add(self, gold: Gold, certificate: Certificate) -> None:
        """Count one certificate; an answer with several findings counts once for each of their kinds."""
        self.bare += gold.is_bare
        if certificate.verdict is Verdict.PASS:
            self.passed += 1
            return
        findings: Iterable[Finding] = certificate.findings
        if certificate.verdict is Verdict.ABSTAIN:
            self.abstained += 1
            findings = [Finding(ABSTAIN, str(certificate.witness.get("error", "no reason given")))]
        else:
            self.failed += 1
        self._note(gold.prompt, gold.text, certificate.verdict.value, findings)

    def refuse(self, prompt: Prompt, message: str) -> None:
        """Count a prompt that lacks what the verifier needs."""
        self.refused += 1
        self._note(prompt, "", REFUSED, [Finding(REFUSED, message)])

    def _note(self, prompt: Prompt, text: str, verdict: str, findings: Iterable[Finding]) -> None:
        """Count the kinds of the findings, each once, and tell of all of them."""
        found = [(finding.kind, _placed(finding, text)) for finding in findings]
        for name, shown in dict(reversed(found)).items():
            kind = self.kinds.setdefault(name, Kind())
            kind.count += 1
            if len(kind.examples) < SHOWN:
                kind.examples.append({"prompt": prompt.id, **shown})
        listed = [{"kind": name, **shown} for name, shown in found]
        row = {"id": prompt.id, "verdict": verdict, "findings": listed, "prompt": prompt.text, "completion": text}
        self.tell({**prompt.facts, **row, "reference": prompt.reference})

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the commonest kinds first."""
        kinds = sorted(self.kinds.items(), key=lambda item: (-item[1].count, item[0]))
        return {
            "judged": self.judged,
            "passed": self.passed,
            "failed": self.failed,
            "abstained": self.abstained,
            "refused": self.refused,
            "missing": self.missing,
            "bare": self.bare,
            "pass_rate": round(self.passed / self.judged, 4) if self.judged else None,
            "kinds": [{"kind": name, "count": kind.count, "examples": kind.examples} for name, kind in kinds],
        }


def _placed(finding: Finding, text: str) -> dict[str, Any]:
    """What a finding says, and the first text that it is about; JSON-ready."""
    if not finding.spans:
        return {"message": finding.message, "span": None, "text": None}
    span = finding.spans[0]
    return {"message": finding.message, "span": [span.start, span.end], "text": text[span.start : span.end][:60]}


class GoldJudge:
    """Judges known answers in a pool of workers. Raises UserError where the recipe's verifier cannot be built."""

    def __init__(self, recipe: Recipe, workers: int) -> None:
        self.block, self.workers = recipe.verifier, workers
        self.reader = GoldReader(AnswerSettings.of(recipe))
        self.of_completions = self._pool(self.reader.answers)
        self.of_answers: VerifierPool | None = None

    def tally(self, prompts: Iterable[Prompt], tell: Tell = lambda row: None) -> Tally:
        """The verdicts on the known answers of these prompts; ``tell`` hears of each that does not pass."""
        tally, bare = Tally(tell=tell), list[Gold]()
        self._judge(self.of_completions, self._completions(prompts, tally, bare), tally)
        if bare and tally.refused < MOST_REFUSED:
            self.of_answers = self.of_answers or self._pool(None)
            self._judge(self.of_answers, iter(bare), tally)
        return tally

    def _completions(self, prompts: Iterable[Prompt], tally: Tally, bare: list[Gold]) -> Iterator[Gold]:
        for prompt in prompts:
            if tally.refused >= MOST_REFUSED:
                return
            gold = self.reader.gold_of(prompt)
            if gold is None:
                tally.missing += 1
            elif gold.is_bare:
                bare.append(gold)
            else:
                yield gold

    def _judge(self, pool: VerifierPool, golds: Iterator[Gold], tally: Tally) -> None:
        shown = tqdm(golds, desc="known answers", unit="", disable=None, leave=False)  # on a terminal alone
        for batch, pending in in_batches(pool, shown, lambda gold: (gold.prompt, gold.text)):
            try:
                for gold, certificate in zip(batch, pending.result(), strict=True):
                    tally.add(gold, certificate)
            except UserError:
                self._judge_singly(pool, batch, tally)
            if tally.refused >= MOST_REFUSED:
                return

    @staticmethod
    def _judge_singly(pool: VerifierPool, batch: list[Gold], tally: Tally) -> None:
        """A batch with a prompt that the verifier refuses."""
        for gold in batch:
            if tally.refused >= MOST_REFUSED:
                return
            try:
                tally.add(gold, pool.submit([(gold.prompt, gold.text)]).result()[0])
            except UserError as error:
                tally.refuse(gold.prompt, str(error).removeprefix(f"prompt {gold.prompt.id}: "))

    def _pool(self, answers: AnswerSettings | None) -> VerifierPool:
        return VerifierPool(
            self.block.name, self.block.options, workers=self.workers, timeout=self.block.timeout, answer=answers
        )

    def __enter__(self) -> GoldJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self.of_completions.close()
        if self.of_answers is not None:
            self.of_answers.close()


def check_gold(recipe: Recipe, verifier: Verifier, prompts: Iterable[Prompt]) -> str:
    """Judge the known answers of some prompts here: a line that tells of those that do not pass, empty where all do.

    Raises UserError: none passes.
    """
    reader = GoldReader(AnswerSettings.of(recipe))
    of_answers = verifier.verifier if isinstance(verifier, Answered) else verifier
    tally, begin = Tally(), time.monotonic()
    for gold in filter(None, map(reader.gold_of, prompts)):
        tally.add(
            gold, verify(of_answers if gold.is_bare else verifier, recipe.verifier.name, (gold.prompt, gold.text))
        )
        seconds = time.monotonic() - begin
        if seconds > (SAMPLE_SECONDS if tally.passed else PATIENT_SECONDS) and tally.judged >= LEAST_JUDGED:
            break
    if tally.passed == tally.judged:
        return ""
    kind, worst = max(tally.kinds.items(), key=lambda item: item[1].count)
    example = worst.examples[0]
    look = f"python -m rlsf_lightning.validate recipe={recipe.recipe}"
    told = f"{example['prompt']}: {kind}: {example['message']}"
    if tally.passed:
        return f"{tally.judged - tally.passed} of {tally.judged} known answers do not pass, such as {told} ({look})"
    raise UserError(
        f"none of {tally.judged} known answers of the train split passes, such as {told}\n"
        f"look at them with {look}; data.gold_check=0 trains all the same, where a reference is no answer"
    )
