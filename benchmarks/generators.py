"""Does a source that makes its prompts keep its word? Gold passes, no prompt stands in two splits, single edits fail.

    python benchmarks/generators.py source=game24 [recipe=game24] [count=10000] [edits=2000] [workers=0] [seed=0]
        [output=survivors.jsonl]

The recipe, by default the one of the source's name, says which verifier judges and with which options. Gold is a prompt's
target, or its reference where it has none: of ``count`` prompts of the training split and of all held-out ones. An edit changes
one token of gold.

Not every edit makes a wrong answer: OPSIN reads `ethan-1-ol` without its hyphens, a ring may be numbered otherwise, a word of
prose is no step. Which do, another tool says, not the verifier: its second opinion (``opinions``: for names the structure by
InChI and isomorphism, so that a name is wrong where it is of another molecule or of none), and for JSON beside a reference the
values that Python's ``json`` reads. Measured is the share of the edits that the other tool calls wrong which do not pass.
Edits that it calls right or cannot judge are counted apart; right ones that fail are shown. All edits that pass are written to
``output`` with what the other tool said. That a name is read rightly is OPSIN's word in both: no other program reads names as
well.

Nothing is written but ``output``. Exit status 1: some gold does not pass, or two splits share a prompt.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import arguments
import opinions
from corpora import Case
from opinions import Opinion

from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.config.schema import Verifier
from rlsf_lightning.prompts import load_prompts
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.execution.pool import VerifierPool

DEFAULTS = {"source": "", "recipe": "", "count": 10_000, "edits": 2000, "workers": -1, "seed": 0, "output": ""}
#: Completions that are verified together.
BATCH = 200
#: What is printed of failures and of survivors.
SHOWN = 12
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\w\s]|_")


@dataclass
class Edited:
    """Edits of gold. ``tried`` and ``passed`` are those that are wrong by the other tool, by sort; ``outcomes`` are of all:
    what the other tool said, and the verdict."""

    tried: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    survivors: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def add(self, sort: str, case: Case, certificate: Certificate, said: Opinion) -> None:
        """One edit."""
        opinion = {True: "right", False: "wrong", None: "not judged"}[said.passes]
        self.outcomes[opinion, certificate.verdict.value] += 1
        row = {
            "edit": sort,
            "gold": gold(case.prompt),
            "opinion": opinion,
            **_shown(case.prompt, case.completion, certificate),
        }
        if said.passes is False:
            self.tried[sort] += 1
            self.passed[sort] += certificate.verdict is Verdict.PASS
        if certificate.verdict is Verdict.PASS:
            self.survivors.append(row)
        elif said.passes and certificate.verdict is Verdict.FAIL:
            self.refused.append(row)


def gold(prompt: Prompt) -> str:
    """The answer that must pass."""
    answer = prompt.target if prompt.target is not None else prompt.reference
    assert answer is not None, f"{prompt.id} has neither target nor reference"
    return answer


def edited(text: str, rng: random.Random) -> tuple[str, str]:
    """(sort of edit, the text with one token changed, dropped, doubled, or exchanged with the next)."""
    tokens = list(_TOKEN.finditer(text))
    numbers = [token for token in tokens if token[0].isdigit()]
    sort = rng.choice(["number", "number", "token", "dropped", "doubled", "exchanged"])
    if sort == "number" and numbers:
        old = rng.choice(numbers)
        return sort, _with(text, old, rng.choice([str(int(old[0]) + 1), str(int(old[0]) * 10), old[0][::-1] + "7"]))
    if sort == "exchanged" and len(tokens) > 1:
        at = rng.randrange(len(tokens) - 1)
        left, right = tokens[at], tokens[at + 1]
        between = text[left.end() : right.start()]
        return sort, text[: left.start()] + right[0] + between + left[0] + text[right.end() :]
    old = rng.choice(tokens)
    if sort == "dropped":
        return sort, _with(text, old, "")
    if sort == "doubled":
        return sort, _with(text, old, f"{old[0]} {old[0]}" if old[0].isalnum() else old[0] * 2)
    return "token", _with(text, old, rng.choice(tokens)[0])


def _with(text: str, old: re.Match[str], new: str) -> str:
    return text[: old.start()] + new + text[old.end() :]


def judged(pool: VerifierPool, pairs: Iterable[tuple[Prompt, str]]) -> Iterator[tuple[Prompt, str, Certificate]]:
    """Every pair with its certificate, in batches."""
    waiting = iter(pairs)
    while batch := list(itertools.islice(waiting, BATCH)):
        for (prompt, text), certificate in zip(batch, pool.submit(batch).result(), strict=True):
            yield prompt, text, certificate


def gold_failures(pool: VerifierPool, prompts: Sequence[Prompt]) -> list[dict[str, Any]]:
    """The gold answers that do not pass."""
    found = judged(pool, ((prompt, gold(prompt)) for prompt in prompts))
    return [_shown(p, text, certificate) for p, text, certificate in found if certificate.verdict is not Verdict.PASS]


def opinion_of(verifier: Verifier) -> Callable[[Case], Opinion]:
    """What says, without the verifier's code, whether a completion is right."""
    if verifier.options.get("compare") == "reference":
        return _same_values
    opinion: Callable[[Case], Opinion] = opinions.opinions_of(verifier.name).opinion
    return opinion


def _same_values(case: Case) -> Opinion:
    try:
        found, expected = json.loads(case.completion), json.loads(case.prompt.reference or "")
    except ValueError as error:
        return Opinion(False, str(error))
    return Opinion(json.dumps(_sorted(found)) == json.dumps(_sorted(expected)), "the values")


def _sorted(value: Any) -> Any:
    """With the keys in one order, and whole numbers as integers: True is not 1."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def edits(
    pool: VerifierPool, prompts: Sequence[Prompt], count: int, rng: random.Random, opinion: Callable[[Case], Opinion]
) -> Edited:
    """``count`` single edits, over and over through the prompts."""
    made = list[tuple[Prompt, str, str]]()
    for prompt in itertools.cycle(prompts):
        if len(made) == count:
            break
        sort, text = edited(gold(prompt), rng)
        if text.split() != gold(prompt).split():
            made.append((prompt, text, sort))
    result = Edited()
    found = judged(pool, ((prompt, text) for prompt, text, _ in made))
    for (prompt, text, certificate), (_, _, sort) in zip(found, made, strict=True):
        case = Case(prompt, text)
        result.add(sort, case, certificate, opinion(case))
    return result


def same(prompts: dict[str, list[Prompt]]) -> dict[str, int]:
    """Prompts that two splits share, and repeated ones within a held-out split, by text whatever its case and spacing. Without
    a blank it is a formula, whose case counts: C1CCCCC1 is not c1ccccc1."""
    texts = {split: [_spelled(prompt.text) for prompt in of] for split, of in prompts.items()}
    shared = {
        f"{one} and {other}": len(set(texts[one]) & set(texts[other]))
        for one, other in itertools.combinations(texts, 2)
    }
    within = {f"within {split}": len(texts[split]) - len(set(texts[split])) for split in ("validation", "test")}
    return {**shared, **within}


def _spelled(text: str) -> str:
    words = text.split()
    return " ".join(words).lower() if len(words) > 1 else text


def lengths(name: str, texts: Sequence[str]) -> str:
    """Median, 95th percentile and most characters."""
    sizes = sorted(map(len, texts))
    return f"{name}: median {sizes[len(sizes) // 2]}, 95 % {sizes[len(sizes) * 95 // 100]}, most {sizes[-1]} characters"


def _shown(prompt: Prompt, text: str, certificate: Certificate) -> dict[str, Any]:
    found = "; ".join(finding.message for finding in certificate.findings)
    return {"id": prompt.id, "prompt": prompt.text, "answer": text, "verdict": certificate.verdict.value, "said": found}


def main(words: Sequence[str]) -> int:
    settings, _ = arguments.read(words, DEFAULTS)
    recipe = load_recipe(settings["recipe"] or settings["source"], [])
    data = recipe.data
    if settings["source"]:
        data.source = settings["source"]
    if settings["workers"] >= 0:
        recipe.verifier.workers = settings["workers"]
    start = time.perf_counter()
    training = list(load_prompts(data, "train", limit=settings["count"]))
    seconds = time.perf_counter() - start
    prompts = {"train": training, "warm": list(load_prompts(data, "warm", limit=settings["count"]))}
    prompts |= {split: list(load_prompts(data, split)) for split in ("validation", "test")}
    print(f"{data.source}: " + ", ".join(f"{len(of)} {split}" for split, of in prompts.items()))
    print(f"prompts a second: {len(training) / seconds:.0f}")
    print(f"different prompts of training: {len({prompt.text for prompt in training})}")
    print(lengths("prompts", [prompt.text for prompt in training]))
    print(lengths("gold", [gold(prompt) for prompt in training]))
    doubles = same(prompts)
    print("the same prompt: " + ", ".join(f"{count} {where}" for where, count in doubles.items()))
    with VerifierPool.from_block(recipe.verifier) as pool:
        start = time.perf_counter()
        failures = {split: gold_failures(pool, of) for split, of in prompts.items()}
        each = 1e3 * (time.perf_counter() - start) / sum(map(len, prompts.values()))
        print("gold that does not pass: " + ", ".join(f"{len(of)} {split}" for split, of in failures.items()), end="")
        print(f" ({each:.2f} ms each)")
        rng = random.Random(f"{settings['seed']} edits")
        tried = edits(pool, training, settings["edits"], rng, opinion_of(recipe.verifier))
    _report(tried, [failure for of in failures.values() for failure in of], settings["output"])
    return int(any(failures.values()) or any(doubles.values()))


def _report(tried: Edited, failures: Sequence[dict[str, Any]], output: str) -> None:
    total, passed = tried.tried.total(), tried.passed.total()
    if tried.outcomes:
        print(f"single edits: {tried.outcomes.total()}, of which by the other tool", end="")
        print(", ".join(f" {opinion} and {verdict} {n}" for (opinion, verdict), n in sorted(tried.outcomes.items())))
    if total:
        print(f"wrong answers: {total}, caught {100 * (1 - passed / total):.2f} %; those that pass: ", end="")
        print(", ".join(f"{sort} {tried.passed[sort]}/{n}" for sort, n in tried.tried.items()))
    wrong = [row for row in tried.survivors if row["opinion"] != "right"]
    for example in [*failures[:SHOWN], *wrong[:SHOWN], *tried.refused[:SHOWN]]:
        print(json.dumps(example, ensure_ascii=False))
    if output:
        rows = [json.dumps(row) + "\n" for row in [*failures, *tried.survivors, *tried.refused]]
        Path(output).write_text("".join(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
