"""Every extension point of the framework, and what ships at it. Names alone: nothing that is named here is imported.

A user's own object is named by reference (see ``plugins``); what ships is a line here, or a file of the folder that is
listed. ``recipe=list`` prints all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from rlsf_lightning.config.plugins import Entry, Kind, files_as_entries, summary_of

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder(name: str) -> Path:
    """The folder ``recipes`` or ``callbacks`` that ships: inside the package where it is installed, else beside it."""
    packed = _PACKAGE / "_shipped" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def search_folders(name: str) -> list[Path]:
    """Where ``recipes`` or ``callbacks`` are looked for: the working directory's folder first, then what ships."""
    folders = [Path.cwd() / name, shipped_folder(name)]
    return [folder for folder in dict.fromkeys(f.resolve() for f in folders) if folder.is_dir()]


def _functions(module: str, *names: str, **renamed: str) -> Callable[[], Mapping[str, Entry]]:
    """Functions of one module of the package, each explained by the first line of its docstring."""

    @cache
    def entries() -> Mapping[str, Entry]:
        source = _PACKAGE.parent / f"{module.replace('.', '/')}.py"
        functions = {name: name for name in names} | renamed
        return {
            name: Entry(f"{module}:{function}", partial(summary_of, source, function))
            for name, function in functions.items()
        }

    return entries


def _folder(name: str, attribute: str) -> Callable[[], Mapping[str, Entry]]:
    """Every module of a folder of the package."""
    package = f"rlsf_lightning.{name.replace('/', '.')}"
    return cache(lambda: files_as_entries([_PACKAGE / name], package, attribute))


def _one_callback(module: ModuleType) -> Any:
    """The only callback class that a drop-in file defines; None where there is none or there are several."""
    own = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__ and _hooks(c)]
    return own[0] if len(own) == 1 else None


def _hooks(cls: Any) -> bool:
    from lightning import Callback

    return inspect.isclass(cls) and issubclass(cls, Callback)


def _is_logger(cls: Any) -> bool:
    from lightning.pytorch.loggers import Logger

    return inspect.isclass(cls) and issubclass(cls, Logger)


def takes(arguments: int) -> Callable[[Any], bool]:
    """Whether an object is a function that can be called with so many positional arguments."""

    def accepts(function: Any) -> bool:
        if not callable(function) or inspect.isclass(function):
            return False
        try:
            inspect.signature(function).bind(*range(arguments))
        except (TypeError, ValueError):  # other arguments, or a function of C that tells nothing
            return False
        return True

    return accepts


def _takes_split(function: Any) -> bool:
    return callable(function) and next(iter(inspect.signature(function).parameters), None) == "split"


def _is_suite(value: Any) -> bool:
    return hasattr(value, "greedy") and hasattr(value, "success")


VERIFIER = Kind(
    "verifier.name",
    "verifier",
    _folder("symbolic/verifiers", "VERIFIER"),
    wants="a class with a method verify",
    accepts=lambda cls: inspect.isclass(cls) and callable(getattr(cls, "verify", None)),
    default="VERIFIER",
)
PROMPT_SOURCE = Kind(
    "data.source",
    "prompt source",
    _folder("prompts/sources", "prompts"),
    wants="a function prompts(split)",
    accepts=_takes_split,
    default="prompts",
)
EXTRACTOR = Kind(
    "answer.extract",
    "answer extractor",
    _functions(
        "rlsf_lightning.symbolic.answers.extractors", *"whole fence tag after last_line".split(), regex="matched"
    ),
    wants="a function (text, settings) -> Span or None",
    accepts=takes(2),
)
KEEP = Kind("data.keep", "filter", dict, wants="a function of a row's columns", accepts=takes(1))
CREDIT = Kind(
    "algorithm.credit",
    "credit scheme",
    _functions(
        "rlsf_lightning.symbolic.credit", *"viable_prefix located paper scalar boolean".split(), random="placebo"
    ),
    wants="a function (certificate, spans, is_finished, rng) -> Credit",
    accepts=takes(4),
)
SPLITTER = Kind(
    "algorithm.vine.splitter",
    "step splitter",
    _functions("rlsf_lightning.symbolic.step_splitters", "lines", "arithmetic", "branches"),
    wants="a function text -> offsets",
    accepts=takes(1),
)
ENGINE = Kind(
    "rollout.engine",
    "sampling engine",
    lambda: {
        "native": Entry("rlsf_lightning.policy.sampling.generate:sample", "in process, with continuous batching"),
        "hf": Entry(
            "rlsf_lightning.policy.sampling.engines:sample_with_transformers", "transformers' generate, slower"
        ),
    },
    wants="a function (policy, prompts_ids, *, samples, max_new_tokens, temperature, batch_size, generator) -> [Sampled]",
)
METRICS = Kind(
    "evaluation.metrics",
    "metric suite",
    lambda: {
        "generic": Entry("rlsf_lightning.evaluation.metrics:GENERIC", "pass rate, score, length: for any verifier"),
        "molecules": Entry(
            "rlsf_lightning.evaluation.metrics:MOLECULES",
            "SMILES: exact match, validity, similarities, BLEU, Levenshtein",
        ),
        "described_molecules": Entry(
            "rlsf_lightning.evaluation.metrics:DESCRIBED_MOLECULES",
            "molecules to a description: pass rate, facts held, validity, exact match, similarities, distinct ones",
        ),
        "names": Entry(
            "rlsf_lightning.evaluation.metrics:NAMES",
            "names of molecules: exact structure, readable names, the same name",
        ),
        "products": Entry(
            "rlsf_lightning.evaluation.metrics:PRODUCTS", "products: exact match, validity, similarities, top-k"
        ),
        "reactants": Entry(
            "rlsf_lightning.evaluation.metrics:REACTANTS",
            "reactants: round trip, exact match, MaxFrag, validity, top-k",
        ),
        "documents": Entry(
            "rlsf_lightning.evaluation.metrics:DOCUMENTS", "JSON: exact match, validity by its schema, F1 of fields"
        ),
        "game24": Entry(
            "rlsf_lightning.evaluation.metrics:GAME24", "the game of 24: success, legal answers, right steps"
        ),
        "math": Entry(
            "rlsf_lightning.evaluation.metrics:MATH", "worked solutions: pass rate, right answers, right steps"
        ),
        "programs": Entry(
            "rlsf_lightning.evaluation.metrics:PROGRAMS", "C++: functional correctness, compilation, BLEU"
        ),
        "sql": Entry("rlsf_lightning.evaluation.metrics:SQL", "queries: execution accuracy, those that run"),
    },
    wants="a Suite of rlsf_lightning.evaluation.metrics",
    accepts=_is_suite,
)
CALLBACK = Kind(
    "callbacks",
    "callback",
    lambda: files_as_entries(search_folders("callbacks"), "rlsf_lightning.callbacks"),
    wants="a subclass of lightning.Callback, the only one in its file or named by :Class",
    accepts=_hooks,
    find=_one_callback,
)
LOGGER = Kind(
    "logger",
    "logger",
    lambda: {
        name: Entry(f"lightning.pytorch.loggers:{name}", "of Lightning")
        for name in ("CSVLogger", "TensorBoardLogger", "WandbLogger", "MLFlowLogger", "CometLogger", "LitLogger")
    },
    wants="a subclass of lightning.pytorch.loggers.Logger",
    accepts=_is_logger,
)
