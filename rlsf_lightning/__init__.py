"""Fine-tune language models with one reward per token, made from the certificates of symbolic tools.

The public names are loaded on first use, so that ``import rlsf_lightning`` itself imports no torch.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rlsf_lightning._version import __version__

if TYPE_CHECKING:
    from rlsf_lightning.config.estimator_specs import estimator
    from rlsf_lightning.config.recipe import load_recipe
    from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
    from rlsf_lightning.training.datamodule import PromptDataModule
    from rlsf_lightning.training.hooks import RLSFCallback
    from rlsf_lightning.training.module import RLSFModule

if getattr(sys, "argv", [])[:1] == ["-m"]:  # Python is looking for the command that `python -m` names
    # Until that has its own handlers, Ctrl-C ends it without a traceback of what it was importing.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

__all__ = [
    "Certificate",
    "Finding",
    "Prompt",
    "PromptDataModule",
    "RLSFCallback",
    "RLSFModule",
    "Span",
    "Verdict",
    "__version__",
    "estimator",
    "load_recipe",
]

_HOME = {
    "Certificate": "records",
    "Finding": "records",
    "Prompt": "records",
    "PromptDataModule": "training.datamodule",
    "RLSFCallback": "training.hooks",
    "RLSFModule": "training.module",
    "Span": "records",
    "Verdict": "records",
    "estimator": "config.estimator_specs",
    "load_recipe": "config.recipe",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
