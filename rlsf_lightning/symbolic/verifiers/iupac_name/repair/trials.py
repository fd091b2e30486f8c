"""Tries changes of a name: OPSIN reads what they give, and RDKit compares it with the reference."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.verifiers.iupac_name.check.similarity import similarity
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import american
from rlsf_lightning.symbolic.verifiers.iupac_name.repair.candidates import Change
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer

#: Changes that are tried at once.
_BATCH = 32


def similarities(
    text: str, tried: Iterator[Change], target: Target, server: NameServer, most: int
) -> dict[Change, float]:
    """How similar to the reference the names are that the first changes give, ``most`` at most; see ``similarity``.

    Ends with the batch in which a change gives the reference. Never by the clock: the names are of bounded number, and
    those that mean too many atoms are not read (``NameServer.java``).
    """
    some = islice(tried, most)
    similar: dict[Change, float] = {}
    known: dict[str, float] = {}
    while 1.0 not in known.values() and (batch := list(islice(some, _BATCH))):
        found = server.ask("try", *(american(change.of(text))[0] for change in batch))["smiles"]
        for change, smiles in zip(batch, found, strict=True):
            if smiles not in known:
                known[smiles] = similarity(smiles, target)
            similar[change] = known[smiles]
    return similar
