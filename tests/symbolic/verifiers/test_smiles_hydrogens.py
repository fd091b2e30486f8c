"""Hydrogens that are written as atoms, in every odd way: no exception, and what RDKit drops in silence does not pass."""

import itertools
from collections.abc import Iterator

import pytest
from certificates import checked
from rdkit import Chem, rdBase
from reaction_cases import VERIFIER as REACTION
from reaction_cases import forward
from smiles_cases import VERIFIER, found, verify

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier

HYDROGENS = "[H] [HH] [H][H] [2H] [2HH] [H+] [HH+] [H-] [H:1] [#1] [0H] [HH0] [HH2]".split()
PARTNERS = ["O", "C", "[NH3+]", "[O-]", "[Th]", "[Pt]", "[CH2]", "c1ccccc1", "n1cccc1", "[C@](F)(Cl)Br", "*"]
BONDS = ["", ".", "=", "~", "->", "<-", "/"]
#: Facts that are true of some of them.
FACTS = [{"element": "H", "min": 2}, {"property": "charge", "count": 0}, {"property": "fragments", "count": 1}]


@pytest.mark.parametrize(
    ("reference", "completion", "findings"),
    [
        ("[HH].[HH].[HH].[Th]", "[HH]O.[HH].[HH].[Th]", [("valence", ["[HH]"])]),
        ("O", "O[HH]", [("valence", ["[HH]"])]),
        ("C", "C=[H]", [("valence", ["[H]"])]),
        (None, "C#[H]", [("valence", ["[H]"])]),
        (None, "*.O[HH]", [("valence", ["[HH]"])]),
        ("O", "O[H+]", [("wrong_atoms", ["[H+]"])]),
        ("C", "C~[H]", [("wrong_atoms", ["[H]"])]),
        ("N", "N->[H]", [("wrong_atoms", ["[H]"])]),
    ],
)
def test_what_rdkit_drops_in_silence(
    reference: str | None, completion: str, findings: list[tuple[str, list[str]]]
) -> None:
    assert found(reference, completion) == findings


@pytest.mark.parametrize(
    ("reference", "completion"),
    [
        ("CCO", "CCO[H]"),
        ("C", "C([H])([H])([H])[H]"),
        ("C[H]", "C[H]"),
        ("[H-].[OH-]", "[H-].[O-][H]"),
        ("O[H+]", "[H+]O"),
        ("[H:1]C", "[H:1]C"),
        ("[2H]O", "O([H])[2H]"),
        ("c1cc[nH]c1", "[H]n1cccc1"),
        ("F[C@@H](Cl)Br", "[H][C@](F)(Cl)Br"),
        ("[H]/N=C/C", "C(/C)=N\\[H]"),
    ],
)
def test_hydrogens_as_atoms_pass(reference: str, completion: str) -> None:
    assert verify(reference, completion).verdict is Verdict.PASS
    assert checked(REACTION, forward(completion), completion).verdict is Verdict.PASS


def test_a_reference_that_has_a_hydrogen_with_two_bonds_is_an_abstention() -> None:
    assert verify("O[HH]", "O").verdict is Verdict.ABSTAIN


def test_a_charge_is_not_lost_with_its_hydrogen() -> None:
    molecule = rdkit_io.parse("O[H+]")
    assert molecule is not None and Chem.GetFormalCharge(molecule) == 1
    assert [atom.GetIsotope() for atom in rdkit_io.atoms_of(molecule)] == [0, 0]


def _texts() -> Iterator[str]:
    yield from HYDROGENS
    for hydrogen, bond, partner in itertools.product(HYDROGENS, BONDS, PARTNERS):
        yield f"{hydrogen}{bond}{partner}"
    for hydrogen, partner in itertools.product(HYDROGENS, ["C", "[Th]", "O"]):
        yield f"{partner}({hydrogen}){hydrogen}"
        yield f"{hydrogen}.{hydrogen}{partner}.[HH]"


def _as_rdkit_has_it(text: str) -> str | None:
    """The canonical SMILES of what RDKit finds valid with and without hydrogens; None if it is not, or another charge."""
    parameters = Chem.SmilesParserParams()
    parameters.removeHs = False
    with rdBase.BlockLogs():
        whole, merged = Chem.MolFromSmiles(text, parameters), Chem.MolFromSmiles(text)
    if whole is None or merged is None or Chem.GetFormalCharge(whole) != Chem.GetFormalCharge(merged):
        return None
    return str(Chem.MolToSmiles(merged)) if not set("~-") & set(text.replace("[O-]", "").replace("[H-]", "")) else None


def test_no_exception_and_no_finding_in_what_is_right() -> None:
    right = 0
    for text in _texts():
        canonical = _as_rdkit_has_it(text)
        right += canonical is not None
        for reference in ("[HH].[HH].[HH].[Th]", canonical):
            certificate = checked(VERIFIER, Prompt("", "", reference), text)
            assert canonical is None or reference != canonical or certificate.verdict is Verdict.PASS, text
            if reference is not None:
                certificate = checked(REACTION, forward(reference), text)
                assert reference != canonical or certificate.verdict is Verdict.PASS, text
    assert right > 300


def test_no_exception_where_a_molecule_is_described() -> None:
    molecule = MoleculeVerifier()
    for text in _texts():
        checked(molecule, Prompt("", "", facts={"facts": FACTS}), text)
