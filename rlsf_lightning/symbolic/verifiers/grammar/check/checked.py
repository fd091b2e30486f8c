"""The result of a check, of either kind."""

from __future__ import annotations

from typing import Any, NamedTuple

from rlsf_lightning.records import Finding


class Checked(NamedTuple):
    """No findings: it is accepted."""

    findings: list[Finding]
    witness: dict[str, Any]
