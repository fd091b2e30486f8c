"""What the recipe's symbolic tool says of one completion: findings under the text, and the reward of every token.

    python -m rlsf_lightning.certify recipe=chem_iupac completion='C1CC(C'
    python -m rlsf_lightning.certify recipe=chem_iupac completion=CCO reference=CCN format=json

Tokens are those of policy.name's tokenizer. Here the completion is encoded, as nothing was sampled; in training the
sampled ids are used. The exit status is 0 whatever the verdict is.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import MISSING

from rlsf_lightning import cli
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt, Span

if TYPE_CHECKING:
    from rlsf_lightning.schema import Recipe


@dataclass
class Options:
    #: What the model answered; "-" reads it from standard input.
    completion: str = MISSING
    #: The prompt that it answers.
    prompt: str = ""
    #: The known answer; without one only what holds for any answer is checked.
    reference: str | None = None
    #: Say in full where a valid but wrong answer differs (in training the recipe may leave this out for speed).
    explain: bool = True
    #: "text" for a terminal, "json" for programs.
    format: str = "text"


def run(recipe: Recipe, options: Options) -> None:
    if options.format not in ("text", "json"):
        raise UserError(f"format={options.format}: expects text or json")

    from rlsf_lightning.symbolic.credit import assign
    from rlsf_lightning.symbolic.show import render
    from rlsf_lightning.symbolic.verifier import load_verifier

    completion = sys.stdin.read() if options.completion == "-" else options.completion
    verifier_options = dict(recipe.verifier.options)
    if "explain" in verifier_options:
        verifier_options["explain"] = options.explain
    verifier = load_verifier(recipe.verifier.name, verifier_options)
    certificate = verifier.verify(Prompt("command line", options.prompt, options.reference), completion)
    tokens = tokenize(recipe, completion)
    rng = random.Random(recipe.seed)
    credit = assign(certificate, [span for _, span in tokens], scheme=recipe.algorithm.credit, ended=True, rng=rng)
    rewarded = [(text, span, reward) for (text, span), reward in zip(tokens, credit.rewards, strict=True)]
    if options.format == "text":
        print(render(completion, certificate, rewarded))
        return
    rows = [
        {"text": text, "span": [span.start, span.end], "reward": reward, "credited": credited}
        for (text, span, reward), credited in zip(rewarded, credit.is_credited, strict=True)
    ]
    print(
        json.dumps(
            {"completion": completion, **certificate.to_dict(), "credit": recipe.algorithm.credit, "tokens": rows}
        )
    )


def tokenize(recipe: Recipe, completion: str) -> list[tuple[str, Span]]:
    """(text, span) of every token of the completion, the end token last with an empty span.

    A ``tokenizer.json`` is read without transformers, which takes seconds to import.
    """
    from rlsf_lightning.policy.checks import EMBEDDED

    folder = EMBEDDED if recipe.policy.name == "embedded" else Path(recipe.policy.name).expanduser()
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        offsets = (
            Tokenizer.from_file(str(folder / "tokenizer.json")).encode(completion, add_special_tokens=False).offsets
        )
        spans = [Span(start, end) for start, end in offsets]
    else:
        from transformers import AutoTokenizer

        from rlsf_lightning.policy.tokenspans import decode_with_spans

        tokenizer = AutoTokenizer.from_pretrained(recipe.policy.name, gguf_file=recipe.policy.gguf_file)
        spans = decode_with_spans(tokenizer, tokenizer.encode(completion, add_special_tokens=False))[1]
    end = Span(len(completion), len(completion))
    return [(completion[span.start : span.end], span) for span in [*spans, end]]


if __name__ == "__main__":
    cli.main(__doc__, run, Options)
