"""Does a source that makes its prompts keep its word? Gold passes, no prompt stands in two splits, single edits fail.

    python benchmarks/generators.py source=game24 [recipe=game24] [count=10000] [edits=2000] [workers=0] [seed=0]
        [output=survivors.jsonl]

The recipe, by default the one of the source's name, says which verifier judges and with which options. Gold is a prompt's
target, or its reference where it has none: of ``count`` prompts of the training split and of all held-out ones. An edit changes
one token of gold; those that pass are listed with their prompt, for somebody to say whether they are right indeed.
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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import arguments

from rlsf_lightning.config.recipe import load_recipe
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
    """Edits of gold: how many were tried and how many passed, by sort."""

    tried: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    abstained: int = 0
    survivors: list[dict[str, Any]] = field(default_factory=list)


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


def edits(pool: VerifierPool, prompts: Sequence[Prompt], count: int, rng: random.Random) -> Edited:
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
        result.tried[sort] += 1
        result.abstained += certificate.verdict is Verdict.ABSTAIN
        if certificate.verdict is Verdict.PASS:
            result.passed[sort] += 1
            result.survivors.append({"edit": sort, "gold": gold(prompt), **_shown(prompt, text, certificate)})
    return result


def same(prompts: dict[str, list[Prompt]]) -> dict[str, int]:
    """Prompts that two splits share, by text whatever its case and spacing, and repeated ones within a held-out split."""
    texts = {split: [" ".join(prompt.text.lower().split()) for prompt in of] for split, of in prompts.items()}
    shared = {
        f"{one} and {other}": len(set(texts[one]) & set(texts[other]))
        for one, other in itertools.combinations(texts, 2)
    }
    within = {f"within {split}": len(texts[split]) - len(set(texts[split])) for split in ("validation", "test")}
    return {**shared, **within}


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
        tried = edits(pool, training, settings["edits"], random.Random(f"{settings['seed']} edits"))
    _report(tried, [failure for of in failures.values() for failure in of], settings["output"])
    return int(any(failures.values()) or any(doubles.values()))


def _report(tried: Edited, failures: Sequence[dict[str, Any]], output: str) -> None:
    total, passed = tried.tried.total(), tried.passed.total()
    if total:
        print(f"single edits: {total}, caught {100 * (1 - passed / total):.2f} % ({tried.abstained} by an abstention)")
        print("edits that pass: " + ", ".join(f"{sort} {tried.passed[sort]}/{n}" for sort, n in tried.tried.items()))
    for example in [*failures[:SHOWN], *tried.survivors[:SHOWN]]:
        print(json.dumps(example, ensure_ascii=False))
    if output:
        rows = [json.dumps(row) + "\n" for row in [*failures, *tried.survivors]]
        Path(output).write_text("".join(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
