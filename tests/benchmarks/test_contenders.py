"""The contenders against TRL: what they are told, how a GPU is timed and limited, and what happens when one dies."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import throughput  # noqa: E402
from rivals import contender, environment, ours, ours_callback, precision  # noqa: E402

TASK = {
    "algorithm": "ppo", "folder": "F", "prompts_file": "P", "model": "M", "prompts": 2, "samples": 2, "tokens": 8,
    "beta": 0.0, "epochs": 1, "minibatches": 1, "lr": 1e-6, "device": "cuda", "rewarded_from": 4,
}  # fmt: skip

#: A module that stands for torch with a GPU of 48 GiB, which notes what is asked of it. A second passes in each wait for it.
FAKE_TORCH = """
import sys, time, types
calls = []
cuda = types.SimpleNamespace(
    is_available=lambda: AVAILABLE,
    is_initialized=lambda: True,
    synchronize=lambda: calls.append("synchronize"),
    empty_cache=lambda: calls.append("empty"),
    reset_peak_memory_stats=lambda: calls.append("reset"),
    max_memory_reserved=lambda: (5 if "reset" in calls else 900) * 2**20,
    get_device_name=lambda: "Fake 48",
    get_device_properties=lambda index: types.SimpleNamespace(total_memory=48 * 2**30),
    set_per_process_memory_fraction=lambda share, index: calls.append((share, index)),
)
sys.modules["torch"] = types.SimpleNamespace(cuda=cuda, __version__="9.9")
time.perf_counter = lambda: float(calls.count("synchronize"))
from rivals import gate
"""


def child(code: str, told: str = "", available: bool = True) -> subprocess.CompletedProcess[str]:
    code = FAKE_TORCH.replace("AVAILABLE", str(available)) + code
    return subprocess.run(
        [sys.executable, "-c", code], input=told, capture_output=True, text=True, env={"PYTHONPATH": str(BENCHMARKS)}
    )


def test_no_clock_is_read_before_the_gpu_is_done() -> None:
    ran = child(
        "watch, own = gate.Stopwatch(), types.SimpleNamespace(act=lambda: None, step=lambda: None)\n"
        "watch.around(own, 'act', 'generate')\nwatch.from_first(own, 'step', 'update')\n"
        "line = gate.Gate()\nline.ready()\nown.act()\nown.step()\nown.step()\nline.done(stages=watch.take())\n",
        "go\n",
    )
    ready, report = (json.loads(line) for line in ran.stdout.splitlines())
    assert (ready["device"], ready["loaded_device_peak_mb"], report["device_peak_mb"]) == ("Fake 48", 5.0, 5.0)
    assert report["stages"] == {"generate": 1.0, "update": 1.0}
    assert (
        report["seconds"] == 5.0
    )  # waits after the one at its start: two of the call, the first step's, take's, its own


def test_without_torch_there_is_no_gpu() -> None:
    code = "import sys\nfrom rivals.gate import Gate\nline = Gate()\nline.ready(torch='torch' in sys.modules)\nline.done()\n"
    ran = subprocess.run(
        [sys.executable, "-c", code], input="go\n", capture_output=True, text=True, env={"PYTHONPATH": str(BENCHMARKS)}
    )
    ready, report = (json.loads(line) for line in ran.stdout.splitlines())
    assert (ready["torch"], ready["device"]) == (False, "")
    assert not any("device_peak" in name for name in (*ready, *report))


@pytest.mark.parametrize(
    ("task", "available", "said"),
    [
        ({"device": "cuda", "memory_gb": 24.0}, True, "[(0.5, 0)]"),
        ({"device": "cuda", "memory_gb": 0.0}, True, "[]"),
        ({"device": "cpu"}, False, "[]"),
        ({"device": "cuda", "memory_gb": 80.0}, True, "memory_gb=80: the GPU has 48.0"),
        ({"device": "cuda", "memory_gb": 0.0}, False, "device=cuda: torch 9.9 of"),
    ],
)
def test_memory_is_limited_and_a_missing_gpu_told(task: dict, available: bool, said: str) -> None:
    ran = child(f"gate.take_device({task})\nprint(calls)\n", available=available)
    assert said in ran.stdout + ran.stderr and ran.returncode == (0 if said[0] == "[" else 1)


def test_ours_is_told_its_precision() -> None:
    found = {
        name: (written["policy"]["quantize"], written["trainer"]["precision"], written["trainer"]["accelerator"])
        for name in throughput.PRECISIONS
        for written in [ours.recipe({**TASK, "precision": name})]
    }
    assert found == {
        "fp32": ("none", "32-true", "cuda"),
        "bf16": ("none", "bf16-mixed", "cuda"),
        "nf4": ("nf4", "bf16-mixed", "cuda"),
    }


def test_our_reward_stays_where_the_rollout_is() -> None:
    kept = {}
    rollout = SimpleNamespace(
        ids_BS=torch.zeros(2, 6, dtype=torch.long, device="meta"),
        is_action_BT=torch.ones(2, 4, dtype=torch.bool, device="meta"),
        length_B=torch.ones(2, dtype=torch.long, device="meta"),
        add_reward=lambda name, reward_BT: kept.update({name: reward_BT}),
    )
    ours_callback.TokenShare(first=3, length=4).on_rewards_due(None, None, rollout)
    assert kept["share"].device.type == "meta"


@pytest.mark.parametrize(
    ("name", "device", "dtype", "arguments"),
    [
        ("fp32", "cpu", torch.float32, {"use_cpu": True, "bf16": False}),
        ("bf16", "cuda", torch.bfloat16, {"use_cpu": False, "bf16": True}),
        ("nf4", "cuda", torch.bfloat16, {"use_cpu": False, "bf16": True}),
    ],
)
def test_rivals_are_told_theirs(
    name: str, device: str, dtype: torch.dtype, arguments: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict = {}
    loader = SimpleNamespace(from_pretrained=lambda folder, **kwargs: asked.update(folder=folder, **kwargs))
    monkeypatch.setattr(precision, "AutoModelForCausalLM", loader)
    task = {"precision": name, "device": device, "model": "M"}
    precision.load_policy(task)
    assert (asked["folder"], asked["dtype"]) == ("M", dtype)
    assert precision.arguments_of(task) == arguments
    if name == "nf4":
        packed = asked["quantization_config"]
        assert (packed.bnb_4bit_quant_type, packed.bnb_4bit_use_double_quant) == ("nf4", True)
        assert (packed.bnb_4bit_compute_dtype, asked["device_map"]) == (torch.bfloat16, {"": 0})
    else:
        assert "quantization_config" not in asked


def test_only_what_learns_is_lowered() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2).requires_grad_(False), torch.nn.Linear(2, 2))
    precision.lower_adapters(model)
    assert (model[0].weight.dtype, model[1].weight.dtype) == (torch.float32, torch.bfloat16)


def test_an_environment_gets_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "version", lambda name: f"{len(name)}")
    assert environment.missing({"trl": "1"}, "trl_grpo", quantises=False) == []
    assert environment.missing({"trl": "1"}, "trl_grpo", quantises=True) == ["bitsandbytes==12"]
    assert environment.missing({"trl": "1", "bitsandbytes": "2"}, "trl_grpo", quantises=True) == []
    everything = environment.missing({}, "trl_ppo", quantises=True)
    assert everything[0] == "torch==5" and everything[-2:] == ["trl==1.12.0", "bitsandbytes==12"]


def test_contenders_see_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert contender.environment("trl_ppo", 3)["CUDA_VISIBLE_DEVICES"] == "0"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert contender.environment("ours", 3)["CUDA_VISIBLE_DEVICES"] == "2"
    assert contender.environment("ours", 3)["OMP_NUM_THREADS"] == "3"


def test_the_last_line_of_an_error() -> None:
    log = ["torch.OutOfMemoryError: no memory", "ValueError: second", "a warning of the end"]
    assert contender.last_error(log) == "ValueError: second"
    assert contender.last_error(["one", "device=cuda: no GPU"]) == "device=cuda: no GPU"
    assert contender.last_error([]) == ""
    assert contender.last_error(["RuntimeError: " + "x" * 999]) == "RuntimeError: " + "x" * 286


WORKS = """
import sys
sys.path.insert(0, {benchmarks!r})
from rivals.gate import Gate
line = Gate()
line.ready()
for n in range({most}):
    line.done(tokens=10, reward=0.5, stages={{"generate": 0.0, "update": 0.0}})
{end}
"""


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Contenders without torch: TRL's PPO dies in its third iteration, ours and GRPO work on."""
    scripts = tmp_path / "benchmarks" / "rivals"
    scripts.mkdir(parents=True)
    ends = {"ours": (99, ""), "trl_grpo": (99, ""), "trl_ppo": (2, "raise MemoryError('none | left')")}
    for script, (most, end) in ends.items():
        (scripts / f"{script}.py").write_text(WORKS.format(benchmarks=str(BENCHMARKS), most=most, end=end))
    monkeypatch.setattr(contender, "HERE", scripts)
    monkeypatch.setattr(contender, "python_of", lambda *_, **__: sys.executable)
    monkeypatch.setattr(contender, "versions_of", lambda python: {"trl": "9.9"})
    monkeypatch.setattr(throughput, "make_task", lambda *_: ({"folder": str(tmp_path)}, {}))
    return scripts


def test_who_dies_ends_neither_the_other_nor_the_other_cells(
    made_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["cells=embedded/forced/ppo_best,check/ppo_best,embedded/forced/grpo", "iterations=3", "warmups=1"]
    words.append(f"out={tmp_path / 'out.json'}")
    with pytest.raises(SystemExit, match="a contender died in embedded/forced/ppo_best, check/ppo_best") as ended:
        throughput.main(words)
    assert ended.value.code != 0
    cells = json.loads((tmp_path / "out.json").read_text())["cells"]
    dead, check, well = cells["embedded/forced/ppo_best"], cells["check/ppo_best"], cells["embedded/forced/grpo"]
    assert dead["died"] == check["died"] == {"trl_ppo": "MemoryError: none | left"}
    assert dead["ours"]["iterations"] == 3 and "rival" not in dead and "ratio" not in dead
    assert check["rewards"] == [0.5, 0.5] and "learns" not in check
    assert well["ratio"]["speed"] > 0 and "died" not in well
    table = (tmp_path / "out.md").read_text()
    assert "| died | - | - |" in table
    assert "| embedded/forced/ppo_best | trl_ppo | MemoryError: none / left |" in table

    capsys.readouterr()
    (made_up / "trl_ppo.py").write_text((made_up / "ours.py").read_text())
    throughput.main(words)  # what a contender died in is run again, and then all is well
    assert capsys.readouterr().out.count("done before") == 1
    assert all("died" not in cell for cell in json.loads((tmp_path / "out.json").read_text())["cells"].values())


def test_deaths_without_an_error_line_and_while_loading(made_up: Path, tmp_path: Path) -> None:
    (made_up / "ours.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    (made_up / "trl_grpo.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(SystemExit, match="died in embedded/natural/grpo"):
        throughput.main(["cells=embedded/natural/grpo", f"out={tmp_path / 'out.json'}"])
    (cell,) = json.loads((tmp_path / "out.json").read_text())["cells"].values()
    assert cell["died"] == {"ours": "killed by signal 9", "trl_grpo": "exit status 3"}
    assert "| died | died | - | - | died / died |" in (tmp_path / "out.md").read_text()
