"""The evaluate command from end to end, with a tiny random policy and a user's own file of pairs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlsf_lightning import evaluate
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.evaluate import Options, stdout_to_stderr


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    rows = [f"{n}-carbon alkane\t{'C' * n}" for n in range(1, 13)]
    path.write_text("\n".join(["prompt\treference", *rows]) + "\n", encoding="utf-8")
    return path


def arguments(policy_dir, pairs, *more):
    return [
        f"policy.name={policy_dir}",
        f"data.path={pairs}",
        "rollout.max_new_tokens=8",
        "policy.quantize=none",
        *more,
    ]


def run(policy_dir, pairs, *more, **options):
    evaluate.run(load_recipe("chem_iupac", arguments(policy_dir, pairs, *more), Options), Options(**options))


def test_json_alone_on_stdout_and_the_same_twice(tiny_policy_dir, pairs, capfd, tmp_path):
    chosen = {"split": "all", "limit": 10, "samples": 2, "format": "json", "output": str(tmp_path / "answers.jsonl")}
    printed, written = [], []
    for batch_size in (4, 64):  # how many are decoded at a time changes nothing
        run(tiny_policy_dir, pairs, f"evaluation.batch_size={batch_size}", **chosen)
        out, err = capfd.readouterr()
        assert out.count("\n") == 1 and "sampled: 10 of 10 prompts" in err
        printed.append(json.loads(out))
        written.append((tmp_path / "answers.jsonl").read_text(encoding="utf-8"))
    assert printed[0] == printed[1] and written[0] == written[1]
    assert printed[0].keys() == {"n", "metrics"} and printed[0]["n"] == 10
    names = ["exact_match", "validity", "morgan_tanimoto", "maccs_tanimoto", "rdk_tanimoto", "bleu", "levenshtein"]
    names += ["sampled_exact_match", "sampled_validity", "pass_at_2"]
    assert set(names) <= printed[0]["metrics"].keys()
    assert all(found.keys() == {"value", "low", "high"} for found in printed[0]["metrics"].values())
    records = [json.loads(line) for line in written[0].splitlines()]
    assert len(records) == 10 and all(len(record["samples"]) == 2 for record in records)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answers.jsonl", "pairs.tsv"]


def test_table(tiny_policy_dir, pairs, capfd):
    run(tiny_policy_dir, pairs, split="all", samples=0)
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["value", "[95", "%", "interval]"]
    assert lines[1].startswith("exact_match ") and lines[-1] == "12 prompts; intervals: bootstrap over prompts"


def test_a_saved_adapter_is_what_is_measured(tiny_policy_dir, pairs, capfd, tmp_path):
    import torch

    from rlsf_lightning.policy.load import load_policy

    recipe = load_recipe("chem_iupac", arguments(tiny_policy_dir, pairs), Options)
    policy = load_policy(recipe.policy)
    with torch.no_grad():
        for parameter in policy.adapter_parameters():
            parameter.normal_(std=0.5, generator=torch.Generator().manual_seed(0))
    policy.save_adapter(tmp_path / "adapter")
    measured = []
    for more in ([], [f"policy.adapter={tmp_path / 'adapter'}"]):
        path = tmp_path / "answers.jsonl"
        run(tiny_policy_dir, pairs, *more, split="all", samples=0, output=str(path))
        measured.append([json.loads(line)["greedy"]["completion"] for line in path.read_text().splitlines()])
    assert measured[0] != measured[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "csv"}, "format=csv: write format=table or format=json"),
        ({"limit": 0}, "limit=0: evaluate at least one prompt"),
        ({"samples": -1}, "samples=-1: write samples=0"),
        ({"output": "no/such/folder/x.jsonl"}, "output=no/such/folder/x.jsonl: cannot write there"),
    ],
)
def test_mistakes_show_before_the_policy_is_loaded(tmp_path, pairs, options, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path / "no_such_model", pairs, **options)


def test_an_unknown_suite_shows_before_the_policy_is_loaded(tiny_policy_dir, pairs, monkeypatch):
    monkeypatch.setattr("rlsf_lightning.policy.load.load_policy", None)
    with pytest.raises(UserError, match=r"evaluation\.metrics=nlp: no such metric suite"):
        run(tiny_policy_dir, pairs, "evaluation.metrics=nlp", split="all")


def test_an_empty_split_names_the_line_to_write(tiny_policy_dir, tmp_path, monkeypatch):
    pairs = tmp_path / "one.tsv"
    pairs.write_text("prompt\treference\nmethane\tC\n", encoding="utf-8")
    monkeypatch.setattr("rlsf_lightning.policy.load.load_policy", None)
    with pytest.raises(UserError, match=r"the split `(test|validation)` of .*one.tsv has no prompt; write split=all"):
        for split in ("test", "validation"):  # one prompt is in one split only
            run(tiny_policy_dir, pairs, split=split)


def test_whatever_writes_to_stdout_inside_goes_to_stderr(capfd):
    with stdout_to_stderr():
        print("python")
        os.write(1, b"library\n")
    print("result")
    out, err = capfd.readouterr()
    assert out == "result\n"
    assert err.splitlines() == ["library", "python"] or err.splitlines() == ["python", "library"]


def test_stdout_is_back_after_an_error(capfd):
    with pytest.raises(KeyError), stdout_to_stderr():
        raise KeyError
    print("result")
    os.write(1, b"more\n")
    assert sorted(capfd.readouterr().out.split()) == ["more", "result"]


@pytest.mark.slow
def test_as_a_command(tiny_policy_dir, pairs, tmp_path):
    words = arguments(tiny_policy_dir, pairs, "split=all", "limit=5", "samples=2", "format=json")
    command = [sys.executable, "-m", "rlsf_lightning.evaluate", "recipe=chem_iupac", *words]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n"] == 5
    assert list(tmp_path.iterdir()) == [pairs]
    mistaken = subprocess.run(
        [*command, "split=nowhere"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert mistaken.returncode == 2 and mistaken.stdout == "" and "nowhere" in mistaken.stderr
