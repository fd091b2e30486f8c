"""The rules of a subgraph embedding: for each type of constraint, whether a partial placement may meet it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlsf_lightning.symbolic.chemistry.embedding.constraints import (
    AtomFinished,
    CloseRing,
    Dot,
    OpenBranch,
    OpenRing,
    PendingBond,
    Reach,
    StereoMarks,
)
from rlsf_lightning.symbolic.chemistry.embedding.placement import Placement
from rlsf_lightning.symbolic.chemistry.embedding.rules import degrees
from rlsf_lightning.symbolic.chemistry.embedding.rules.reach import within_reach
from rlsf_lightning.symbolic.chemistry.embedding.rules.stereo import marks_fit

RULES: dict[type, Callable[[Placement, Any], bool]] = {
    AtomFinished: degrees.may_finish_atom,
    Reach: within_reach,
    StereoMarks: marks_fit,
    OpenRing: degrees.may_open_ring,
    CloseRing: degrees.may_close_ring,
    PendingBond: degrees.may_bond,
    OpenBranch: degrees.may_branch,
    Dot: degrees.may_end_fragment,
}
