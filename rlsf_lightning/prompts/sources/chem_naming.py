"""Names of real molecules: the pairs of the source ``iupac`` reversed, structure in and name out."""

from __future__ import annotations

from collections.abc import Iterator

from rlsf_lightning.prompts.sources import iupac
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.chemistry import rdkit_io


def prompts(split: str, *, all_phrasings: bool = False) -> Iterator[Prompt]:
    """``text`` and ``reference``: the molecule as canonical SMILES; ``target``: its first verified name.

    The splits are those of ``iupac``: ``warm``, ``rl`` (or ``train``), ``validation``, ``test`` or ``all``.
    ``all_phrasings`` yields a prompt for every verified name. Raises UserError as ``iupac`` does.
    """
    return map(_reversed, iupac.prompts(split, all_phrasings=all_phrasings))


def _reversed(pair: Prompt) -> Prompt:
    assert pair.reference is not None, "every pair of the source has a structure"
    molecule = rdkit_io.parse(pair.reference)
    assert molecule is not None, "every pair's structure is read"
    structure = rdkit_io.canonical(molecule)
    return Prompt(pair.id, structure, reference=structure, target=pair.text)
