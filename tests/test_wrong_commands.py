"""What a user is told after a mistake: one message with the line to write, exit status 2, no model loaded, no run folder."""

from pathlib import Path

import lightning.pytorch  # noqa: F401  its logger keeps the stream that is there at its import: none that a test captures
import pytest

from rlsf_lightning import certify, evaluate, export, fit, sft
from rlsf_lightning.config import cli
from rlsf_lightning.policy import load

DROP_IN = """
from rlsf_lightning import RLSFCallback

class Mine(RLSFCallback):
    def on_reward_due(self, trainer, module, rollout):
        pass
"""

#: Files beside the recipe with a mistake in each.
OWN_CODE = {
    "lacks.py": "import a_module_that_nobody_has\nclass A: ...\n",
    "torn.py": "def broken(:\n",
    "raises.py": "from lightning import Callback\nclass A(Callback):\n    def __init__(self):\n        {}['licence']\n",
    "prover.py": "class VERIFIER:\n    def __init__(self):\n        1 / 0\n    def verify(self, prompt, text): ...\n",
    "prompts.py": "def prompts(split):\n    yield {}['name']\n",
}


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
    for name, text in OWN_CODE.items():
        (tmp_path / name).write_text(text)
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
    assert not Path("runs").exists() and not Path("run").exists()
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


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["policy.adapter=bad.ckpt"], "policy.adapter=bad.ckpt is not a readable checkpoint"),
        (["policy.adapter=bad.ckpt", "policy.lora.r=0", "policy.lora.modules_to_save=[]"], "not a readable checkpoint"),
        (["policy.name=nobody/nothing"], "the Hugging Face hub cannot be reached"),
        (
            ["policy.name=three words here"],
            "policy.name=three words here: there is no such folder here, and it is no name",
        ),
        (["policy.lora.targets=[q_porj]"], "Write policy.lora.targets=all-linear, or some of: down_proj, gate_proj"),
        (["policy.lora.targets=attention"], "policy.lora.targets=attention does not fit this model"),
        (["policy.lora.modules_to_save=[model.nrom]"], "no module's name ends with model.nrom"),
        (["rollout.stop=[70000]"], "rollout.stop: no token 70000"),
        (["verifier.options.explain=perhaps"], "explain expects true or false, got 'perhaps'"),
        (["verifier.options.max_chars=2.5"], "max_chars expects a whole number, got 2.5"),
        (["verifier.options.mcs_seconds=long"], "mcs_seconds expects a number, got 'long'"),
        (["verifier=prover.py"], "ZeroDivisionError: division by zero ("),
        (["verifier=torn.py"], "cannot be imported: SyntaxError: invalid syntax ("),
        (["data.source=prompts.py"], "KeyError: 'name' ("),
        (["data.source=lacks.py"], "no prompt source `prompts`"),
        (["callbacks[lacks.py:A]={}"], "No module named 'a_module_that_nobody_has' ("),
        (["callbacks[raises.py:A]={}"], "KeyError: 'licence' ("),
        (["callbacks.samples={per_step: all}"], "per_step expects a whole number, got 'all'"),
        (["callbacks.samples={per_step: -3}"], "per_step must be 0 or more, got -3"),
        (["callbacks.watchdog={steps: ten}"], "steps expects a whole number, got 'ten'"),
        (["callbacks.kl_control={target: 0.3}"], "write algorithm.kl.beta=0.05"),
        (["callbacks.kl_control={target: little}"], "target expects a number, got 'little'"),
        (["callbacks[lightning.pytorch.callbacks:EarlyStopping]={monitor: 7}"], "monitor expects text, got 7"),
        (["callbacks[lightning.pytorch.callbacks:EarlyStopping]={monitor: kl, patience: few}"], "got 'few'"),
        (["callbacks[lightning.pytorch.callbacks:EarlyStopping]={monitor: kl, strict: 1}"], "expects true or false"),
        (["callbacks[lightning.pytorch.callbacks:ModelCheckpoint]={dirpath: file}"], "is a file; name a folder"),
        (["algorithm.kl={form: k3, btea: 1}"], "did you mean `algorithm.kl.beta`"),
        (["answer={extract: regex, pattern: '(a'}"], "answer.pattern=(a: no regular expression"),
        (["verifier={name: smiles, wokers: 2}"], "did you mean `verifier.workers`"),
        (["trainer.max_epochs=0"], "trainer.max_epochs=0: expects a whole number of epochs >= 1"),
        (["trainer.devices=4000", "trainer.accelerator=cpu"], "trainer.devices=4000: each is a process"),
        (["run_dir=" + "long" * 80], "File name too long"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value)[:80],
)
def test_what_the_policys_structure_and_own_code_refute(
    place, capsys, monkeypatch, tiny_policy_dir, arguments, expected
):
    own = [] if any(a.startswith("policy.name") for a in arguments) else [f"policy.name={tiny_policy_dir}"]
    said = refused(capsys, monkeypatch, fit, "recipe=chem_iupac", *own, *arguments)
    assert expected in said and len(said) < 2000


EARLY_STOPPING = "callbacks[lightning.pytorch.callbacks:EarlyStopping]"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trainer.max_epochs=three"], "trainer.max_epochs=three: expects a whole number of epochs"),
        (["trainer.max_epochs=2.5"], "trainer.max_epochs=2.5: expects a whole number of epochs"),
        (["trainer.max_epochs=true"], "trainer.max_epochs=3"),
        (["trainer.min_epochs=one"], "trainer.min_epochs=one: expects a whole number"),
        (["trainer.log_every_n_steps=0"], "expects a whole number of steps >= 1"),
        (["trainer.num_nodes=two"], "expects a whole number of machines >= 1"),
        (["trainer.num_nodes=0"], "expects a whole number of machines >= 1"),
        (["trainer.limit_train_batches=0"], "must be a whole number of steps >= 1"),
        (["trainer.enable_progress_bar=maybe"], "expects true or false"),
        (["trainer.deterministic=sometimes"], "expects true, false or warn"),
        (["trainer.benchmark=2"], "expects true or false"),
        (["trainer.barebones=true"], "remove the line"),
        (["trainer.strategy=foo"], "expects one of auto, single_device, ddp"),
        (["trainer.strategy=dpp"], "did you mean `ddp`"),
        (["trainer.strategy=xla"], "expects one of auto, single_device, ddp"),
        (["trainer.strategy=fsdp"], "sampling needs all of them on each: write ddp"),
        (["trainer.strategy=fsdp", "policy.quantize=nf4"], "write ddp"),
        (["trainer.strategy=deepspeed_stage_3_offload"], "write ddp"),
        (["trainer.precision=fp16"], "expects one of 32-true, bf16-mixed, 16-mixed, 64-true; write 16-mixed"),
        (["trainer.precision=bf16-mixd"], "did you mean `bf16-mixed`"),
        (["trainer.precision=8"], "expects one of 32-true"),
        (["trainer.precision=bf16-true"], "write bf16-mixed"),
        (["trainer.precision=16-true"], "write 16-mixed"),
        (["trainer.precision=transformer-engine"], "write bf16-mixed"),
        (["trainer.accelerator=quantum"], "invalid accelerator name"),
        (["trainer.accelerator=cuda"], "Write trainer.accelerator=auto"),
        (["trainer.accelerator=tpu"], "Write trainer.accelerator=auto"),
        (["trainer.devices=0"], "trainer.devices=0"),
        (["trainer.devices=two"], "trainer.devices=two"),
        (["trainer.devices=[0]", "trainer.accelerator=cpu"], "should be an int > 0"),
        (["trainer.max_time=soon"], "not a valid duration"),
        (["trainer.profiler=fast"], "profiler"),
        (["trainer.plugins=mine"], "plugin"),
        (["trainer.fast_dev_run=maybe"], "trainer.fast_dev_run=maybe"),
        (["trainer.overfit_batches=x"], "trainer.overfit_batches=x"),
        (
            ["policy.gradient_checkpointing=true", "algorithm.critic=adapter", "algorithm.advantage=gae"],
            "switch one of",
        ),
        (["evaluation.split=tset"], "evaluation.split=tset: no split `tset`; did you mean `test`"),
        (["evaluation.metrics=cpp"], "evaluation.metrics=cpp"),
        (["callbacks.samples={per_stp: 3}"], "its arguments: per_step"),
        (["callbacks.heldout={split: test}"], "its arguments: none"),
        (["callbacks.kl_control={target: low}"], "callbacks.kl_control"),
        (["callbacks.kl_control={target: -1}"], "must be positive"),
        ([f"{EARLY_STOPPING}={{}}"], "its arguments: monitor"),
        ([f"{EARLY_STOPPING}={{monitr: reward}}"], "its arguments: monitor"),
        ([f"{EARLY_STOPPING}={{monitor: reward, mode: up}}"], "`mode` can be"),
        ([f"{EARLY_STOPPING}={{monitor: rewrad}}"], "monitor=rewrad: nothing logs this metric; did you mean `reward`"),
        ([f"{EARLY_STOPPING}={{monitor: val_loss}}"], "monitor=val_loss: nothing logs"),
        ([f"{EARLY_STOPPING}={{monitor: pass_rate}}"], "monitor=pass_rate: nothing logs"),
        ([f"{EARLY_STOPPING}={{monitor: validation/exact_match}}"], "nothing logs this metric"),
        (["callbacks[lightning.pytorch.callbacks:ModelCheckpoint]={monitor: val_loss}"], "nothing logs this metric"),
        (["callbacks[lightning.pytorch.callbacks:TQDMProgressBar]={}"], "write callbacks.progress=null"),
        (["logger[tensorboard.Logger]={}"], "no such logger"),
        (["logger.CSVLogger={nam: x}"], "its arguments: save_dir, name"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_arguments_of_others(place, capsys, monkeypatch, tiny_policy_dir, arguments, expected):
    """What Lightning, a callback or a logger would refuse, or run with and fail later."""
    own = [f"policy.name={tiny_policy_dir}", "trainer.accelerator=cpu"]
    own = [o for o in own if o.partition("=")[0] not in [a.partition("=")[0] for a in arguments]]
    said = refused(capsys, monkeypatch, fit, "recipe=chem_iupac", *own, *arguments, "run_dir=run")
    assert expected in said and len(said) < 2000


@pytest.mark.parametrize("name", ["TensorBoardLogger", "WandbLogger", "MLFlowLogger", "CometLogger"])
def test_a_logger_whose_package_is_missing(place, capsys, monkeypatch, tiny_policy_dir, name):
    from lightning.pytorch import loggers

    def missing(*_, **__):
        raise ModuleNotFoundError("Requirement 'dashboard' not met. HINT: Try running `pip install -U dashboard`")

    monkeypatch.setattr(getattr(loggers, name), "__init__", missing)
    own = ["recipe=chem_iupac", f"policy.name={tiny_policy_dir}", f"logger.{name}={{}}", "run_dir=run"]
    said = refused(capsys, monkeypatch, fit, *own)
    assert f"logger.{name}: Requirement 'dashboard' not met" in said and "pip install" in said


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("trainer.devices=two", "trainer.devices=two"),
        ("trainer.accelerator=tpu", "Write trainer.accelerator=auto"),
        ("trainer.precision=fp16", "write 16-mixed"),
        ("logger.CSVLogger={nam: x}", "its arguments: save_dir, name"),
        ("sft.splits=[wram]", "no split `wram`"),
        ("sft.vocabulary=200", "sft.vocabulary=200: must be >= 257"),
        ("sft.architecture={model_type: lama}", "did you mean `llama`"),
        ("sft.architecture={model_type: llama, hidden_siz: 8}", "did you mean `hidden_size`"),
        ("sft.architecture={model_type: llama, hidden_size: 9, num_attention_heads: 2}", "no model of this shape"),
    ],
)
def test_a_wrong_sft(place, capsys, monkeypatch, tiny_policy_dir, argument, expected):
    no_architecture = [] if argument.startswith("sft.architecture") else ["sft.architecture=null"]
    own = [f"policy.name={tiny_policy_dir}", *no_architecture, "run_dir=run"]
    assert expected in refused(capsys, monkeypatch, sft, "recipe=chem_iupac", *own, argument)


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


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["verifier=game24", "evaluation.metrics=generic"], "game24 needs the numbers of each prompt"),
        (["policy.adapter=bad.ckpt"], "not a readable checkpoint"),
        (["rollout.stop=[70000]"], "no token 70000"),
    ],
)
def test_a_wrong_evaluation(place, capsys, monkeypatch, tiny_policy_dir, arguments, expected):
    own = [f"policy.name={tiny_policy_dir}"]
    assert expected in refused(capsys, monkeypatch, evaluate, "recipe=chem_iupac", *own, *arguments)


def test_a_wrong_export(place, capsys, monkeypatch, tiny_policy_dir):
    own = [f"policy.name={tiny_policy_dir}", "policy.adapter=bad.ckpt", "to=there"]
    assert "not a readable checkpoint" in refused(capsys, monkeypatch, export, "recipe=chem_iupac", *own)
    assert not (place / "there").exists()


@pytest.mark.parametrize("name", ["nobody/nothing", "./nowhere"])
def test_a_certificate_with_the_tokens_of_no_policy(place, capsys, monkeypatch, name):
    told = refused(capsys, monkeypatch, certify, "recipe=chem_iupac", "completion=C", f"policy.name={name}")
    assert f"policy.name={name}: no tokenizer" in told and "policy.name=embedded" in told
