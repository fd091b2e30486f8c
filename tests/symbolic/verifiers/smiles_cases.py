"""Real molecules, other ways to write them, and checked certificates, for the tests of the SMILES room."""

import functools
import random
from dataclasses import replace

from certificates import checked, shown
from rdkit import Chem, rdBase

from rlsf_lightning.prompts.sources.iupac import source_path
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.chemistry.crosscheck import without_departure
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

VERIFIER = SmilesVerifier()
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
_SMILES_COLUMN = 4


def verify(reference: str | None, completion: str, verifier: SmilesVerifier = VERIFIER) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, Prompt("id", "name", reference), completion)


def found(reference: str | None, completion: str) -> list[tuple[str, list[str]]]:
    """(kind, the text of its spans) of every finding, without the place at which the reference was left."""
    certificate = verify(reference, completion)
    findings = without_departure(certificate, len(completion))
    assert findings is not None
    return shown(replace(certificate, findings=tuple(findings)), completion)


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
    style = rng.randrange(6)
    if style == 1:
        Chem.Kekulize(molecule, clearAromaticFlags=True)
    if style == 2:
        Chem.Kekulize(molecule)
    options = {"kekuleSmiles": style in (1, 2), "allBondsExplicit": style in (3, 4), "allHsExplicit": style == 4}
    if style == 5:
        return Chem.MolToSmiles(molecule, canonical=False)
    # Chem.MolToSmiles(doRandom=True) heeds no seed.
    return next(iter(Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=rng.randrange(1, 1 << 30), **options)))


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
