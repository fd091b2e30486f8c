"""Reactions: every component of the answer has its own in the reference, by InChI and isomorphism of graphs."""

from __future__ import annotations

import random
from collections.abc import Iterator

from corpora import Case
from corpora import reaction as corpus
from rdkit import Chem
from same_molecule import compare, plain_text, read

from opinions import Opinion, smiles

TOOLS = smiles.TOOLS
HOW = "components paired by InChI with fixed hydrogens and isomorphism by networkx"
EXPLAINED = smiles.EXPLAINED
explain = smiles.explain


def opinion(case: Case) -> Opinion:
    """Whether the components are those of the reference, each as often."""
    text = case.completion.strip()
    wrong = plain_text(text) or (f"{len(text)} characters" if len(text) > smiles.MAX_CHARS else None)
    if wrong is not None:
        return Opinion(False, wrong)
    mine = [read(part) for part in text.split(".")]
    theirs = [read(part) for part in (case.prompt.reference or "").split(".")]
    if None in theirs:
        return Opinion(None, "a component of the reference is not read")
    if None in mine:
        return Opinion(False, "a component that RDKit refuses, or none")
    if len(mine) != len(theirs):
        return Opinion(False, f"{len(mine)} components, {len(theirs)} in the reference")
    reasons = []
    for component in mine:
        answers = [(other, compare(component, other)) for other in theirs]
        found = next((other for other, said in answers if said.is_same), None)
        reasons += [said.reason for _, said in answers if said.reason.startswith("the same graph")]
        if found is None:
            return Opinion(False, reasons[-1] if reasons else "a component without its own")
        theirs.remove(found)
    return Opinion(True, "; ".join(reasons))


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: components in another order, each in another spelling; one left out, twice, or of another reaction."""
    while True:
        cases = corpus.correct(200, rng)
        for case in cases:
            parts = [Chem.MolFromSmiles(part) for part in (case.prompt.reference or "").split(".")]
            if None in parts:
                continue
            chosen = [rng.choice([*smiles.spellings(part, rng)][:3]) for part in parts]
            rng.shuffle(chosen)
            yield Case(case.prompt, ".".join(chosen))
            yield Case(case.prompt, ".".join([*chosen, rng.choice(chosen)]))
            yield Case(case.prompt, ".".join(rng.choice([*smiles.spellings(part, rng)]) for part in parts))
            yield Case(case.prompt, ".".join([*chosen[1:], rng.choice(cases).completion]))
