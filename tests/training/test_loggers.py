"""``metrics.csv`` survives a resumed run; other loggers come from the recipe."""

import csv

import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.training.loggers import RunCSVLogger, build_loggers


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]


def test_a_resumed_run_keeps_the_rows_before_its_step_and_drops_the_others(tmp_path):
    first = RunCSVLogger(tmp_path)
    for step in range(4):
        first.log_metrics({"reward": step / 8}, step)
    resumed = RunCSVLogger(tmp_path, first_step=2)
    resumed.log_metrics({"reward": 9.0, "new": 1.0}, 2)
    assert rows(tmp_path) == [
        {"reward": "0.0", "step": "0"},
        {"reward": "0.125", "step": "1"},
        {"reward": "9.0", "new": "1.0", "step": "2"},
    ]


def test_a_torn_last_line_is_dropped(tmp_path):
    (tmp_path / "metrics.csv").write_text("reward,step\n0.5,0\n0.2")
    RunCSVLogger(tmp_path, first_step=5).log_metrics({"reward": 1.0}, 1)
    assert rows(tmp_path) == [{"reward": "0.5", "step": "0"}, {"reward": "1.0", "step": "1"}]


def test_loggers_by_name(tmp_path):
    built = build_loggers({"CSVLogger": {"name": "second"}, "WandbLogger": None}, tmp_path)
    assert [type(logger).__name__ for logger in built] == ["RunCSVLogger", "CSVLogger"]


def test_an_unknown_logger(tmp_path):
    with pytest.raises(UserError, match=r"logger.TensorbordLogger: .*TensorBoardLogger"):
        build_loggers({"TensorbordLogger": {}}, tmp_path)


@pytest.mark.parametrize(("name", "extra"), [("TensorBoardLogger", "tensorboard"), ("WandbLogger", "wandb")])
def test_a_logger_without_its_package_names_the_extra(tmp_path, monkeypatch, name, extra):
    def missing(self, **arguments):
        raise ModuleNotFoundError(f"no module {extra}")

    monkeypatch.setattr(f"lightning.pytorch.loggers.{name}.__init__", missing)
    with pytest.raises(
        UserError, match=rf'logger.{name}: no module {extra}\npip install "rlsf-lightning\[{extra}\]", or from'
    ):
        build_loggers({name: {}}, tmp_path)
