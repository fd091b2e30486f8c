"""The benchmark against TRL: its arithmetic, its line to the contenders, and models that end when they should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import throughput  # noqa: E402
from rivals import figures, models  # noqa: E402


def reported(seconds: float, tokens: int, peak_mb: float, **stages: float) -> dict:
    return {"seconds": seconds, "cpu_seconds": 2 * seconds, "tokens": tokens, "peak_mb": peak_mb, "stages": stages}


def test_summary_leaves_out_warmups_but_not_their_memory() -> None:
    reports = [
        reported(50.0, 100, 900.0, generate=40.0),
        reported(2.0, 100, 500.0, generate=1.0, update=0.5),  # 50 a second
        reported(4.0, 100, 600.0, generate=2.0, update=0.5),  # 25
        reported(1.0, 100, 700.0, generate=0.5, update=0.1),  # 100
    ]
    found = figures.summary(reports, warmups=1)
    assert found["tokens_per_second"] == 50.0
    assert found["spread"] == 0.75  # (100 - 25) / 2 / 50
    assert found["tokens_per_cpu_second"] == 25.0
    assert found["peak_mb"] == 900.0
    assert found["stages"] == {"generate": 1.0, "update": 0.5}
    assert found["iterations"] == 3


def test_summary_refuses_warmups_alone() -> None:
    with pytest.raises(AssertionError, match="2 reports leave none"):
        figures.summary([reported(1.0, 1, 1.0)] * 2, warmups=2)


@pytest.mark.parametrize(
    ("stages", "split"),
    [
        ({"generate": 3.0, "score": 1.0, "verify": 0.5, "update": 4.0}, (3.0, 1.0, 0.5, 4.0, 1.5)),
        ({"generate": 3.0, "update": 5.0, "value and reward": 1.0}, (3.0, 2.0, 0.0, 5.0, 0.0)),
        ({"generate": 3.0, "generate and score": 4.0}, (3.0, 1.0, 0.0, 6.0, 0.0)),
    ],
)
def test_stage_split_reads_every_contenders_seams(stages: dict, split: tuple) -> None:
    found = figures.stage_split({"stages": stages, "seconds": 10.0})
    assert tuple(found[s] for s in ("generate", "score", "verify", "update", "rest")) == split


def test_compare_is_how_many_times_faster_and_smaller() -> None:
    ours = {"tokens_per_second": 300.0, "tokens_per_cpu_second": 200.0, "peak_mb": 500.0, "loaded_mb": 400.0}
    theirs = {"tokens_per_second": 100.0, "tokens_per_cpu_second": 50.0, "peak_mb": 2000.0, "loaded_mb": 1000.0}
    assert figures.compare(ours, theirs) == {
        "speed": 3.0,
        "speed_of_cpu_time": 4.0,
        "memory": 4.0,
        "memory_beyond_loaded": 10.0,
    }


@pytest.mark.parametrize(("last", "expected"), [(0.625, True), (0.5625, False)])
def test_learns_compares_quarters(last: float, expected: bool) -> None:
    assert figures.learns([0.5, 0.5, 9.0, 9.0, 0.0, 0.0, last, last], by=0.125) is expected


def test_table_has_a_row_a_cell_and_a_contender() -> None:
    ours = {**figures.summary([reported(2.0, 100, 500.0, generate=1.0, score=0.25, update=0.5)], 0), "loaded_mb": 400.0}
    theirs = {**figures.summary([reported(4.0, 100, 900.0, generate=3.0, update=0.5)], 0), "loaded_mb": 400.0}
    ratio = figures.compare(ours, theirs)
    cell = {"model": "m", "mode": "forced", "rival_name": "R", "ratio": ratio, "ours": ours, "rival": theirs}
    check = {"learns": False, "first": 0.5, "last": 0.51}
    lines = figures.table({"m/forced/R": cell, "check/x": check}).splitlines()
    assert lines[2] == "| m, forced | R | 50 ±0% | 25 ±0% | **2.00x** | 2.00x | 500 / 900 | 1/1.8 | 1/5.0 |"
    assert "| m/forced/R | ours | 100 | 1.00 | 0.25 | 0.00 | 0.50 | 0.25 | 2.00 | 4.00 |" in lines
    assert "| m/forced/R | rival | 100 | 3.00 | 0.50 | 0.00 | 0.50 | 0.00 | 4.00 | 8.00 |" in lines
    assert lines[-1] == "| check/x | 0.500 | 0.510 | NO |"


def test_table_shows_a_gpus_memory_and_who_died() -> None:
    def side(peak_mb: float, device_peak_mb: float) -> dict:
        report = {**reported(2.0, 100, peak_mb, generate=1.0, update=0.5), "device_peak_mb": device_peak_mb}
        return {**figures.summary([{**report, "device_peak_mb": 2 * device_peak_mb}, report], 1), "loaded_mb": 400.0}

    ours, theirs = side(500.0, 1000.0), side(900.0, 4000.0)
    cell = {"model": "m", "mode": "forced", "rival_name": "R"}
    both = {**cell, "ratio": figures.compare(ours, theirs), "ours": ours, "rival": theirs}
    died = {**cell, "died": {"trl_ppo": "OutOfMemoryError: no | memory"}, "ours": ours}
    lines = figures.table({"a": both, "b": died, "check/x": {"died": {"ours": "E"}}}).splitlines()
    assert lines[0].endswith("| beyond loaded | GPU memory, MB | ratio |") and lines[1].count("|") == 12
    assert lines[2] == (
        "| m, forced | R | 50 ±0% | 50 ±0% | **1.00x** | 1.00x | 500 / 900 | 1/1.8 | 1/5.0 | 2000 / 8000 | 1/4.0 |"
    )
    assert lines[3] == "| m, forced | R | 50 ±0% | died | - | - | 500 / died | - | - | 2000 / died | - |"
    assert lines[4] == ""
    assert lines[-2:] == ["| b | trl_ppo | OutOfMemoryError: no / memory |", "| check/x | ours | E |"]


def test_settings_of_a_gpu_are_checked() -> None:
    found = throughput.parse(["device=cuda", "precision=nf4", "memory_gb=24"])
    assert (found["device"], found["precision"], found["memory_gb"]) == ("cuda", "nf4", 24.0)
    assert throughput.parse(["precision=bf16"])["device"] == "cpu"
    for words, said in (
        (["device=cuda"], "precision=fp32 device=cuda: our dense base is bf16 on a GPU"),
        (["precision=fp16"], "precision=fp16: write one of fp32, bf16, nf4"),
        (["device=tpu"], "device=tpu: write one of cpu, cuda"),
        (["memory_gb=24"], "memory_gb=24 limits a GPU's memory"),
    ):
        with pytest.raises(SystemExit, match=said):
            throughput.parse(words)


def test_results_are_named_for_what_must_not_be_mixed() -> None:
    machine = throughput.machine()
    assert throughput.variant(throughput.parse([])) == machine
    settings = throughput.parse(["device=cuda", "precision=nf4", "memory_gb=24"])
    assert throughput.variant(settings) == f"{machine}_cuda_nf4_24gb"


def test_the_report_says_what_it_was_measured_on() -> None:
    ours = {**figures.summary([reported(2.0, 100, 500.0, generate=1.0, update=0.5)], 0), "loaded_mb": 400.0}
    cell = {"model": "m", "mode": "forced", "rival_name": "R", "ratio": figures.compare(ours, ours), "sizes": {}}
    cell |= {"ours": ours, "rival": ours}
    on_gpu = {
        **cell,
        "ours": {**ours, "device": "NVIDIA X"},
        "settings": throughput.parse(["device=cuda", "precision=nf4", "memory_gb=24"]),
    }
    older = {k: v for k, v in throughput.parse([]).items() if k not in ("precision", "memory_gb")}
    result = {"processor": "P", "versions": {}}
    text = throughput.report({**result, "cells": {"a": on_gpu}})
    assert "\nGPU NVIDIA X, 24 GiB of it for each contender; NF4 base" in text and "fp32;" not in text
    text = throughput.report({**result, "cells": {"a": on_gpu, "b": {**cell, "settings": older}, "c": on_gpu}})
    assert "\na, c: GPU NVIDIA X, 24 GiB" in text and "\nb: CPU; fp32;" in text
    text = throughput.report({**result, "cells": {"a": {**cell, "settings": throughput.parse(["precision=bf16"])}}})
    assert "\nCPU; bf16 under autocast" in text and "fp32 with ours" in text


def test_a_cpu_is_not_given_what_is_meant_for_gpus() -> None:
    everywhere, on_gpu = (throughput.cell_names("", device) for device in ("cpu", "cuda"))
    assert "smollm2/forced/grpo" in everywhere and not any("qwen2" in name for name in everywhere)
    assert set(on_gpu) - set(everywhere) == {
        f"qwen2_1.5b/{mode}/{rival}" for mode in ("forced", "natural") for rival in ("ppo_example", "ppo_best", "grpo")
    }
    assert throughput.cell_names("qwen2_1.5b/forced/grpo", "cpu") == ["qwen2_1.5b/forced/grpo"]


def test_settings_are_typed_as_their_defaults() -> None:
    found = throughput.parse(["threads=1", "lr=1e-4", 'ours={"a": 1}', "again=true"])
    assert (found["threads"], found["lr"], found["ours"], found["again"]) == (1, 1e-4, {"a": 1}, True)
    with pytest.raises(SystemExit, match="no setting `thread`"):
        throughput.parse(["thread=1"])


def test_cells_are_chosen_by_pattern_and_run_in_its_order() -> None:
    assert throughput.cell_names("embedded/forced/ppo*,check/ours_*", "cpu") == [
        "embedded/forced/ppo_example",
        "embedded/forced/ppo_best",
        "check/ours_ppo",
        "check/ours_grpo",
    ]
    with pytest.raises(SystemExit, match="none of"):
        throughput.cell_names("nothing/*", "cpu")


def test_gate_works_only_between_go_and_report(tmp_path: Path) -> None:
    """What a library prints stays out of the reports, and the child ends where it is told nothing more."""
    child = tmp_path / "child.py"
    child.write_text(
        "from rivals.gate import Gate\ngate = Gate()\nprint('noise')\ngate.ready()\n"
        "gate.done(n=1)\ngate.done(n=2)\nprint('never')\n"
    )
    ran = subprocess.run(
        [sys.executable, child], input="go\ngo\n", capture_output=True, text=True, env={"PYTHONPATH": str(BENCHMARKS)}
    )
    reports = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [r.get("n") for r in reports] == [None, 1, 2] and reports[0]["ready"]
    assert all(0 <= r["seconds"] < 60 and r["peak_mb"] > 0 for r in reports[1:])
    assert ran.returncode == 0 and ran.stderr == "noise\n"


def test_end_probability_halves_the_length() -> None:
    for tokens in (8, 64):
        p, alive, mean = models.end_probability(tokens), 1.0, 0.0
        for _ in range(tokens):
            mean += alive
            alive *= 1 - p
        assert mean == pytest.approx(tokens / 2, rel=1e-6)


SMALL = {
    "vocab_size": 600,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("mode", ["forced", "natural"])
def test_model_ends_with_one_probability(
    mode: str, family: str, dtype: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(models.SHAPES, "small", SMALL | ({"model_type": family} if family != "llama" else {}))
    facts = models.prepare(tmp_path, "small", mode, tokens=16, dtype=dtype)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert (model.config.model_type, model.dtype) == (family, dtype)
    weights = dict(model.named_parameters())
    assert [f"model.layers.0.self_attn.{name}_proj.bias" in weights for name in "qkvo"] == [family == "qwen2"] * 3 + [
        False
    ]
    ids_BS = torch.randint(2, 600, (16, 32), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        p_BSV = model(input_ids=ids_BS).logits.float().softmax(-1)
    assert float(p_BSV[..., models.PAD].max()) < 1e-9
    if mode == "forced":
        assert float(p_BSV[..., models.EOS].max()) < 1e-9
    else:
        assert float(p_BSV[..., models.EOS].mean()) == pytest.approx(facts["end_probability"], rel=0.1)
        assert float(p_BSV[..., models.EOS].std()) < 0.5 * facts["end_probability"]


def test_the_configuration_of_1_5_billion_parameters() -> None:
    """Qwen2.5-1.5B has 1,543,714,304 of them; counted without memory for one."""
    shape = models.SHAPES["qwen2_1.5b"]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**shape, tie_word_embeddings=True))
    assert sum(p.numel() for p in model.parameters()) == 1_543_714_304


def test_prompts_are_bytes_and_rewarded_tokens_are_words(tmp_path: Path) -> None:
    """So a prompt never holds a rewarded token, and every id has a text."""
    models.tokenizer(1024, seed=0).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    texts = models.write_prompts(tmp_path / "prompts.jsonl", 16)
    assert [json.loads(line)["prompt"] for line in (tmp_path / "prompts.jsonl").read_text().splitlines()] == texts
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        assert len(ids) == len(text) and max(ids) < 512
        assert tokenizer.decode(ids) == text
    assert len(tokenizer) == 1024 and (tokenizer.pad_token_id, tokenizer.eos_token_id) == (0, 1)
    assert tokenizer.padding_side == "left"
