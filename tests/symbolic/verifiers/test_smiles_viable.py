"""First dead characters: literals, enumeration of all strings for tiny molecules, and every prefix of real spellings."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase
from smiles_cases import VERIFIER, corruption, is_same, real_smiles, spelling, verify

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry.embedding import search
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference, reference_of
from rlsf_lightning.symbolic.chemistry.embedding.viable import Death, find_death, is_viable
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles


def reference(smiles: str) -> Reference:
    made = reference_of(smiles)
    assert made is not None
    return made


#: reference, completion, the first dead character (the length: only stopping there was wrong).
DEATHS = [
    ("CCO", "CCN", 2),
    ("CCO", "CC", 2),
    ("CCO", "CCCO", 2),
    ("CCO", "COC", 1),  # nothing more can come to the first atom, which should have had a branch
    ("CCO", "CC(O)C", 5),  # the branch was right, nothing may follow it
    ("CCO", "C(C)(O)C", 7),
    ("CCO", "C(C", 3),
    ("CCO", "CC)O", 2),
    ("CCO", "C1CO1", 3),  # C1C.O1 and C1CO.C1 are no ethanol, but for C1.C1O and O.C1C1 the digit and C may come
    ("CCO", "OC1O", 3),  # OC1.C1 would be right
    ("CCO", "C1.C1C", 5),
    ("CCO", "C1.C1O", None),
    ("CCO", "C(C1.O1)", None),
    ("CCO", "C(C1.C1)O", 5),
    ("CCO", "C(O1.C)1", 3),  # an ether
    ("CCO", "C(C1.O1)C", 8),
    ("CCCO", "C(C1.C1)O", None),
    ("CCO", "CC=O", 2),
    ("CCO", "[CH3][CH2][OH2]", 13),
    ("CCO", "[CH2]CO", 5),  # [CH2] can only be the middle atom, with a branch
    ("CCO", "", 0),
    ("C=C", "CC", 1),
    ("CCCl", "CCC", 3),  # "CCC" may become "CCCl"
    ("CCCl", "CCCC", 3),
    ("CCCl", "CCBr", 2),
    ("C1CCCCC1", "C1CCCC1", 6),
    ("C1CCCCC1", "CCCCCC", 1),  # without a digit the first atom is a chain's end
    ("CCCCCC", "C1CCCCC1", 6),  # C1CCCC.C1 would be right
    ("c1ccccc1", "C1=CC=CC=C1", None),  # right
    ("c1ccccc1", "C1=CCC=CC1", 5),
    ("c1ccccc1", "c1cccc1", 6),
    ("c1ccccc1", "c1ccccc1C", 8),
    ("c1ccccc1", "C1CC", 3),
    ("Cc1ccccc1", "Cc1cccc1", 7),
    ("c1ccc2ccccc2c1", "C1=CC=C2C(=C1)C=CC=C2", None),
    ("c1ccc2ccccc2c1", "C1=CC=C2C(=C1)CC", 15),
    ("c1cc[nH]c1", "c1ccnc1", 4),  # an n without hydrogen: wrong from there on
    ("c1cc[nH]c1", "C1=CNC=C1", None),
    ("C[N+](=O)[O-]", "C[N+](=O)[O]", 11),
    ("C[N+](=O)[O-]", "C[N+](=O)=O", 9),
    ("C[N+](=O)[O-]", "CN(=O)[O-]", 6),
    ("C[N+](=O)[O-]", "CN(=O)=O", None),
    ("CC(=O)[O-].[Na+]", "CC(=O)[O-].[K+]", 12),
    ("CC(=O)[O-].[Na+]", "CC(=O)[O-]", 10),
    ("CC(=O)[O-].[Na+]", "[Na+].CC(=O)O", 12),
    ("CC(=O)O", "CC(=O)O.O", 7),
    ("[13CH4]", "C", 0),
    ("[13CH4]", "[13CH3]", 5),
    ("CC(C)(C)C", "CC(C)(C)(C)C", 11),
    ("CC(C)(C)C", "CC(C)C", 5),
    ("OC1CC1", "OC1CC", 5),
    ("CC", "C%1", 3),  # C%10.C%10
    ("C1CC1", "C%1", 3),
    ("C1CC1", "C%12CC%13", 8),
    ("CCO", "CCé", 2),
]


@pytest.mark.parametrize(("smiles", "completion", "dead"), DEATHS)
def test_the_first_dead_character(smiles: str, completion: str, dead: int | None) -> None:
    death = find_death(reference(smiles), completion)
    assert death.at == dead
    assert death.complete == (dead is None)
    assert is_same(smiles, completion) == (dead is None)


@pytest.mark.parametrize(("smiles", "completion", "dead"), DEATHS)
def test_it_is_where_the_prefixes_die(smiles: str, completion: str, dead: int | None) -> None:
    alive = len(completion) if dead is None else dead
    answers = [is_viable(reference(smiles), completion[:end]) for end in range(len(completion) + 1)]
    assert answers == [True] * (alive + 1) + [False] * (len(completion) - alive)


#: Half a token is judged by what it may become.
@pytest.mark.parametrize(
    ("smiles", "prefix", "viable"),
    [
        ("CC(C)[NH3+]", "CC(C)[", True),
        ("CC(C)[NH3+]", "CC(C)[N", True),
        ("CC(C)[NH3+]", "CC(C)[NH3", True),
        ("CC(C)[NH3+]", "CC(C)[NH2", False),
        ("CC(C)[NH3+]", "CC(C)[N+", False),
        ("CC(C)[NH3+]", "CC(C)[NH3+:", True),  # atom map 0
        ("CC(C)[NH3+]", "CC(C)[NH3+:1", False),
        ("CC(C)[NH3+]", "CC(C)[15", False),
        ("C[C@H](O)F", "C[C@@", True),  # the order of what follows is open
        ("C[C@H](O)F", "C[C@T", True),
        ("CCl", "[C", True),
        ("CCl", "[CH3][C", True),
        ("CCl", "[CH3][Cr", False),
        ("CBr", "CB", True),
        ("CCl", "CB", False),
        ("C1CC1", "C%", True),
        ("CCC", "C%", True),  # C%10.CC%10
        ("C.C", "C%", False),
        ("C1CC1", "C%11CC%1", True),
        ("C1CC1", "C%11CC%2", False),
        ("c1cc[nH]c1", "c1cc[n", True),
        ("c1cc[nH]c1", "c1cc[N", True),  # c1cc[NH]c1
        ("c1cc[nH]c1", "c1cc[NH2", False),
        ("[NH3]->[Pt]", "[Pt]<", True),
        ("CC", "C<", False),
        ("CCO", "CC-", True),
        ("CCO", "CC=", False),
        ("CCO", "C(", True),
        ("CCO", "CCO(", False),
        ("CCO", "CCO.", False),
        ("CC=O", "CC(=", True),
        # Of two double bonds only one can be that of the digit.
        ("c1ccccc1", "C=1=", False),
        ("c1ccccc1", "C=1(=", False),
        ("c1ccccc1", "C=1-", True),
        ("c1ccccc1", "C=1=2", False),
        ("c1ccccc1", "C-1=2", True),  # C-1=2.C1=CC=CC=C2
        ("c1ccccc1", "C-1=2C", False),  # no third bond is left for the rest
        ("C1=C=C1", "C=1=C=C1", False),
        ("C1=C=CC1", "C=1=CCC=1", True),
    ],
)
def test_unfinished_tokens(smiles: str, prefix: str, viable: bool) -> None:
    assert is_viable(reference(smiles), prefix) is viable


def test_hydrogens_as_atoms_cannot_be_judged_where_a_bracket_may_stand() -> None:
    ethanol = reference("CCO")
    assert [is_viable(ethanol, "C[H]"[:end]) for end in range(5)] == [True, True, True, None, None]
    assert [is_viable(ethanol, "CF[H]"[:end]) for end in range(2, 6)] == [False] * 4
    assert find_death(ethanol, "[H]OCCC").at is None
    # In these they are atoms of the reference.
    assert find_death(reference("[H][H]"), "[H][H]").complete
    assert is_viable(reference("[H]/N=C/C"), "C/C=N/[H]") is True


def all_strings(smiles: str, alphabet: str, longest: int) -> tuple[set[str], list[str]]:
    """Every prefix of a spelling up to a length, and every string that is not past mending by syntax, as RDKit judges."""
    size, wanted = reference(smiles).size, Chem.CanonSmiles(smiles)
    prefixes, strings, stack = set(), [], [""]
    while stack:
        text = stack.pop()
        read = read_smiles(text)
        if read.dead_from is not None or len(read.atoms) > size:
            continue
        strings.append(text)
        if text and not read.problems:
            molecule = Chem.MolFromSmiles(text)
            if molecule is not None and Chem.MolToSmiles(molecule) == wanted:
                prefixes |= {text[:end] for end in range(len(text) + 1)}
        if len(text) < longest:
            stack += [text + symbol for symbol in alphabet]
    return prefixes, strings


@pytest.mark.parametrize(
    ("smiles", "alphabet", "longest", "complete_to"),
    [
        ("CCO", "CO()1", 8, 5),
        ("C=C", "C=()", 8, 6),
        ("C=CC", "C=()", 8, 5),
        ("C.C", "C.()", 6, 5),
        ("CCl", "ClB()", 7, 4),
        # Both ends of the missing bond have opened a digit.
        ("C1CC1", "C12()", 9, 6),
        ("C1CC1C", "C12()", 10, 5),
        # Ring numbers that are closed behind a dot, and dots within branches.
        ("CCO", "CO1.", 8, 5),
        ("CCO", "CO().", 8, 5),
        ("CC.O", "CO1().", 7, 4),
        ("C1CC1", "C12.", 9, 5),
        ("C=C", "C1=.", 8, 5),
        # Two double bonds at an atom, one of them to an open digit.
        ("C1=CC=C1", "C1=", 9, 6),
        # With a bond symbol and no parenthesis, nothing but the next atom can follow.
        ("CC=CF", "CF=()", 9, 4),
        # Lower-case atoms that RDKit cannot kekulise in the end are let through: only the other side is checked.
        ("C1=CC=C1", "c1=", 8, 0),
    ],
)
def test_all_strings_of_a_tiny_molecule(smiles: str, alphabet: str, longest: int, complete_to: int) -> None:
    """Viable is exactly what some longer string continues to a spelling, up to the length where such strings fit in."""
    with rdBase.BlockLogs():
        prefixes, strings = all_strings(smiles, alphabet, longest)
    assert len(prefixes) > 3
    answers = {text: is_viable(reference(smiles), text) for text in strings}
    assert {text for text in prefixes if answers[text] is not True} == set()
    beyond = [text for text in strings if answers[text] and text not in prefixes and len(text) <= complete_to]
    with rdBase.BlockLogs():
        assert [text for text in beyond if not goes_on_over_dots(smiles, text, alphabet)] == []


def goes_on_over_dots(smiles: str, prefix: str, alphabet: str) -> bool:
    """Whether ring numbers that are closed behind a dot lead to a spelling: what is called viable is followed."""
    stack = [prefix]
    for _ in range(300):
        text = stack.pop()
        if "." in text and not read_smiles(text).problems and is_same(smiles, text):
            return True
        further = (text + symbol for symbol in dict.fromkeys("987654321" + alphabet + "."))
        stack += [more for more in further if is_viable(reference(smiles), more)]
        if not stack:
            return False
    return False


def assert_every_prefix_is_viable(smiles: str, text: str) -> None:
    for end in range(len(text) + 1):
        assert is_viable(reference(smiles), text[:end]) is True, (smiles, text[:end])


def test_every_prefix_of_every_spelling_is_viable() -> None:
    rng = random.Random(1)
    for smiles in real_smiles(40, seed=1):
        assert_every_prefix_is_viable(smiles, smiles)
        for _ in range(2):
            assert_every_prefix_is_viable(smiles, spelling(smiles, rng))


@pytest.mark.slow
def test_every_prefix_of_many_spellings_is_viable() -> None:
    rng = random.Random(2)
    for smiles in real_smiles(400, seed=2, longest=120):
        for text in [smiles, *(spelling(smiles, rng) for _ in range(4))]:
            assert_every_prefix_is_viable(smiles, text)


@pytest.mark.parametrize(
    ("smiles", "texts"),
    [
        # Nitro groups, azides and N-oxides may be written without charges.
        ("C[N+](=O)[O-]", ["CN(=O)=O", "N(=O)(=O)C", "[O-][N+](=O)C", "O=[N](C)=O"]),
        ("CN=[N+]=[N-]", ["CN=N#N", "N#N=NC"]),
        ("[O-][n+]1ccccc1", ["O=n1ccccc1", "O=N1=CC=CC=C1", "c1ccc[n+](c1)[O-]"]),
        ("[O-][Cl+3]([O-])([O-])O", ["OCl(=O)(=O)=O", "O=Cl(=O)(O)=O"]),
        # Metals
        ("C[Mg]Br", ["Br[Mg]C", "[CH3][Mg]Br"]),
        ("[NH3]->[Pt]", ["[Pt]<-[NH3]", "[NH3][Pt]"]),
        # Lower case where RDKit itself writes none, mixtures, ring numbers of every kind
        ("O=C1C=CC(=O)C=C1", ["O=c1ccc(=O)cc1", "c1cc(=O)ccc1=O"]),
        (
            "c1ccccc1",
            ["c1cccC=C1", "C1:C:C:C:C:C1", "c1ccccc-1", "C%10=CC=CC=C%10", "C%(7)=CC=CC=C%(007)", "C0=CC=CC=C0"],
        ),
        ("C1=CCC=C1", ["c1ccc[cH2]1"]),
        ("c1ccc(-c2ccccc2)cc1", ["c1ccccc1c1ccccc1", "c1ccccc1-c1ccccc1", "c1ccccc1:c1ccccc1"]),
        ("C1CC1", ["[CH2]1[CH2][CH2]1", "C1CC%(01)"]),
        ("CC1CC1", ["C(C)1CC1"]),
        ("C1=CC1", ["C=1CC-1", "C/1=C/C1", "C1=CC/1"]),
        ("C/C=C/F", ["C/C=C/F", "F/C=C/C", "C(\\C)=C/F"]),
    ],
)
def test_unusual_spellings(smiles: str, texts: list[str]) -> None:
    for text in texts:
        assert is_same(smiles, text), text
        assert_every_prefix_is_viable(smiles, text)
        assert find_death(reference(smiles), text).complete, text


def mixed_case(text: str, rng: random.Random) -> str:
    """Some ring atoms in the other case, some bond symbols left out or changed: mostly nonsense."""
    tokens = re.findall(r"\[[^\]]*\]|Cl|Br|.", text)
    for i, token in enumerate(tokens):
        if rng.random() < 0.35:
            tokens[i] = (
                token.swapcase() if token in "BCNOPSbcnops" else rng.choice(["", ":", "-"]) if token in "=:-" else token
            )
    return "".join(tokens)


def is_lone_lower_case(text: str) -> bool:
    """Whether some lower-case atom has no aromatic bond: these spellings are not counted."""
    molecule = Chem.SmilesParserParams()
    molecule.sanitize = False
    written = Chem.MolFromSmiles(text, molecule)
    return any(
        atom.GetIsAromatic() and not any(bond.GetIsAromatic() for bond in atom.GetBonds())
        for atom in written.GetAtoms()
    )


def test_mixtures_of_upper_and_lower_case_that_rdkit_reads_are_viable() -> None:
    rng = random.Random(5)
    right = 0
    with rdBase.BlockLogs():
        for smiles in [s for s in real_smiles(150, seed=5) if any(c.isdigit() for c in s)]:
            flat = Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)
            for _ in range(10):
                text = mixed_case(spelling(flat, rng), rng)
                if is_same(flat, text) and not is_lone_lower_case(text):
                    right += 1
                    assert find_death(reference(flat), text).complete, (flat, text)
    assert right > 50


@given(st.sampled_from(["CCO", "c1ccccc1O", "CC(=O)[O-].[Na+]", "C[N+](=O)[O-]", "C1=CC1Cl"]), st.data())
@settings(max_examples=150, deadline=None)
def test_the_dead_stay_dead(smiles: str, data: st.DataObject) -> None:
    tokens = st.sampled_from(
        ["C", "c", "O", "=", "(", ")", "1", "%12", "%", "[", "H]", "[O-]", "[N+]", "N", "Cl", ".", "l", "é"]
    )
    text = "".join(data.draw(st.lists(tokens, max_size=12)))
    answers = [is_viable(reference(smiles), text[:end]) for end in range(len(text) + 1)]
    if False in answers:
        first = answers.index(False)
        assert set(answers[first:]) == {False}, (text, answers)
        assert find_death(reference(smiles), text).at in (first - 1, None)


def test_corruptions_die_where_a_walk_over_all_prefixes_says() -> None:
    rng = random.Random(6)
    for smiles in real_smiles(80, seed=6):
        text = corruption(spelling(smiles, rng), rng)
        death = find_death(reference(smiles), text)
        if death.at is not None:
            answers = [is_viable(reference(smiles), text[:end]) for end in range(len(text) + 1)]
            assert death.at == (answers.index(False) - 1 if False in answers else len(text)), (smiles, text)


def test_an_exhausted_search_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_viable(reference("CC(C)(C)CO"), "CC(C)(C)N") is False
    monkeypatch.setattr(search, "BUDGET", 8)
    assert is_viable(reference("CC(C)(C)CO"), "CC(C)(C)N") is None
    assert find_death(reference("CC(C)(C)CO"), "CC(C)(C)N") == Death(None)


def test_what_cannot_be_encoded_is_dead() -> None:
    assert find_death(reference("CCO"), "CC\ud800O").at == 2


def test_an_unreadable_reference() -> None:
    with rdBase.BlockLogs():
        assert reference_of("C1CC") is None and reference_of("") is None


#: Molecules and completions with as many wrong ways to go as possible.
SYMMETRIC = [
    ("C" * 60, "C" * 61),
    ("C" * 60, "C" * 30 + "(C)" + "C" * 30),
    ("C12C3C4C1C5C2C3C45", "C12C3C4C1C5C2C3C4" + "N"),
    ("c1ccc(cc1)C(c1ccccc1)(c1ccccc1)c1ccccc1", "c1ccc(cc1)C(c1ccccc1)(c1ccccc1)c1ccccn1"),
    (
        "C[Si](C)(C)O[Si](O[Si](C)(C)C)(O[Si](C)(C)C)O[Si](C)(C)C",
        "C[Si](C)(C)O[Si](O[Si](C)(C)C)(O[Si](C)(C)C)O[Si](C)(C)N",
    ),
    ("FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F", "FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)Cl"),
    (
        "c12c3c4c5c1c6c7c8c2c9c1c3c2c3c4c4c%10c5c5c6c6c7c7c%11c8c9c8c9c1c2c1c2c3c4c3c4c%10c5c5c6c6c7c7c%11c8c8c9c1c1c2c3c2c4c5c6c3c7c8c1c23",
        "c12c3c4c5c1c6c7c8c2c9c1c3c2c3c4c4c%10c5c5c6c6c7c7c%11c8c9c8c9c1c2c1c2c3c4c3c4c%10c5c5c6c6c7c7c%11c8c8c9c1c1c2c3c2c4c5c6c3c7c8c1c2N",
    ),
]


@pytest.mark.parametrize(("smiles", "text"), SYMMETRIC)
def test_symmetric_molecules_end_in_time(smiles: str, text: str) -> None:
    import time

    start = time.process_time()
    death = find_death(reference(smiles), text)
    assert time.process_time() - start < 2.0
    assert death.at is None or 0 < death.at <= len(text)


def test_endings_keep_a_beginning_alive() -> None:
    for beginning in ("c1ccccc", "CC(C1CC(", "C=", "C1CC2", "CC(=O)c1ccc(", "N"):
        assert VERIFIER.viable(Prompt("", ""), beginning) is True, beginning
    assert VERIFIER.viable(Prompt("", ""), "C[N") is None


def test_viable_agrees_with_dead_from() -> None:
    rng = random.Random(10)
    for reference in real_smiles(40, seed=10):
        completion = f" {corruption(spelling(reference, rng), rng)}"
        prompt = Prompt("", "", reference)
        dead = verify(reference, completion).dead_from
        if dead is not None:
            assert VERIFIER.viable(prompt, completion[:dead]) is True
            if dead < len(completion):
                assert VERIFIER.viable(prompt, completion[: dead + 1]) is False


def test_blanks_around_a_prefix() -> None:
    prompt = Prompt("", "", "CCO")
    assert VERIFIER.viable(prompt, "") is VERIFIER.viable(prompt, "\n ") is VERIFIER.viable(prompt, " CC") is True
    assert VERIFIER.viable(prompt, "CCO \n") is True
    assert VERIFIER.viable(prompt, "CC ") is VERIFIER.viable(prompt, "CCO C") is VERIFIER.viable(prompt, "C C") is False
    assert VERIFIER.viable(Prompt("", "", "C1CC"), "C") is None
    assert VERIFIER.viable(Prompt("", ""), "CC") is True
    assert VERIFIER.viable(Prompt("", ""), "CC ") is True
    assert VERIFIER.viable(Prompt("", ""), "CC( ") is False


def test_what_rdkit_repairs_in_silence_is_no_answer() -> None:
    """RDKit reads the lower-case atom as a saturated one, and finds the reference."""
    certificate = verify("C1CN1", "N1cC1")
    assert certificate.verdict is Verdict.FAIL and certificate.dead_from == 2
    assert VERIFIER.viable(Prompt("", "", "C1CN1"), "N1c") is False
