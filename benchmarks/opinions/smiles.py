"""SMILES against a reference: InChI with fixed hydrogens, and isomorphism of graphs by networkx."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from corpora import Case
from corpora import smiles as corpus
from rdkit import Chem
from same_molecule import compare, plain_text, read

from opinions import Opinion
from rlsf_lightning.records import Certificate, Verdict

TOOLS = ("rdkit", "networkx")
HOW = "InChI with fixed hydrogens; isomorphism by networkx"
EXPLAINED = {
    "InChI merges stereoisomers": "InChI knows no configuration of atoms and bonds that its rules call "
    "too easily changed (nitrogen, "
    "bonds that resonance weakens, rings of up to seven atoms), or of square-planar and larger coordination",
    "InChI tells spellings apart": "InChI reads from the bonds as written what resonance or a symmetry makes one and the same",
    "merged hydrogens": "RDKit reads `C=[H]`, `[H]` with two bonds and the like as if they were ordinary hydrogens",
    "what RDKit drops": "RDKit reads text behind `|`, or a bond sign at a place where it means nothing, in silence",
}
MAX_CHARS = 500


def opinion(case: Case) -> Opinion:
    """Whether the completion is the reference, where there is one, else whether it is a molecule."""
    text = case.completion.strip()
    wrong = plain_text(text) or (f"{len(text)} characters" if len(text) > MAX_CHARS else None)
    if wrong is not None:
        return Opinion(False, wrong)
    mine = read(text)
    if mine is None:
        return Opinion(False, "RDKit refuses it")
    if case.prompt.reference is None:
        return Opinion(True, "RDKit reads it")
    theirs = read(case.prompt.reference)
    if theirs is None:
        return Opinion(None, "the reference is not read")
    said = compare(mine, theirs)
    return Opinion(said.is_same, said.reason)


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """By what the verifier found."""
    kinds = {finding.kind for finding in certificate.findings}
    if "[H" in case.completion and kinds & {"valence", "bad_bracket_atom", "wrong_hydrogens"}:
        return "merged hydrogens"
    if said.passes and kinds == {"wrong_stereo"}:
        return "InChI merges stereoisomers"
    if certificate.verdict is Verdict.PASS and said.reason.startswith("the same graph"):
        return "InChI tells spellings apart" if _is_same_written(case) else None
    return "what RDKit drops" if "|" in case.completion else None


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: of each molecule random spellings, kekulised ones, ones with hydrogens, other stereoisomers."""
    while True:
        for case in corpus.correct(200, rng):
            mol = Chem.MolFromSmiles(case.prompt.reference or "")
            if mol is None:
                continue
            for text in spellings(mol, rng):
                yield Case(case.prompt, text)


def spellings(mol: Chem.Mol, rng: random.Random) -> Iterator[str]:
    """Of one molecule, and of some that differ in stereochemistry alone."""
    seed = rng.randrange(1, 2**30)
    Chem.rdBase.SeedRandomNumberGenerator(seed)
    yield Chem.MolToSmiles(mol, doRandom=True)
    yield Chem.MolToSmiles(mol, doRandom=True, kekuleSmiles=False, allBondsExplicit=True)
    yield Chem.MolToSmiles(Chem.AddHs(mol), doRandom=True)
    text = Chem.MolToSmiles(mol, doRandom=True)
    yield re.sub(r"@+", lambda m: rng.choice(["@", "@@", ""]), text)
    yield re.sub(r"[/\\]", lambda m: rng.choice("/\\"), text)
    yield re.sub(r"[/\\]|@+", "", text)


def _is_same_written(case: Case) -> bool:
    """Whether the two are the same once RDKit has written the completion in the reference's order of resonance."""
    mine, theirs = Chem.MolFromSmiles(case.completion.strip()), Chem.MolFromSmiles(case.prompt.reference or "")
    return bool(Chem.MolToSmiles(mine) == Chem.MolToSmiles(theirs))
