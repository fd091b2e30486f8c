"""The smoke test that the reinforcement learning is right: it overfits 32 names, and faster when the blame is placed."""

import csv
from itertools import islice

import pytest
from rdkit import Chem

from rlsf_lightning import fit
from rlsf_lightning.prompts.iupac import prompts
from rlsf_lightning.prompts.splits import THREE_WAY, assign_split
from rlsf_lightning.recipe import load_recipe

ITERATIONS = 15


def canonical_smiles(smiles):
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


def exact_shares(folder, credit, seed=0):
    """The share of right samples in each iteration."""
    names = folder / "names.tsv"
    if not names.exists():
        every_tenth = islice(prompts("rl"), 0, None, 10)
        train = (p for p in every_tenth if assign_split(canonical_smiles(p.reference), THREE_WAY) == "train")
        names.write_text("prompt\treference\n" + "".join(f"{p.text}\t{p.reference}\n" for p in islice(train, 32)))
    run_dir = folder / f"{credit}-{seed}"
    recipe = load_recipe(
        "chem_iupac",
        [
            f"run_dir={run_dir}",
            f"seed={seed}",
            f"data.path={names}",
            f"algorithm.credit={credit}",
            "algorithm.lr=1e-3",
            "algorithm.epochs=2",
            "rollout.batch_size=32",
            "rollout.samples_per_prompt=8",
            "trainer.max_epochs=1",
            f"trainer.limit_train_batches={ITERATIONS}",
            "evaluation.split=null",
            "callbacks.progress=null",
        ],
    )
    fit.run(recipe)
    with (run_dir / "metrics.csv").open() as file:
        return [float(row["exact_match"]) for row in csv.DictReader(file) if row["exact_match"]]


@pytest.mark.slow
def test_it_overfits_32_prompts_and_faster_than_with_the_blame_on_a_random_token(tmp_path, monkeypatch):
    monkeypatch.delenv("RLSF_RUN_DIR", raising=False)
    placed = exact_shares(tmp_path, "viable_prefix")
    assert len(placed) == ITERATIONS
    assert placed[-1] >= placed[0] + 0.25
    monkeypatch.delenv("RLSF_RUN_DIR", raising=False)
    placebo = exact_shares(tmp_path, "random")
    assert sum(placed) > sum(placebo)
