"""Whole commands in processes of their own: killed and resumed, on two ranks, in 4 bit, with a user's own files."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SMALL = (
    "rollout.batch_size=4 rollout.samples_per_prompt=4 rollout.max_new_tokens=12 trainer.limit_train_batches=2 "
    "trainer.max_epochs=1 evaluation.limit=6 evaluation.samples=2"
).split()

RECORDER = """
import json
from pathlib import Path
from rlsf_lightning import RLSFCallback

class Recorder(RLSFCallback):
    '''Writes what each rank saw: its prompts, and its gradients when the optimiser is about to step.'''

    def on_rollout_end(self, trainer, module, rollout):
        self.ids = sorted({p.id for p in rollout.prompts})

    def on_before_optimizer_step(self, trainer, module, optimizer):
        gradients = [p.grad.double().sum().item() for g in optimizer.param_groups for p in g["params"]]
        line = json.dumps({"ids": self.ids, "gradients": gradients})
        with Path(f"rank{trainer.global_rank}.jsonl").open("a") as file:
            file.write(line + "\\n")
"""

PENALTY = """
from rlsf_lightning import RLSFCallback

class LengthPenalty(RLSFCallback):
    def __init__(self, weight: float = 0.01) -> None:
        self.weight = weight

    def on_rewards_due(self, trainer, module, rollout) -> None:
        rollout.add_reward("length_penalty", -self.weight * rollout.is_action_BT.float())
"""

WATCHER = """
import hashlib, json, resource
from pathlib import Path
import torch
from rlsf_lightning import RLSFCallback

def digest(tensors):
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()

class Watcher(RLSFCallback):
    '''Writes a digest of the frozen and of the learning weights, before and after, and the most memory used.'''

    def on_train_start(self, trainer, module):
        self.write(module, "before")

    def on_train_end(self, trainer, module):
        self.write(module, "after")

    def write(self, module, when):
        parameters = list(module.policy.backbone.parameters())
        Path(f"{when}.json").write_text(json.dumps({
            "frozen": digest(p for p in parameters if not p.requires_grad),
            "learning": digest(p for p in parameters if p.requires_grad),
            "packed": sum(p.dtype == torch.uint8 for p in parameters),
            "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        }))
"""

SMOLLM = os.environ.get("RLSF_SMOLLM_DIR", "")


def command(name, folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", f"rlsf_lightning.{name}", *arguments],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "RLSF_RUN_DIR"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def completed(name, folder, *arguments):
    process = command(name, folder, *arguments)
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err[-3000:]
    return out


def metrics(run_dir):
    """metrics.csv without what a clock measured."""
    with (run_dir / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in r.items() if not k.startswith("seconds/") and k != "verify_wait"} for r in rows]


def test_killed_and_resumed_equals_the_straight_run(tmp_path, tiny_policy_dir):
    arguments = [
        "recipe=chem_iupac",
        f"policy.name={tiny_policy_dir}",
        "algorithm.advantage=gae",
        *SMALL,
        "trainer.max_epochs=12",  # long enough to be killed in the middle
    ]
    completed("fit", tmp_path, *arguments, "run_dir=straight")
    killed = command("fit", tmp_path, *arguments, "run_dir=killed")
    checkpoints, deadline = tmp_path / "killed" / "checkpoints", time.monotonic() + 120
    while not list(checkpoints.glob("step-*.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed" / "summary.json").exists()
    completed("fit", tmp_path, *arguments, "run_dir=killed", "resume=auto")
    assert metrics(tmp_path / "killed") == metrics(tmp_path / "straight")
    ours, theirs = (json.loads((tmp_path / d / "summary.json").read_text()) for d in ("killed", "straight"))
    assert ours["after"] == theirs["after"] and ours["before"] == theirs["before"]
    samples = [(tmp_path / d / "samples.jsonl").read_text().splitlines() for d in ("killed", "straight")]
    assert [json.loads(line)["completion"] for line in samples[0]] == [
        json.loads(line)["completion"] for line in samples[1]
    ]


def test_two_ranks_have_equal_gradients_and_different_prompts(tmp_path, tiny_policy_dir):
    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks" / "recorder.py").write_text(RECORDER)
    two = "trainer.devices=2 trainer.strategy=ddp trainer.accelerator=cpu algorithm.advantage=gae".split()
    policy = f"policy.name={tiny_policy_dir}"
    completed("fit", tmp_path, "recipe=chem_iupac", policy, *SMALL, *two, "callbacks.recorder={}", "run_dir=run")
    first, second = ([json.loads(line) for line in (tmp_path / f"rank{r}.jsonl").open()] for r in (0, 1))
    assert len(first) == len(second) == 2
    for ours, theirs in zip(first, second, strict=True):
        assert ours["gradients"] == pytest.approx(theirs["gradients"], rel=1e-12)
        assert any(ours["gradients"])
        assert set(ours["ids"]).isdisjoint(theirs["ids"])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["n"] == 6


def test_a_users_recipe_and_callback_are_found_first(tmp_path, tiny_policy_dir):
    for room, name, text in [
        ("callbacks", "length_penalty.py", PENALTY),
        ("recipes", "mine.yaml", "base: chem_iupac\ncallbacks:\n  length_penalty: {weight: 0.25}\n"),
    ]:
        (tmp_path / room).mkdir()
        (tmp_path / room / name).write_text(text)
    completed("fit", tmp_path, "recipe=mine", f"policy.name={tiny_policy_dir}", *SMALL, "run_dir=run")
    for row in metrics(tmp_path / "run"):
        assert float(row["reward/length_penalty"]) == pytest.approx(-0.25 * float(row["length"]))


def trained_in_4_bit(folder, *arguments):
    """Two steps of ``fit`` with NF4 weights: what the watcher saw before and after."""
    (folder / "callbacks").mkdir()
    (folder / "callbacks" / "watcher.py").write_text(WATCHER)
    completed("fit", folder, "recipe=chem_iupac", "policy.quantize=nf4", *arguments, "callbacks.watcher={}")
    return [json.loads((folder / f"{when}.json").read_text()) for when in ("before", "after")]


def test_nf4_trains_on_a_cpu(tmp_path, tiny_policy_dir):
    policy = f"policy.name={tiny_policy_dir}"
    before, after = trained_in_4_bit(tmp_path, policy, *SMALL, "algorithm.advantage=gae", "run_dir=run")
    assert before["frozen"] == after["frozen"] and before["learning"] != after["learning"]
    assert before["packed"] == 2 * 7
    rows = metrics(tmp_path / "run")
    assert len(rows) == 2 and all(float(row["ratio_deviation_first_minibatch"]) < 1e-5 for row in rows)


@pytest.mark.skipif(not SMOLLM, reason="RLSF_SMOLLM_DIR names no folder with a SmolLM2-135M-Instruct GGUF file")
def test_a_pretrained_model_trains_in_4_bit_under_6_gib(tmp_path):
    file = next(path.name for path in sorted(Path(SMOLLM).glob("*.gguf")))
    policy = [f"policy.name={SMOLLM}", f"policy.gguf_file={file}"]
    before, after = trained_in_4_bit(tmp_path, *policy, *SMALL, "algorithm.advantage=gae", "run_dir=run")
    assert before["frozen"] == after["frozen"] and before["learning"] != after["learning"]
    assert before["packed"] == 30 * 7
    assert after["peak_gib"] < 6
    assert len(metrics(tmp_path / "run")) == 2


def test_evaluate_says_the_same_twice_and_nothing_else(tmp_path, tiny_policy_dir):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("iupac\tsmiles\nethanol\tCCO\nmethane\tC\nbenzene\tc1ccccc1\n")
    columns = ["data.path=pairs.tsv", "data.columns.prompt=iupac", "data.columns.reference=smiles"]
    arguments = ["recipe=chem_iupac", f"policy.name={tiny_policy_dir}", *columns, "split=all", "format=json"]
    first, second = (completed("evaluate", tmp_path, *arguments, "rollout.max_new_tokens=12") for _ in range(2))
    assert first == second
    report = json.loads(first)
    assert report["n"] == 3
    assert set(report["metrics"]["exact_match"]) == {"value", "low", "high"}
    assert {"validity", "morgan_tanimoto", "sampled_exact_match"} <= report["metrics"].keys()


def test_export_writes_what_transformers_loads(tmp_path, tiny_policy_dir):
    import torch
    from transformers import AutoModelForCausalLM

    policy = f"policy.name={tiny_policy_dir}"
    completed("fit", tmp_path, "recipe=chem_iupac", policy, *SMALL, "algorithm.advantage=gae", "run_dir=run")
    completed("export", tmp_path, "recipe=chem_iupac", policy, "policy.adapter=run/adapter", "to=merged")
    base, merged = (AutoModelForCausalLM.from_pretrained(f) for f in (tiny_policy_dir, tmp_path / "merged"))
    ids = torch.arange(5)[None]
    assert not torch.equal(base(ids).logits, merged(ids).logits)


def test_sft_makes_a_policy_from_nothing(tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("prompt\treference\n" + "".join(f"{'meth' * n}ane\t{'C' * n}\n" for n in range(1, 80)))
    shape = "hidden_size=32 intermediate_size=64 num_hidden_layers=1 num_attention_heads=2".split()
    own = ["data.path=pairs.tsv", "sft.vocabulary=300", "sft.epochs=2", "sft.splits=[train]", "run_dir=run"]
    architecture = [f"sft.architecture.{key}" for key in ("model_type=llama", *shape)]
    completed("sft", tmp_path, "recipe=chem_iupac", *own, *architecture, "sft.compile=false", "sft.minutes=null")
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()
    completed("fit", tmp_path, "recipe=chem_iupac", "data.path=pairs.tsv", "policy.name=run/model", *SMALL)


CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def test_a_chat_with_tagged_answers_trains_and_is_measured(tmp_path, tiny_policy_dir):
    from transformers import AutoTokenizer

    chat = tmp_path / "chat"
    shutil.copytree(tiny_policy_dir, chat)
    tokenizer = AutoTokenizer.from_pretrained(tiny_policy_dir)
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(chat)
    (tmp_path / "pairs.tsv").write_text("iupac\tsmiles\n" + "".join(f"{'meth' * n}\t{'C' * n}\n" for n in range(1, 30)))
    own = ["recipe=chem_iupac", f"policy.name={chat}", "data.path=pairs.tsv", "data.columns.prompt=iupac"]
    own += ["data.columns.reference=smiles", "data.chat=true", "data.system=Be brief.", "data.examples=1", "answer=tag"]
    own += ["rollout.max_new_tokens=12", "rollout.stop=[</answer>]"]
    completed("fit", tmp_path, *own, *SMALL, "run_dir=run")
    rows = metrics(tmp_path / "run")
    assert len(rows) == 2 and all(float(row["validity"]) <= 1 for row in rows)
    out = completed("evaluate", tmp_path, *own, "policy.adapter=run/adapter", "split=all", "limit=4", "format=json")
    assert json.loads(out)["n"] == 4 and "exact_match" in json.loads(out)["metrics"]
