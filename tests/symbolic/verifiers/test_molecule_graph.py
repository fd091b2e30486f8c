"""The second count: graphs, patterns and budgets read without RDKit, compared with RDKit on real molecules."""

import random
from collections import Counter

import pytest
from rdkit import Chem
from rdkit.Chem import Fragments, rdMolDescriptors
from smiles_cases import real_smiles, spelling

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry.periodic_table import ATOMIC_WEIGHTS, ELEMENTS
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.verifiers.molecule.facts.groups import FUNCTIONAL_GROUPS, RINGS
from rlsf_lightning.symbolic.verifiers.molecule.recheck import smarts as matcher
from rlsf_lightning.symbolic.verifiers.molecule.recheck.counts import read_graph
from rlsf_lightning.symbolic.verifiers.molecule.task import task_of
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier
from rlsf_lightning.symbolic.verifiers.molecule.viable import certainly_dead_from


def test_the_second_reading_has_rdkits_atoms_hydrogens_charges_and_rings() -> None:
    rng = random.Random(3)
    for smiles in real_smiles(150, seed=3):
        text = spelling(smiles, rng)
        graph = read_graph(text, read_smiles(text))
        molecule = Chem.MolFromSmiles(text)
        assert graph is not None
        ours = Counter((s.symbol, s.hydrogens, s.charge, len(s.bonds), bool(s.ring_bonds)) for s in graph.values())
        theirs = Counter(
            (a.GetSymbol(), a.GetTotalNumHs(), a.GetFormalCharge(), a.GetDegree(), a.IsInRing())
            for a in molecule.GetAtoms()
        )
        assert ours == theirs, text


@pytest.mark.parametrize(
    "text", ["c1:c:C:c:c:c:1", "c1:c:c:C(-Cl):c:c:1", "c1:c:N:c:c:c:1", "C1:C:C:C2:C(:C:1):C:C:C:C:2"]
)
def test_a_capital_atom_with_aromatic_bonds_has_rdkits_hydrogens(text: str) -> None:
    graph = read_graph(text, read_smiles(text))
    assert graph is not None
    wanted = [atom.GetTotalNumHs() for atom in Chem.MolFromSmiles(text).GetAtoms()]
    assert [graph[i].hydrogens for i in sorted(graph)] == wanted


def test_the_second_matcher_finds_what_rdkit_finds() -> None:
    rng = random.Random(4)
    matched = set()
    for smiles in real_smiles(150, seed=4):
        text = spelling(smiles, rng)
        graph = read_graph(text, read_smiles(text))
        molecule = Chem.MolFromSmiles(text)
        assert graph is not None
        for name, group in {**FUNCTIONAL_GROUPS, **RINGS}.items():
            found = matcher.find(group.smarts, graph)
            assert found is not None, name
            wanted = molecule.GetSubstructMatches(Chem.MolFromSmarts(group.smarts))
            assert len(found) == len(wanted), (name, text)
            matched |= {name} if found else set()
    assert len(matched) > 35


@pytest.mark.parametrize(
    "smarts", ["[r5]", "C.C", "[C@H](F)Cl", "[H]", "C!@C", "[v3]", "C%10CC%10", "[C", "C(", "[#200]", ""]
)
def test_patterns_beyond_the_second_matcher_are_refused(smarts: str) -> None:
    assert matcher.find(smarts, {}) is None


#: RDKit's own table of fragments, where its definition is the same.
FRAGMENTS = {
    "aldehyde": "fr_aldehyde",
    "azo": "fr_azo",
    "hydrazine": "fr_hdrzine",
    "isocyanate": "fr_isocyan",
    "ketone": "fr_ketone",
    "methoxy": "fr_methoxy",
    "nitrile": "fr_nitrile",
    "oxime": "fr_oxime",
    "phenol": "fr_Ar_OH",
    "benzene": "fr_benzene",
    "furan": "fr_furan",
    "imidazole": "fr_imidazole",
    "morpholine": "fr_morpholine",
    "oxirane": "fr_epoxide",
    "piperidine": "fr_piperdine",
    "pyridine": "fr_pyridine",
    "tetrazole": "fr_tetrazole",
    "thiophene": "fr_thiophene",
}


def test_the_table_agrees_with_rdkits_fragments() -> None:
    seen = Counter[str]()
    for smiles in real_smiles(300, seed=5):
        molecule = Chem.MolFromSmiles(smiles)
        for name, fragment in FRAGMENTS.items():
            ours = Chem.MolFromSmarts({**FUNCTIONAL_GROUPS, **RINGS}[name].smarts)
            count = len(molecule.GetSubstructMatches(ours))
            assert count == getattr(Fragments, fragment)(molecule), (name, smiles)
            seen[name] += count
    assert sum(1 for name in seen if seen[name]) > 8


def test_weights() -> None:
    assert ATOMIC_WEIGHTS["C"] == 12.011 and ATOMIC_WEIGHTS["Cl"] == 35.453 and ATOMIC_WEIGHTS["U"] == 238.029
    assert list(ATOMIC_WEIGHTS) == list(ELEMENTS[1:])
    assert list(ELEMENTS) == [Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(119)]


def test_a_budget_never_kills_what_is_right() -> None:
    """Every prefix of spellings of real molecules, with the tightest budget there is for each."""
    rng = random.Random(6)
    verifier = MoleculeVerifier()
    for smiles in real_smiles(60, seed=6):
        molecule = Chem.MolFromSmiles(smiles)
        if any(atom.GetNumRadicalElectrons() or not atom.GetAtomicNum() for atom in molecule.GetAtoms()):
            continue
        facts = [
            {"formula": rdMolDescriptors.CalcMolFormula(molecule)},
            {"property": "fragments", "count": len(Chem.GetMolFrags(molecule))},
            {"property": "heavy_atoms", "count": molecule.GetNumHeavyAtoms()},
        ]
        prompt = Prompt("", "", facts={"facts": facts})
        for text in (smiles, spelling(smiles, rng), Chem.MolToSmiles(Chem.AddHs(molecule), canonical=False)):
            if len(text) > verifier.limits.max_chars:
                continue
            assert verifier.verify(prompt, text).verdict is Verdict.PASS, (facts, text)
            found = [certainly_dead_from(text[:end], task_of(prompt), verifier.limits) for end in range(len(text) + 1)]
            assert set(found) == {None}, (facts, text)
