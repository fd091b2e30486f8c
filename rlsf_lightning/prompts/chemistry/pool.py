"""The real molecules that tasks are made of: those of the source ``iupac``, without stereochemistry and isotopes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from rlsf_lightning.prompts.sources import iupac
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.equality.written_marks import has_marks

#: Longer SMILES are left out: what is made of two molecules must stay legible.
LONGEST = 40
#: Molecules that are kept parsed.
_CACHED = 20_000


@cache
def molecules() -> tuple[str, ...]:
    """SMILES of at most ``LONGEST`` characters, as the file spells them, in its order. Raises UserError as ``iupac`` does."""
    found = (prompt.reference for prompt in iupac.prompts("all"))
    return tuple(smiles for smiles in found if smiles and len(smiles) <= LONGEST and not has_marks(smiles))


@lru_cache(maxsize=_CACHED)
def parsed(smiles: str) -> Any:
    """The molecule of a SMILES of the pool."""
    molecule = rdkit_io.parse(smiles)
    assert molecule is not None, f"a SMILES of the pool is valid, got {smiles}"
    return molecule


@cache
def matching(pattern: str) -> tuple[str, ...]:
    """Those molecules in whose SMILES a regular expression is found."""
    found = re.compile(pattern).search
    return tuple(smiles for smiles in molecules() if found(smiles))


def drawn(rng: random.Random, candidates: tuple[str, ...], suits: Callable[[str], bool], tries: int) -> str | None:
    """One of the candidates that suits, after ``tries`` draws at most; None: none of them did."""
    for _ in range(tries if candidates else 0):
        smiles: str = rng.choice(candidates)
        if suits(smiles):
            return smiles
    return None
