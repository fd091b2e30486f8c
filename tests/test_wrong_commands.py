"""What a user is told after a mistake: one message with the line to write, exit status 2, and no model loaded."""

import pytest

from rlsf_lightning import evaluate, fit
from rlsf_lightning.config import cli
from rlsf_lightning.policy import load

DROP_IN = """
from rlsf_lightning import RLSFCallback

class Mine(RLSFCallback):
    def on_reward_due(self, trainer, module, rollout):
        pass
"""


@pytest.fixture
def place(tmp_path, monkeypatch, tiny_policy_dir):
    """An empty working directory with a few broken things in it."""
    import shutil

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RLSF_RUN_DIR", raising=False)
    (tmp_path / "pairs.tsv").write_text("iupac\tsmiles\nethanol\tCCO\n")
    (tmp_path / "bad.ckpt").write_bytes(b"not a checkpoint")
    (tmp_path / "file").write_text("a file where a folder should be")
    broken = tmp_path / "broken"
    shutil.copytree(tiny_policy_dir, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return tmp_path


def refused(capsys, monkeypatch, command, *arguments):
    """The message that the command ends with."""

    def never(*_, **__):
        raise AssertionError("a model is loaded")

    monkeypatch.setattr(load, "_load_model", never)
    with pytest.raises(SystemExit) as stopped:
        cli.main(command.__doc__, command.run, getattr(command, "Options", None), argv=list(arguments))
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.err.startswith("error: ") and "Traceback" not in said.err
    assert said.out == ""
    return said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["recipe=chem_iupak"], "did you mean `chem_iupac`"),
        (["recipe=chem_iupac", "rollout.bach_size=3"], "did you mean `rollout.batch_size`"),
        (["recipe=chem_iupac", "rollout.batch_size=many"], "`rollout.batch_size` expects a whole number"),
        (["recipe=chem_iupac", "data.path=nowhere.tsv"], "nowhere.tsv"),
        (["recipe=chem_iupac", "data.path=pairs.tsv"], "set data.columns.prompt="),
        (["recipe=chem_iupac", "trainer.gradient_clip_val=1.0"], "algorithm.max_grad_norm"),
        (["recipe=chem_iupac", "callbacks.verifier=null"], "callbacks: {verifier: {}}"),
        (["recipe=chem_iupac", "run_dir=file/run"], "run_dir=PATH"),
        (["recipe=chem_iupac", "policy.name=./nowhere"], "policy.name=./nowhere"),
        (["recipe=chem_iupac", "policy.name=./broken"], "damaged"),
        (["recipe=chem_iupac", "resume=bad.ckpt"], "not a readable checkpoint"),
        (["recipe=chem_iupac", "algorithm.credit=viable"], "viable_prefix"),
        (["recipe=chem_iupac", "verifier.options.mcs_second=1"], "did you mean `mcs_seconds`"),
    ],
)
def test_a_wrong_fit(place, capsys, monkeypatch, tiny_policy_dir, arguments, expected):
    own = [] if any(a.startswith("policy.name") for a in arguments) else [f"policy.name={tiny_policy_dir}"]
    assert expected in refused(capsys, monkeypatch, fit, *arguments, *own)


def test_prompts_without_the_facts_of_their_verifier(place, capsys, monkeypatch, tiny_policy_dir):
    own = ["verifier=game24", "data.path=pairs.tsv", "data.columns.prompt=iupac", "data.columns.reference=null"]
    said = refused(capsys, monkeypatch, fit, "recipe=chem_iupac", *own, f"policy.name={tiny_policy_dir}")
    assert "needs the numbers" in said and '"numbers": [4, 6, 8, 10]' in said


@pytest.mark.slow
def test_a_misspelt_hook_in_a_drop_in(tmp_path, tiny_policy_dir):
    """In a process of its own, because the room of callbacks is opened in the working directory of its start."""
    import subprocess
    import sys

    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks" / "mine.py").write_text(DROP_IN)
    command = ["-m", "rlsf_lightning.fit", "recipe=chem_iupac", f"policy.name={tiny_policy_dir}", "callbacks.mine={}"]
    ended = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert "did you mean `on_rewards_due`" in ended.stderr and "Traceback" not in ended.stderr


def test_an_evaluation_of_an_empty_split(place, capsys, monkeypatch, tiny_policy_dir):
    own = [f"policy.name={tiny_policy_dir}", "data.columns.prompt=iupac", "data.columns.reference=smiles"]
    said = refused(capsys, monkeypatch, evaluate, "recipe=chem_iupac", "data.path=pairs.tsv", *own, "split=validation")
    assert "split=all" in said
