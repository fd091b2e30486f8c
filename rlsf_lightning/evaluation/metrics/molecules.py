"""Metrics on SMILES: validity and fingerprint similarity. RDKit sees only strings that cannot harm it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.validity import Limits, valid_molecule

#: Beyond this, RDKit's fingerprints may take minutes, for molecules that are valid but absurd (a cage of metal atoms);
#: up to it the worst of 400 random ones took 0.7 s. C60 has 31; of 71,330 PubChem molecules three have more than 32.
MAX_TANGLE = 32
#: On some strings of thousands of characters RDKit hangs or crashes; up to this length the worst seen took 0.13 s.
MAX_SMILES_CHARS = 500
_CACHED = 8192  # molecules and fingerprints kept: an evaluation meets the same references again after training

_LIMITS = Limits(MAX_SMILES_CHARS, Elements(None, ()))
_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)


@lru_cache(maxsize=_CACHED)
def parse_molecule(smiles: str) -> Chem.Mol | None:
    """The sanitised molecule of a whole string; None for what the verifiers of molecules call invalid, or if it is too long."""
    return valid_molecule(smiles, _LIMITS)


def tangle(molecule: Chem.Mol) -> int:
    """How costly the paths of a molecule are: its rings, and the square of each atom's neighbours beyond the third."""
    rings = molecule.GetNumBonds() - molecule.GetNumAtoms() + len(Chem.GetMolFrags(molecule))
    return rings + sum(max(0, atom.GetDegree() - 3) ** 2 for atom in molecule.GetAtoms())


@lru_cache(maxsize=_CACHED)
def _fingerprint(kind: Callable[[Chem.Mol], Any], smiles: str) -> Any:
    molecule = parse_molecule(smiles)
    return None if molecule is None or tangle(molecule) > MAX_TANGLE else kind(molecule)


class Validity(ItemMetric):
    """Share of the predictions that are one whole SMILES string of a molecule that RDKit can sanitise."""

    higher_is_better = True

    def update(self, predictions: Sequence[str]) -> None:
        """One string per item."""
        self.add([(float(parse_molecule(p) is not None), 1.0) for p in predictions])


class FingerprintTanimoto(ItemMetric):
    """Mean Tanimoto similarity in [0, 1] of prediction and reference **over the valid predictions**.

    That is how molecule papers report it; it says nothing of invalid predictions, so read it beside ``Validity``. Two
    fingerprints without any bit (one heavy atom has no path) are equal here: 1, where RDKit says 0. Molecules beyond
    ``MAX_TANGLE`` are left out.
    """

    higher_is_better = True

    @staticmethod
    def fingerprint(molecule: Chem.Mol) -> Any:
        """What subclasses define: an RDKit bit or count vector."""
        raise NotImplementedError

    def update(self, predictions: Sequence[str], references: Sequence[str | None]) -> None:
        """One SMILES string each per item; items without a valid reference are left out too."""
        same_length(predictions=predictions, references=references)
        self.add([self._row(p, r) for p, r in zip(predictions, references, strict=True)])

    def _row(self, prediction: str, reference: str | None) -> tuple[float, float]:
        ours = _fingerprint(self.fingerprint, prediction)
        theirs = _fingerprint(self.fingerprint, reference or "")
        if ours is None or theirs is None:
            return LEFT_OUT
        return (1.0 if ours == theirs else DataStructs.TanimotoSimilarity(ours, theirs), 1.0)


class MorganTanimoto(FingerprintTanimoto):
    """On Morgan fingerprints: unfolded counts, radius 2."""

    @staticmethod
    def fingerprint(molecule: Chem.Mol) -> Any:
        return _MORGAN.GetSparseCountFingerprint(molecule)


class MACCSTanimoto(FingerprintTanimoto):
    """On the 166 MACCS keys."""

    @staticmethod
    def fingerprint(molecule: Chem.Mol) -> Any:
        return rdMolDescriptors.GetMACCSKeysFingerprint(molecule)


class RDKTanimoto(FingerprintTanimoto):
    """On RDKit's path fingerprints: 2,048 bits, paths of up to 7 bonds."""

    @staticmethod
    def fingerprint(molecule: Chem.Mol) -> Any:
        return Chem.RDKFingerprint(molecule)
