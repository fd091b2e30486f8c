"""IUPAC names: OPSIN's own command line reads the name, and InChI and isomorphism by networkx compare the molecule.

There is no second reader of names as good, so that a name is read rightly is OPSIN's word in both; what the verifier adds to
it, which messages are whose fault, and which molecules are equal, is judged here.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import IO

from corpora import Case
from same_molecule import compare, read

from opinions import Opinion
from rlsf_lightning.records import Certificate
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.opsin import find

TOOLS = ("py2opsin", "rdkit", "networkx")
HOW = "OPSIN's command line; InChI with fixed hydrogens; isomorphism by networkx"
EXPLAINED = {
    "InChI merges stereoisomers": "InChI knows no configuration of atoms and bonds that its rules call too easily changed",
    "accents": "OPSIN reads a letter with an accent as the one without (`ethenyl` with an e acute); the verifier refuses it",
}
MAX_CHARS = 300


def opinion(case: Case) -> Opinion:
    """Whether OPSIN's molecule is the reference."""
    name = case.completion.strip()
    if not name or len(name) > MAX_CHARS:
        return Opinion(False, f"{len(name)} characters")
    if not name.isprintable():
        return Opinion(False, "characters of no name")
    try:
        smiles = _asked(name)
    except UnicodeError:
        return Opinion(False, "characters of no name")
    mine, theirs = read(smiles) if smiles else None, read(case.prompt.reference or "")
    if theirs is None:
        return Opinion(None, "the reference is not read")
    if mine is None:
        return Opinion(False, "OPSIN does not read it" if not smiles else "RDKit refuses OPSIN's SMILES")
    said = compare(mine, theirs)
    return Opinion(said.is_same, said.reason)


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """By what the verifier found."""
    kinds = {finding.kind for finding in certificate.findings}
    if said.passes and kinds == {"bad_character"} and re.search("[\u00c0-\u024f]", case.completion):
        return "accents"
    return "InChI merges stereoisomers" if said.passes and "wrong_stereo" in kinds else None


@cache
def _process() -> tuple[IO[str], IO[str]]:
    opsin = find()
    command = [*opsin.command(1024), "-jar", str(opsin.jar), "-osmi"]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    assert child.stdin and child.stdout
    return child.stdin, child.stdout


def _asked(name: str) -> str:
    line = f"{name}\n"
    line.encode()
    asked, answered = _process()
    asked.write(line)
    asked.flush()
    return answered.readline().strip()
