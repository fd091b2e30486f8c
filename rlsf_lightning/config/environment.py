"""Libraries before they are imported: variables that they read once, and messages of theirs that no user can act on.
And whether the hub of models and data sets can be reached at all.

What the user has set is left alone, and so is everything else that they say.
"""

from __future__ import annotations

import http.client
import logging
import os
import sys
import urllib.error
import urllib.request
import warnings
from collections.abc import MutableMapping
from functools import cache

#: How OpenMP's threads wait: of any implementation, of GNU's, of Intel's and LLVM's.
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
#: Seconds in which the hub answers, or is not there.
HUB_SECONDS = 5.0
#: Modules that read, when they are imported, whether the hub is to be left alone -> the variable, and their name for it.
_OFFLINE = {"huggingface_hub.constants": "HF_HUB_OFFLINE", "datasets.config": "HF_DATASETS_OFFLINE"}
#: Beginnings of warnings, as regular expressions.
_WARNINGS = (
    "`is_gradient_checkpointing` is deprecated",  # peft asks transformers in the old way
    "`gradient_checkpointing_enable` is deprecated",  # its name up to transformers 5; the new one is not in all of them
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # Lightning asks torch in the old way
    r"Found \d+ module\(s\) in eval mode at the start of training",  # the backbone computes without dropout, on purpose
)
#: Loggers, and beginnings of what they say.
_RECORDS = {
    # A kernel for batches of one token, in sampling alone: without it the weights are unpacked first, as scoring does anyway.
    "bitsandbytes.backends.cpu.ops": "Failed to load CPU gemm_4bit_forward",
    "lightning.pytorch.utilities.rank_zero": "\N{ELECTRIC LIGHT BULB} Tip:",  # products
}


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """To be called before torch, transformers or tqdm are imported.

    OpenMP's threads spin on their core while they wait for each other. Where another process needs that core, all wait for
    the thread that was put off, and a step takes many times as long. Threads that sleep at once (OMP_WAIT_POLICY=PASSIVE) make
    a step half as long again where nothing else runs. So they spin for a moment and then sleep, which is as fast as
    spinning on a quiet machine, and much faster than it on a busy one (``benchmarks/busy.py``). The three variables are
    one choice: whoever sets one of them has made it.
    """
    if not any(environment.get(name) for name in WAITING):
        environment["GOMP_SPINCOUNT"] = "1000"  # turns of a loop: microseconds
        environment["KMP_BLOCKTIME"] = "1"  # milliseconds
    if not sys.stderr.isatty():
        # Progress bars of libraries: in a file they are carriage returns. Our own say it in lines.
        environment.setdefault("TQDM_DISABLE", "1")


@cache
def hub_answers() -> bool:
    """Whether the Hugging Face hub can be reached, asked once; if not, its libraries are told: they would try for minutes."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return False
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=HUB_SECONDS).close()
    except urllib.error.HTTPError:
        return True  # it answered
    except (OSError, ValueError, http.client.HTTPException):
        for module, name in _OFFLINE.items():
            os.environ[name] = "1"
            if module in sys.modules:  # read already
                setattr(sys.modules[module], name, True)
        return False
    return True


def silence_libraries() -> None:
    """Drop those messages from here on, in this process."""
    for message in _WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for name, beginning in _RECORDS.items():
        logging.getLogger(name).addFilter(_Unless(beginning))


class _Unless(logging.Filter):
    """Lets through what does not begin so."""

    def __init__(self, beginning: str) -> None:
        super().__init__()
        self.beginning = beginning

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(self.beginning)
