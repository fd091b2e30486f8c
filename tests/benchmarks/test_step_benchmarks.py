"""The scripts that time whole training steps: what they count is counted rightly, and they run from end to end."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import floor  # noqa: E402
import growth  # noqa: E402
import steps_common as common  # noqa: E402
import verify_wait  # noqa: E402
from sleeper import Sleeper  # noqa: E402

from rlsf_lightning.policy.load import load_policy  # noqa: E402
from rlsf_lightning.policy.logprob import score_actions  # noqa: E402
from rlsf_lightning.records import Prompt, Verdict  # noqa: E402

TINY = ["batch=2", "samples=2", "prompt=6", "length=3", "width=64", "layers=1", "vocabulary=300", "steps=2"]
SMALL_QWEN2 = {
    "model_type": "qwen2",
    "vocab_size": 600,
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


def test_the_line_goes_through_the_outer_points() -> None:
    straight = growth.line((1, 2, 4, 8), (5, 7, 11, 19))
    assert (straight["slope"], straight["fixed"], straight["off"]) == (2, 3, 0)
    assert straight["each_most_over_least"] == pytest.approx(5 / 2.375)
    bent = growth.line((1, 2, 4, 8), (1, 4, 16, 64))
    assert (bent["slope"], bent["fixed"]) == (9, -8) and bent["off"] == pytest.approx(0.6)


def test_the_summary_says_whether_growth_is_linear_and_what_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(growth.AXES, "batch", (1, 2, 4, 8))
    points = [{"generate": 3.0 + x, "score": 1.0 * x, "update": 2.0 * x, "step": 3.0 + 4 * x} for x in (1, 2, 4, 8)]
    found = growth.summary("batch", points)
    assert found["linear"] and "43% of the smallest step" in found["words"] and "generate 43%" in found["words"]
    points = [
        {"generate": x, "score": x * x, "update": x, "step": 2.0 * x + x * x, "kinds": {"attention": x * x, "else": x}}
        for x in (1, 2, 4, 8)
    ]
    found = growth.summary("batch", points)
    assert not found["linear"] and "NOT linear" in found["words"] and "bend is in score" in found["words"]
    assert "attention 8.00 times (89% of the largest), else 1.00 times (11%" in found["words"]


WORK = floor.Work(
    linear=10, linear_bytes=40, adapters=3, head=8, first_inputs=2, layers=1, attention=2, cached=4, size=4, scorings=2,
    prompts=(2,), rows=((2, 2), (2, 1)),
)  # fmt: skip


def test_floors_by_hand() -> None:
    """Prefill 40 + 16 + 16, then one row's second token: 36 + 24 FLOPs, or 4 (18 + 12) bytes."""
    assert WORK.generate(1.0, 1e12) == 132
    assert WORK.generate(1e12, 1.0) == pytest.approx(120)
    assert WORK.forward() == 176 + 112
    assert WORK.score(2.0) == 288
    assert WORK.update(1.0) == 288 + (112 + 128 + 32) + (84 + 72 + 16)


def test_quantised_weights_are_read_as_what_they_take() -> None:
    """5 bytes for the linear layers; the head and keys and values stay 4 (8 + 12). FLOPs stay what they were."""
    packed = replace(WORK, linear_bytes=5)
    assert packed.generate(1e12, 1.0) == pytest.approx(85)
    assert packed.generate(1.0, 1e12) == 132


def test_a_weight_is_as_large_as_its_memory() -> None:
    """NF4: half a byte a number, a byte of scale for 64 of them, and four more for 256 scales."""
    bnb = pytest.importorskip("bitsandbytes")
    assert floor.stored_bytes(torch.zeros(64, 64)) == 4 * 4096
    layer = bnb.nn.Linear4bit(64, 64, bias=False, quant_type="nf4", compress_statistics=True).to("cpu")
    assert floor.stored_bytes(layer.weight) == 2048 + 64 + 4
    layer = bnb.nn.Linear4bit(64, 64, bias=False, quant_type="nf4", compress_statistics=False).to("cpu")
    assert floor.stored_bytes(layer.weight) == 2048 + 4 * 64


def test_the_floor_of_a_named_shape_with_packed_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Probes, work and table; the linear layers of width 64 hold 49,152 numbers a layer, biases apart."""
    pytest.importorskip("bitsandbytes")
    monkeypatch.setitem(floor.SHAPES, "small", SMALL_QWEN2)
    monkeypatch.setattr(floor, "BIG", {"cpu": 1000})
    monkeypatch.setattr(floor, "SQUARE", {"cpu": 32})
    monkeypatch.setattr(floor, "PROBE_SECONDS", 0.0)
    settings = ["shape=small", "quantize=nf4", "batch=2", "samples=2", "prompt=6", "length=3", "steps=1"]
    floor.main([*settings, f"results={tmp_path}"])
    (found,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
    assert found["work"]["linear"] == 49_152
    assert 0.5 * 49_152 < found["work"]["linear_bytes"] < 0.53 * 49_152
    assert found["rates"]["own weights x one token, bytes/s"] > 0
    stage = found["stages"]["generate"]
    assert stage["share"] == pytest.approx(stage["floor"] / stage["seconds"])
    (table,) = (path.read_text() for path in tmp_path.glob("*.md"))
    assert "shape=small, quantize=nf4" in table and "width=" not in table and "MFU" in table


def test_the_floor_refuses_what_it_does_not_know() -> None:
    with pytest.raises(SystemExit, match=r"shape=gpt9: write one of embedded, .*qwen2_1\.5b"):
        floor.main(["shape=gpt9"])
    with pytest.raises(SystemExit, match="quantize=int3: write one of none, nf4"):
        floor.main(["quantize=int3"])


def test_flops_are_those_that_torch_counts(tmp_path: Path) -> None:
    """But for attention, of which torch counts the half that the mask hides, or nothing at all."""
    shape = common.Shape(64, 2, 300)
    recipe = common.ppo_recipe(tmp_path, shape, 6, ["rollout.max_new_tokens=3"])
    policy = load_policy(recipe.policy, with_value=True)
    settings = {"prompt": 6, "length": 3, "batch": 2, "samples": 1}
    module = type("Loaded", (), {"policy": policy, "old_scores_are_sampled": lambda self: True})()
    work = floor.work_of(module, settings)  # type: ignore[arg-type]
    ids_BS, is_action_BT = torch.randint(1, 300, (2, 9)), torch.ones(2, 3, dtype=torch.bool)

    def counted(backward: bool) -> int:
        is_real_BS = torch.ones_like(ids_BS, dtype=torch.bool)
        with policy.merged(learning=True), FlopCounterMode(display=False) as counter:
            scores = score_actions(policy, ids_BS, is_real_BS, is_action_BT, temperature=1.0)
            if backward:
                scores.logp_BT.sum().backward()
        return sum(n for op, n in counter.get_flop_counts()["Global"].items() if "attention" not in str(op))

    attention = sum(2 * work.layers * work.attention * (p + c) ** 2 for p, c in work.rows)
    gradient = sum(2 * work.head * c for _, c in work.rows)  # of the head: a product added in place, which torch omits
    assert counted(backward=False) == work.score(1.0) - attention
    assert counted(backward=True) == work.update(1.0) - 3 * attention - gradient


def test_operations_are_put_down_to_their_kind() -> None:
    assert floor.kind_of("aten::addmm") == "matrix products"
    assert floor.kind_of("aten::_scaled_dot_product_flash_attention_for_cpu") == "attention"
    assert floor.kind_of("aten::_fused_adamw_") == "optimiser"
    assert floor.kind_of("aten::mul") == "elementwise and reductions"
    found = floor.split({"aten::mm": 6.0, "aten::mul": 3.0, "(no operation)": 1.0})
    assert found["kinds"]["matrix products"] == 0.6 and found["operations"]["(no operation)"] == 0.1


def test_the_wait_is_held_against_the_step() -> None:
    seconds = {"score": 2.0, "verify": 0.5, "step": 10.0}
    hidden = verify_wait.point(50.0, 1.5, seconds, 0.1)
    assert hidden["left"] == 0.0 and hidden["share"] == 0.05
    late = verify_wait.point(100.0, 3.0, {**seconds, "verify": 4.0}, 4.0)
    assert late["left"] == 1.0
    assert "costs less than 10% of the step: 5.0% at most, at 50 ms" in verify_wait.verdict([hidden, late])
    assert "DOES NOT" in verify_wait.verdict([{**hidden, "share": 0.2}])
    assert "nothing is shown" in verify_wait.verdict([late])


def test_the_sleeper_has_verdicts_of_both_kinds() -> None:
    found = {Sleeper().verify(Prompt("p", ""), str(n)).verdict for n in range(20)}
    assert found == {Verdict.PASS, Verdict.FAIL}


def test_forced_completions_have_full_length_and_stages_add_up(tmp_path: Path) -> None:
    recipe = common.ppo_recipe(
        tmp_path, common.Shape(64, 1, 300), 6, ["rollout.batch_size=2", "rollout.max_new_tokens=5"]
    )
    first, second = common.run_steps(recipe, 2, forced=True)
    assert first["length"] == second["length"] == 5 and second["truncated"] == 1
    for clock in ("seconds", "cpu"):
        found = common.medians([second], clock)
        assert found["rest"] > 0 and sum(found[s] for s in (*common.STAGES, "rest")) == pytest.approx(found["step"])


def written(theme: str, folder: Path) -> dict[str, Any]:
    """The one result in the folder, with its table beside it."""
    (path,) = folder.glob("*.json")
    assert path.name.startswith(f"{theme}_") and path.with_suffix(".md").exists()
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_the_floor_runs_from_end_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(floor, "BIG", {"cpu": 1000})
    monkeypatch.setattr(floor, "SQUARE", {"cpu": 32})
    monkeypatch.setattr(floor, "PROBE_SECONDS", 0.0)
    floor.main([*TINY, f"results={tmp_path}"])
    stages = written("floor", tmp_path)["stages"].values()
    assert all(stage["ratio"] > 0 and stage["kinds"] for stage in stages)


def test_growth_runs_from_end_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(growth.AXES, "batch", (2, 4))
    growth.main([*TINY, "axes=batch", f"results={tmp_path}"])
    assert len(written("growth", tmp_path)["axes"]["batch"]["points"]) == 2


def test_the_wait_for_a_verifier_runs_from_end_to_end(tmp_path: Path) -> None:
    verify_wait.main([*TINY, "ms=0,200", "workers=1", f"results={tmp_path}"])
    free, slow = written("verify_wait", tmp_path)["points"]
    assert slow["work"] == 0.8 and slow["verify"] > max(free["verify"], 0.8 * slow["left"])


def test_settings_are_typed_and_checked() -> None:
    assert common.settings_of(["a=5"], {"a": 1, "b": "x"}) == {"a": 5, "b": "x", "results": str(common.RESULTS)}
    with pytest.raises(SystemExit, match="b=x"):
        common.settings_of(["c=5"], {"a": 1, "b": "x"})
