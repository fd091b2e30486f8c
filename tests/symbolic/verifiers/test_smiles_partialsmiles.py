"""partialsmiles, a parser of incomplete SMILES by another author, as a second oracle for what is dead without a reference.

It asks for common valences and kekulises what is closed; the own rule counts the bonds of atoms without bracket and takes
RDKit's grammar. So neither is always right, and each kind of disagreement stands here with the one that is, and why.
"""

import itertools
import random
import re
from collections import Counter

import partialsmiles
import pytest
from rdkit import Chem, rdBase
from smiles_cases import VERIFIER, corruption, real_smiles, spelling

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from

ANY = Prompt("id", "name")
#: Rules of style that RDKit does not know: the last branch without parentheses, branches closed at a dot, ring numbers before
#: branches, no ":".
STYLE = 4 | 8 | 32 | 64
_RANDOM = "CNOSPFIBclbrnosp[]()=#$:/\\@+-.%*~0123456789HTuZLea"
#: Where a molecule was found they are wrong, as RDKit is the measure; else partialsmiles sees more than the own rule.
_TABLES = ("Uncommon valence or charge state", "Aromatic system cannot be kekulized")


def their_error(prefix: str) -> str | None:
    """Why partialsmiles says that no continuation is a molecule; None if it does not."""
    try:
        partialsmiles.ParseSmiles(prefix, partial=True, rulesToIgnore=STYLE)
    except partialsmiles.Error as error:
        return error.message
    return None


def passes(text: str) -> bool:
    return VERIFIER.verify(ANY, text).verdict is Verdict.PASS


def is_read_by_rdkit(text: str) -> bool:
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text) is not None


#: A prefix, a continuation that makes a molecule, and what partialsmiles says, wrongly, against it.
VIABLE_BUT_REFUSED = {
    "its table of valences lacks most metals": ("[Hg]", "C", "Uncommon valence or charge state"),
    "an iodine without bracket has one bond in its model, and up to five in RDKit's": (
        "CIC",
        "",
        "Uncommon valence or charge state",
    ),
    "it leaves out nitrogen with five bonds, which RDKit rewrites with charges": (
        "CN(=O)=",
        "O",
        "Uncommon valence or charge state",
    ),
    "of two letters it asks that the first is an element itself": ("[T", "i]", "An element symbol is required"),
    "it does not read an element's number": ("[#", "6H4]", "An element symbol is required"),
    "it reads one digit for the hydrogens of an atom": ("[UH10", "]", "Missing the close bracket"),
    "it does not read chirality classes": ("C[C@T", "H1H](O)F", "Missing the close bracket"),
    "it does not read atom maps": ("[CH3:", "1]C", "Missing the close bracket"),
    "it does not read the isotope 0, which says nothing": ("[0", "CH4]", "Isotope value of 0 not allowed"),
    "RDKit's lexer takes two backslashes for one": ("F/C=C\\\\", "F", "Only a single bond symbol should be used"),
    "of two symbols at a ring bond RDKit takes the first": ("C=1CC-1", "", "Inconsistent bond orders"),
    "RDKit bonds fragments by a ring number that is open at a dot": (
        "C1.",
        "C1",
        "1 ring opening has not been closed",
    ),
    "RDKit reads an aromatic bond outside rings as a single one": ("CS:", "C", "Aromatic system cannot be kekulized"),
}


@pytest.mark.parametrize("why", VIABLE_BUT_REFUSED)
def test_what_it_refuses_though_some_continuation_is_a_molecule(why: str) -> None:
    prefix, ending, message = VIABLE_BUT_REFUSED[why]
    refused = prefix if their_error(prefix) else prefix + ending
    assert their_error(refused) == message
    assert passes(prefix + ending)
    assert all(VERIFIER.viable(ANY, (prefix + ending)[:end]) is not False for end in range(len(prefix + ending) + 1))


#: A prefix that is dead, a whole text that begins so, and whether RDKit reads that text.
DEAD_BUT_LET_THROUGH = {
    "a wildcard stands for no atom, which is a rule of this verifier alone": ("C*", "C*", True),
    "RDKit reads no ring number before the first atom of a branch": ("C(1", "C(1CC1)", False),
    "after % it takes any two characters for a number": ("C%C", "C%CCCC%CC", False),
    "it takes a lower-case letter for the capital of any element": ("[cl", "[cl]", False),
    "a branch does not begin with a dot": ("C(.", "C(.C)", False),
    "nothing stands between a dot and the end of its branch": ("C(C.)", "C(C.)C", False),
}


@pytest.mark.parametrize("why", DEAD_BUT_LET_THROUGH)
def test_what_it_lets_through_though_it_is_dead(why: str) -> None:
    prefix, whole, is_read = DEAD_BUT_LET_THROUGH[why]
    assert whole.startswith(prefix)
    assert VERIFIER.viable(ANY, prefix) is False
    assert their_error(whole) is None
    assert is_read_by_rdkit(whole) is is_read


#: What it sees that the own rule leaves at "cannot tell", and what may follow in a search for a molecule.
DEAD_BUT_UNDECIDED = {
    "an open ring number is a bond to come": ("CF1", "Uncommon valence or charge state", "CF1()=."),
    "an open branch is one too": ("FC(=O)(=", "Uncommon valence or charge state", "CO1()=."),
    "hydrogens in a bracket count": ("C[CH4]", "Uncommon valence or charge state", "CO1()=."),
    "a closed ring of five aromatic carbons has no Kekulé structure": (
        "c1cccc1N",
        "Aromatic system cannot be kekulized",
        "CNc1()=",
    ),
}


@pytest.mark.parametrize("why", DEAD_BUT_UNDECIDED)
def test_what_it_sees_beyond_the_own_rule(why: str) -> None:
    prefix, message, letters = DEAD_BUT_UNDECIDED[why]
    assert VERIFIER.viable(ANY, prefix) is None
    assert their_error(prefix) == message
    endings = itertools.chain.from_iterable(itertools.product(letters, repeat=length) for length in range(5))
    assert not any(passes(prefix + "".join(ending)) for ending in endings)


def broken(smiles: str, rng: random.Random) -> str:
    """One character or two are changed, to such as a model may write or to any."""
    if rng.random() < 0.5:
        return corruption(smiles, rng) or "C"
    at = rng.randrange(len(smiles) + 1)
    return smiles[:at] + "".join(rng.choices(_RANDOM, k=rng.randrange(1, 3))) + smiles[at + rng.randrange(2) :]


def is_let_through_wrongly(prefix: str) -> bool:
    """Whether ``prefix`` is of a kind in ``DEAD_BUT_LET_THROUGH``, at its first dead character."""
    read = read_smiles(prefix)
    dead = certainly_dead_from(read)
    assert dead == len(prefix) - 1, prefix
    in_bracket = re.search(r"\[[0-9]*([a-z][a-z]?)$", prefix)
    return (
        any(atom.symbol == "*" for atom in read.atoms)
        or re.search(r"\([-=#$:/\\]?[0-9%]$", prefix) is not None
        or re.search(r"%(?:[1-9]?[^0-9]|0)$|%\([0-9]*[^0-9]$", prefix) is not None
        or (in_bracket is not None and in_bracket[1].capitalize() in ELEMENTS)
        or prefix.endswith(("(.", ".)"))
    )


def is_refused_wrongly(prefix: str, message: str) -> bool:
    """Whether the refusal is of a kind in ``VIABLE_BUT_REFUSED`` by syntax, which RDKit does not share."""
    at_end = {
        "An element symbol is required": re.search(r"\[[0-9]*[A-Za-z#]$", prefix),
        "Missing the close bracket": re.search(r"\[[^\]]+(?::[0-9]*\]?|[0-9][0-9]|@[A-Z]+)$", prefix),
        "Isotope value of 0 not allowed": re.search(r"\[0", prefix),
        "Only a single bond symbol should be used": re.search(r"\\\\", prefix),
        "Inconsistent bond orders": re.search(r"[-=#$:][0-9%]", prefix),
    }
    if "has not been closed" in message or "have not been closed" in message:
        return prefix.endswith(".")
    return at_end.get(message) is not None


@pytest.mark.parametrize("seed", range(3))
def test_the_first_disagreement_on_prefixes_of_broken_smiles_is_of_a_kind_above(seed: int) -> None:
    rng, seen = random.Random(seed), Counter[tuple[bool | None, bool]]()
    for smiles in real_smiles(80, seed=20 + seed):
        for text in (broken(smiles, rng), broken(broken(spelling(smiles, rng), rng), rng)):
            for end in range(len(text) + 1):
                prefix = text[:end]
                ours, message = VERIFIER.viable(ANY, prefix), their_error(prefix)
                seen[ours, message is None] += 1
                if ours is False:
                    assert message is not None or is_let_through_wrongly(prefix), prefix
                elif message is not None and message not in _TABLES:
                    assert is_refused_wrongly(prefix, message), (prefix, message)
                if ours is False or message is not None:
                    break
    assert seen[True, True] > 1000 and seen[False, False] > 30, seen


def test_neither_kills_prefixes_of_real_organic_molecules() -> None:
    """What RDKit reads is viable at every prefix: where partialsmiles disagrees it is its table, or a metal's symbol."""
    rng, refusals, prefixes = random.Random(4), Counter[str](), 0
    for smiles in real_smiles(150, seed=24):
        for text in (smiles, spelling(smiles, rng)):
            if VERIFIER.verify(ANY, text).verdict is not Verdict.PASS:  # a radical
                continue
            for end in range(len(text) + 1):
                prefixes += 1
                assert certainly_dead_from(read_smiles(text[:end])) is None, text[:end]
                message = their_error(text[:end])
                if message is not None:
                    assert "[" in text, (text[:end], message)
                    refusals[message] += 1
    assert refusals.keys() <= {"Uncommon valence or charge state", "An element symbol is required"}
    assert prefixes > 5_000 and refusals.total() < prefixes / 50
