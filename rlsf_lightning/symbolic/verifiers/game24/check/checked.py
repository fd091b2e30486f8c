"""The result of a check, of either form."""

from __future__ import annotations

from typing import Any, NamedTuple

from rlsf_lightning.records import Finding


class Checked(NamedTuple):
    """No findings: the answer is right. ``score``: that of a wrong one. ``parts``: of steps and of the answer after them."""

    findings: list[Finding]
    score: float
    witness: dict[str, Any]
    parts: tuple[Checked, ...] = ()
