"""Certify completions: findings under the text, and the reward of every token. No model is loaded.

    python -m rlsf_lightning.certify recipe=chem_iupac completion='C1CC(C'
    python -m rlsf_lightning.certify verifier=smiles completion=CCO reference=CCN format=json
    python -m rlsf_lightning.certify verifier=smiles input=answers.jsonl output=certificates.jsonl

A row of the input file has `completion`, perhaps `id`, `prompt` and `reference`, and what the verifier asks for besides
(`numbers` for game24, `tests` for cpp ...). No two rows have the same `id`. The output file has a row for each, in their
order; the same command again goes on where it was stopped.

Tokens are those of policy.name's tokenizer. Here the completion is encoded, as nothing was sampled; in training the
sampled ids are used. The exit status is 0 whatever the verdict is.
"""

from __future__ import annotations

import inspect
import json
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsf_lightning.config import cli
from rlsf_lightning.config.cores import cores
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Span

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe

#: The text and the characters of every token of a completion, the end token last with an empty span.
Tokenize = Callable[[str], list[tuple[str, Span]]]

#: An empty completion is one, too; no argument of a command holds this character.
NOT_GIVEN = "\0"


@dataclass
class Options:
    #: What the model answered; "-" reads it from standard input.
    completion: str = NOT_GIVEN
    #: The prompt that it answers.
    prompt: str = ""
    #: The known answer; without one only what holds for any answer is checked.
    reference: str | None = None
    #: What else the verifier needs of the task, such as facts.numbers=[4,4,8,10].
    facts: dict[str, Any] = field(default_factory=dict)
    #: Say in full where a valid but wrong answer differs (in training the recipe may leave this out for speed).
    explain: bool = True
    #: "text" for a terminal, "json" for programs.
    format: str = "text"
    #: A JSON-lines file of completions, in place of one.
    input: str | None = None
    #: The JSON-lines file for their certificates.
    output: str | None = None
    #: Processes that verify the file; null: one for each core; 0: this process, which no tool's crash then spares.
    workers: int | None = None
    #: Write the tokens of each completion and their rewards into the file as well.
    rewards: bool = False


def run(recipe: Recipe, options: Options) -> None:
    if (options.completion == NOT_GIVEN) == (options.input is None):
        raise UserError("one of the two: completion=TEXT, or input=FILE.jsonl with output=FILE.jsonl")
    if options.input is not None:
        certify_file(recipe, options)
    else:
        certify_one(recipe, options)


def certify_one(recipe: Recipe, options: Options) -> None:
    """Print the certificate of one completion."""
    if options.format not in ("text", "json"):
        raise UserError(f"format={options.format}: expects text or json")

    from rlsf_lightning.symbolic.answers.settings import AnswerSettings
    from rlsf_lightning.symbolic.loader import load_verifier
    from rlsf_lightning.symbolic.render import render

    completion = sys.stdin.read() if options.completion == "-" else options.completion
    verifier = load_verifier(
        recipe.verifier.name, verifier_options(recipe, options), AnswerSettings.of(recipe), repair=options.explain
    )
    prompt = Prompt("command line", options.prompt, options.reference, facts=options.facts)
    certificate = verifier.verify(prompt, completion)
    tokens = rewarded_tokens(recipe, tokenizer_of(recipe), completion, certificate)
    if options.format == "text":
        print(render(completion, certificate, [(row["text"], Span(*row["span"]), row["reward"]) for row in tokens]))
        return
    record = {"completion": completion, **certificate.to_dict(), "credit": recipe.algorithm.credit, "tokens": tokens}
    print(json.dumps(record))


def certify_file(recipe: Recipe, options: Options) -> None:
    """Certify every row of a file into another."""
    from rlsf_lightning.symbolic.answers.settings import AnswerSettings
    from rlsf_lightning.symbolic.audit import audit
    from rlsf_lightning.symbolic.execution.pool import VerifierPool

    if options.output is None:
        raise UserError("input= goes with output=FILE.jsonl, the file for the certificates")
    source, target = Path(str(options.input)).expanduser(), Path(options.output).expanduser()
    if target.is_dir() or not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise UserError(f"output={target}: cannot write there; name a file in an existing folder")
    if target.exists() and target.samefile(source):
        raise UserError(f"output={target}: is the input itself; name another file")
    workers = cores() if options.workers is None else options.workers
    if workers < 0:
        raise UserError(f"workers={workers}: expects 0 or more")
    verifier, answer = verifier_options(recipe, options), AnswerSettings.of(recipe)
    asked = [
        recipe.verifier.name,
        verifier,
        *([] if answer.is_whole else [asdict(answer)]),
        options.rewards and [recipe.algorithm.credit, recipe.policy.name, recipe.seed],
    ]
    tokenize = tokenizer_of(recipe) if options.rewards else None

    def extra(completion: str, certificate: Certificate) -> dict[str, Any]:
        return {} if tokenize is None else {"tokens": rewarded_tokens(recipe, tokenize, completion, certificate)}

    limits: dict[str, Any] = {"workers": workers, "timeout": recipe.verifier.timeout}
    with VerifierPool(recipe.verifier.name, verifier, **limits, answer=answer, repair=options.explain) as pool:
        settings = json.dumps(asked, sort_keys=True, default=str)
        print(audit(source, target, pool, workers=workers, settings=settings, extra=extra))


def verifier_options(recipe: Recipe, options: Options) -> dict[str, Any]:
    """The recipe's, which may leave explanations out; here they are given unless they are not wanted."""
    from rlsf_lightning.symbolic.loader import find_verifier

    chosen = dict(recipe.verifier.options)
    takes_explain = "explain" in inspect.signature(find_verifier(recipe.verifier.name)).parameters
    return chosen | {"explain": options.explain} if takes_explain else chosen


def rewarded_tokens(
    recipe: Recipe, tokenize: Tokenize, completion: str, certificate: Certificate
) -> list[dict[str, Any]]:
    """Every token with its reward under the recipe's credit scheme."""
    from rlsf_lightning.config.extension_points import CREDIT
    from rlsf_lightning.config.plugins import resolve
    from rlsf_lightning.symbolic.credit import assign

    tokens, rng = tokenize(completion), random.Random(recipe.seed)
    credit = assign(
        certificate,
        [span for _, span in tokens],
        scheme=resolve(CREDIT, recipe.algorithm.credit),
        is_finished=True,
        rng=rng,
        outside=recipe.algorithm.credit_thinking,
    )
    return [
        {"text": text, "span": [span.start, span.end], "reward": reward, "credited": credited}
        for (text, span), reward, credited in zip(tokens, credit.rewards, credit.is_credited, strict=True)
    ]


def tokenizer_of(recipe: Recipe) -> Tokenize:
    """The policy's tokenizer. A ``tokenizer.json`` is read without transformers, which takes seconds to import."""
    from rlsf_lightning.policy.preflight import policy_folder

    folder = policy_folder(recipe.policy.name)
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        fast = Tokenizer.from_file(str(folder / "tokenizer.json"))

        def spans_of(completion: str) -> list[Span]:
            # A lone surrogate, which JSON may hold and no tokenizer takes, counts as one character that it is.
            legible = completion.encode(errors="replace").decode()
            return [Span(*place) for place in fast.encode(legible, add_special_tokens=False).offsets]

    else:
        from transformers import AutoTokenizer

        from rlsf_lightning.policy.token_spans import decode_with_spans

        try:
            tokenizer = AutoTokenizer.from_pretrained(recipe.policy.name, gguf_file=recipe.policy.gguf_file)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise UserError(
                f"policy.name={recipe.policy.name}: no tokenizer: {reason}; policy.name=embedded has one"
            ) from None

        def spans_of(completion: str) -> list[Span]:
            return decode_with_spans(tokenizer, tokenizer.encode(completion, add_special_tokens=False))[1]

    def tokenize(completion: str) -> list[tuple[str, Span]]:
        end = Span(len(completion), len(completion))
        return [(completion[span.start : span.end], span) for span in [*spans_of(completion), end]]

    return tokenize


def main(argv: Sequence[str] | None = None) -> None:
    """The command. Without a recipe the verifier stands alone: nothing is trained, so no prompts are needed."""
    cli.main(__doc__, run, Options, argv, default_recipe="_base", optional=["data.source"])


if __name__ == "__main__":
    main()
