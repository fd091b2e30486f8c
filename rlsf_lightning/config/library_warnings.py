"""Messages of libraries that no user of this framework can act on. Everything else they say is left alone."""

from __future__ import annotations

import logging
import warnings

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
