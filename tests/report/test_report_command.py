"""``report run_dir=...``: what it writes, and what it says of a mistake."""

import pytest
from report_cases import certificate, record, run_folder, summary

import rlsf_lightning.report as command


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return run_folder(tmp_path / "run", [record("CC", certificate("pass"))], summary())


def test_the_page_lies_in_the_runs_folder_or_where_it_is_asked_for(run, monkeypatch, capsys):
    pytest.importorskip("plotly")
    from rlsf_lightning.report import page

    monkeypatch.setattr(page, "_library", lambda: ("var Plotly;", []))
    command.main([f"run_dir={run}"])
    command.main([f"run_dir={run}", "output=other.html"])
    assert capsys.readouterr().out == f"written to {run}/report.html\nwritten to other.html\n"
    assert (run / "report.html").read_text() == (run.parent / "other.html").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run_dir=nowhere"], "run_dir=nowhere: no run's folder"),
        (["run_dir=run", "output=no/such/place.html"], "output=no/such/place.html: cannot write there"),
        (["run_dir=run", "output=run"], "output=run: cannot write there"),
        (["run_dir=broken"], "its recipe.yaml is no recipe"),
        ([], "`run_dir` has no value"),
    ],
)
def test_a_mistake_is_told_in_a_line(run, capsys, words, told):
    pytest.importorskip("plotly")
    (run.parent / "broken").mkdir()
    (run.parent / "broken" / "recipe.yaml").write_text("- a\n")
    with pytest.raises(SystemExit, match="2"):
        command.main(words)
    assert told in capsys.readouterr().err


def test_without_the_extra_the_line_that_installs_it_is_told(run, monkeypatch, capsys):
    monkeypatch.setattr(command, "PACKAGES", ("jinja2", "a_package_that_nobody_has"))
    with pytest.raises(SystemExit, match="2"):
        command.main([f"run_dir={run}"])
    assert 'a report needs a_package_that_nobody_has: pip install "rlsf-lightning[report]"' in capsys.readouterr().err
