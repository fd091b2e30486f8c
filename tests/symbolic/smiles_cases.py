"""Real molecules, and other ways to write them, for the tests of the SMILES room. RDKit writes and judges."""

import functools
import random

from rdkit import Chem, rdBase

from rlsf_lightning.prompts.iupac import source_path

_SMILES_COLUMN = 4


@functools.cache
def _rows() -> list[str]:
    with open(source_path(), encoding="utf-8") as file:
        return [line.split("\t", 5)[_SMILES_COLUMN] for line in file]


def real_smiles(count: int, seed: int, longest: int = 60) -> list[str]:
    """SMILES of PubChem compounds, salts and metal complexes included."""
    found = []
    for smiles in random.Random(seed).sample(_rows(), 20 * count):
        with rdBase.BlockLogs():
            if 0 < len(smiles) <= longest and Chem.MolFromSmiles(smiles) is not None:
                found.append(smiles)
        if len(found) == count:
            break
    return found


def spelling(smiles: str, rng: random.Random) -> str:
    """The same molecule written from another atom, in another order, and in one of RDKit's styles."""
    molecule = Chem.MolFromSmiles(smiles)
    rdBase.SeedRandomNumberGenerator(rng.randrange(1 << 30))
    style = rng.randrange(6)
    if style == 1:
        Chem.Kekulize(molecule, clearAromaticFlags=True)
    if style == 2:
        Chem.Kekulize(molecule)
    return Chem.MolToSmiles(
        molecule,
        doRandom=style != 5,
        canonical=False,
        kekuleSmiles=style in (1, 2),
        allBondsExplicit=style in (3, 4),
        allHsExplicit=style == 4,
    )


def corruption(smiles: str, rng: random.Random) -> str:
    """A character lost, added or changed, or a stretch cut out."""
    at, other = sorted((rng.randrange(len(smiles)), rng.randrange(len(smiles))))
    letter = rng.choice("CCCCNOc()1234=#-FSnl[]H+")
    return rng.choice(
        [
            smiles[:at] + smiles[at + 1 :],
            smiles[:at] + letter + smiles[at:],
            smiles[:at] + letter + smiles[at + 1 :],
            smiles[:at] + smiles[other:],
        ]
    )


def is_same(a: str, b: str) -> bool:
    """Whether RDKit reads both strings as one molecule."""
    with rdBase.BlockLogs():
        ours, theirs = Chem.MolFromSmiles(a), Chem.MolFromSmiles(b)
    return ours is not None and theirs is not None and Chem.MolToSmiles(ours) == Chem.MolToSmiles(theirs)
