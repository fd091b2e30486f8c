"""Chemistry sources: gold passes, no answer stands in two splits, the same prompts everywhere, facts of descriptions."""

import itertools
import json
import random

import pytest
from rdkit import Chem

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.chemistry import described
from rlsf_lightning.prompts.chemistry.reactions import draw
from rlsf_lightning.prompts.chemistry.wording import description
from rlsf_lightning.prompts.sources import chem_forward, chem_molgen, chem_naming, chem_retro, iupac
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.reactions.outcome import NAMED_REACTIONS
from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier
from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier

MADE = {
    "chem_forward": (chem_forward.prompts, SmilesVerifier(explain=False)),
    "chem_molgen": (chem_molgen.prompts, MoleculeVerifier(explain=False)),
    "chem_retro": (chem_retro.prompts, ReactionVerifier(explain=False, round_trip=True)),
}


def take(prompts, count):
    return list(itertools.islice(prompts, count))


@pytest.mark.parametrize("name", MADE)
def test_gold_passes_and_is_no_prompt_of_another_split(name):
    source, verifier = MADE[name]
    answers: dict[str, set[str | None]] = {}
    for split in ("warm", "train", "validation", "test"):
        prompts = take(source(split), 60)
        assert len(prompts) == 60
        answers[split] = {prompt.reference if name != "chem_retro" else prompt.text for prompt in prompts}
        assert all(verifier.verify(p, p.reference).verdict is Verdict.PASS for p in prompts)
    assert all(not answers[one] & answers[other] for one, other in itertools.combinations(answers, 2))


@pytest.mark.parametrize("name", MADE)
def test_a_sequence_can_be_entered_anywhere(name):
    source, _ = MADE[name]
    assert take(source("train").since(7), 3) == take(source("train"), 10)[7:]


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_gold_passes_on_ten_thousand_prompts_and_all_held_out_ones(name):
    source, verifier = MADE[name]
    whole = itertools.chain(take(source("train"), 10_000), source("validation"), source("test"))
    assert not [p.id for p in whole if verifier.verify(p, p.reference).verdict is not Verdict.PASS]


def test_molecules_with_the_same_heavy_atoms_are_in_one_split():
    def heavy(prompt: Prompt) -> str:
        molecule = rdkit_io.parse(prompt.reference)
        return " ".join(sorted(atom.GetSymbol() for atom in molecule.GetAtoms()))

    of = {split: set(map(heavy, take(chem_molgen.prompts(split), 150))) for split in ("warm", "train", "test")}
    assert all(not of[one] & of[other] for one, other in itertools.combinations(of, 2))


def test_a_reaction_is_the_only_one_that_its_reagents_allow():
    """Of the reactions with the same reagents no other one has a site in the reactants."""
    by_reagents: dict[str, list[str]] = {}
    for reaction in NAMED_REACTIONS.values():
        for reagents in reaction.reagents:
            by_reagents.setdefault(reagents, []).append(reaction.name)
    found = 0
    for seed in range(600):
        drawn = draw(random.Random(seed))
        if drawn is None:
            continue
        molecules = [rdkit_io.parse(smiles) for smiles in drawn.reactants]
        for name in by_reagents[drawn.reagents]:
            orders = NAMED_REACTIONS[name].orders(molecules)
            products = {product for order in orders for product in NAMED_REACTIONS[name].products(order)}
            assert products <= {drawn.product}, (drawn, name, products)
        found += 1
    assert found > 400


def test_a_product_is_none_of_its_reactants():
    drawn = [draw(random.Random(seed)) for seed in range(200)]
    assert all(each.product not in each.reactants for each in drawn if each is not None)


@pytest.mark.parametrize("split", ["warm", "validation", "test"])
def test_names_are_the_pairs_of_iupac_reversed(split):
    pairs, prompts = take(iupac.prompts(split), 20), take(chem_naming.prompts(split), 20)
    assert [p.target for p in prompts] == [pair.text for pair in pairs]
    assert [p.text for p in prompts] == [Chem.CanonSmiles(pair.reference) for pair in pairs]
    assert all(p.text == p.reference for p in prompts)


def test_a_structure_keeps_the_stereochemistry_that_its_name_tells():
    found = {p.target: p.text for p in take(chem_naming.prompts("train"), 1000)}
    assert found["(2s)-2-azanyl-3-methyl-butanoic acid"] == "CC(C)[C@H](N)C(=O)O"
    assert sum("@" in text for text in found.values()) > 20


def test_every_verified_name_is_a_phrasing():
    names = take(chem_naming.prompts("warm", all_phrasings=True), 50)
    assert [p.target for p in names] == [p.text for p in take(iupac.prompts("warm", all_phrasings=True), 50)]


def test_a_description_states_every_fact():
    facts = [
        {"formula": "C9H8O4"},
        {"functional_group": "ester", "count": 1},
        {"functional_group": "ketone", "count": 0},
        {"functional_group": "amide", "min": 2},
        {"ring": "benzene"},
        {"element": "Cl", "count": 3},
        {"property": "rings", "count": 0},
        {"property": "heavy_atoms", "count": 13},
        {"property": "molecular_weight", "min": 180, "max": 190},
    ]
    words = [
        "C9H8O4",
        " ester group",
        "no ketone groups",
        "amide groups",
        "a benzene ring",
        "chlorine atoms",
        "no rings",
    ]
    for seed in range(50):
        text = description(random.Random(seed), facts)
        assert all(word in text for word in [*words, "heavy atoms", "180", "190"]), text
        assert ("one ester" in text or "1 ester" in text) and ("three chlorine" in text or "3 chlorine" in text)
        assert "two amide groups" in text or "2 amide groups" in text
    assert len({description(random.Random(seed), facts) for seed in range(50)}) == 50


@pytest.mark.parametrize(
    ("text", "smiles", "some", "none"),
    [
        ("a dicarboxylic acid", "OC(=O)CC(=O)O", {"functional_group": "carboxylic acid", "min": 2}, "ester"),
        ("a chlorobenzene", "Clc1ccccc1", {"element": "Cl"}, "Br"),
        ("It derives from a pyridine. An indole.", "c1ccc2[nH]ccc2c1", {"ring": "indole"}, "pyridine"),
        ("a conjugate base of acetic acid, acetate(1-)", "CC(=O)[O-]", {"property": "charge", "count": -1}, "ester"),
        ("has S-configuration", "C[C@H](N)C(=O)O", {"property": "stereocentres", "min": 1}, "ketone"),
    ],
)
def test_facts_that_a_text_names_and_the_molecule_has(text, smiles, some, none):
    facts = described.facts_named(text, smiles)
    assert some in facts and none not in json.dumps(facts)
    certificate = MoleculeVerifier().verify(Prompt("p", text, facts={"facts": facts}), smiles)
    assert certificate.verdict is Verdict.PASS


@pytest.mark.parametrize("smiles", ["", "C1CC", "*", "[CH2]", "C" * 501, "CC junk"])
def test_what_no_verifier_reads_has_no_facts(smiles):
    assert described.facts_named("an alcohol, methyl, benzene", smiles) == []


def test_a_table_is_converted(tmp_path, capsys):
    rows = ["CID\tSMILES\tdescription", "1\tC/C=C\\\\C\tan alkene", "2\tC\tsomething", '3\tCCO\t"an alcohol']
    rows += ["4\t[CH2]\tan alcohol", "5\t*C\tan alcohol"]
    (tmp_path / "in.tsv").write_text("\n".join(rows) + "\n")
    described.main([f"{tmp_path}/in.tsv", f"{tmp_path}/out.jsonl"])
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["SMILES"] for row in written] == ["C/C=C\\C", "CCO"]
    assert {"functional_group": "alkene"} in written[0]["facts"]
    told = capsys.readouterr().out
    assert "2 rows" in told and "left out: 1 without a known fact, 2 with a molecule that is not read" in told


@pytest.mark.parametrize(
    ("arguments", "words"), [(["x.tsv"], "INPUT.tsv"), (["no.tsv", "o"], "no.tsv"), (["a", "b", "c=d"], "text=")]
)
def test_wrong_arguments_are_told(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        described.main(arguments)


def test_a_missing_column_is_told(tmp_path):
    (tmp_path / "in.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(UserError, match="no column `SMILES`"):
        described.convert(f"{tmp_path}/in.tsv", f"{tmp_path}/out", "b", "SMILES")
