"""``samples.jsonl``: one entry a token, and lines that a resumed run reads again."""

import json
from types import SimpleNamespace

import pytest
import torch

from rlsf_lightning.records import Prompt, Span
from rlsf_lightning.training.hooks import build_callbacks


def rollout(completion, prompt="p"):
    return SimpleNamespace(
        prompts=[Prompt("1", prompt, "ref")] * 2,
        completions=[completion] * 2,
        spans=[[Span(0, 1), Span(1, 1)]] * 2,
        length_B=torch.tensor([2, 2]),
        is_finished_B=torch.tensor([True, False]),
        certificates=[],
        rewards={"verifier": torch.tensor([[0.1, 0.0, 0.0], [0.2, 0.0, 0.0]])},
        advantage_BT=torch.tensor([[1.0, 2.0, 0.0]] * 2),
        sampled_logp_BT=torch.tensor([[-0.5, -0.25, 0.0]] * 2),
        ref_logp_BT=torch.tensor([[-0.75, -0.25, 0.0]] * 2),
    )


def module_of(folder, steps_done):
    return SimpleNamespace(run_dir=str(folder), steps_done=steps_done, watched_rows=lambda rollout: torch.tensor([0]))


TRAINER = SimpleNamespace(is_global_zero=True)


def test_a_line_has_the_figures_of_each_token_and_the_reference_where_it_was_measured(tmp_path):
    (samples,) = build_callbacks({"samples": {}})
    module = module_of(tmp_path, 0)
    samples.on_train_start(TRAINER, module)
    samples.on_advantages_ready(TRAINER, module, rollout("C"))
    first, second = (json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines())
    assert first["tokens"] == [[0, 1], [1, 1]] and first["rewards"] == {"verifier": [0.1, 0.0]}
    assert first["advantages"] == [1.0, 2.0] and first["logp"] == [-0.5, -0.25] and first["ref_logp"] == [-0.75, -0.25]
    assert "ref_logp" not in second and second["ended"] is False


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "a\x1cb", "\ud800", "a\r\nb"])
def test_a_resumed_run_keeps_lines_with_any_character(tmp_path, text):
    (samples,) = build_callbacks({"samples": {"per_step": 1}})
    for step in range(2):
        module = module_of(tmp_path, step)
        samples.on_train_start(TRAINER, module)
        samples.on_advantages_ready(TRAINER, module, rollout("C", prompt=text))
    with (tmp_path / "samples.jsonl").open("a") as file:
        file.write('{"step": 1, "never fini')
    samples.on_train_start(TRAINER, module_of(tmp_path, 2))
    lines = (tmp_path / "samples.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)["prompt"] for line in lines[:-1]] == [text, text] and lines[-1] == ""
