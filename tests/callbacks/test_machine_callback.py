"""What a run says before it starts."""

import json
from importlib.metadata import version

import pytest
import torch
from training_cases import LikesShort, fit

from callbacks.machine import Machine


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_cores_and_memory_are_told(make_recipe, tmp_path, capfd, threads):
    fit(make_recipe(), tmp_path, LikesShort(), Machine(), steps=1)
    told = capfd.readouterr().err
    assert "of which 1 for torch and 0 for the verifier" in told and "memory: about 0." in told
    noted = json.loads((tmp_path / "machine.json").read_text())
    assert noted["device"].partition(" ")[2].startswith("cores, ")
    assert noted["versions"]["torch"] == version("torch") and "Python" in noted["versions"]


def test_a_split_without_prompts_is_left_to_the_data_module(make_recipe, tmp_path, monkeypatch, capfd, threads):
    monkeypatch.setattr("callbacks.machine.recipe_prompts", lambda *_, **__: iter(()))
    fit(make_recipe(), tmp_path, LikesShort(), Machine(), steps=1)
    assert "memory: about" in capfd.readouterr().err
