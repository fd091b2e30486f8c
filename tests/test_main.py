"""``rlsf COMMAND``: every command under one name."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rlsf_lightning
from rlsf_lightning import certify, fit
from rlsf_lightning.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_a_command_is_run_with_the_arguments_behind_its_name(monkeypatch, capsys):
    main(["certify", "verifier=game24", "completion=(1+2+3)*4", "facts.numbers=[1,2,3,4]"])
    by_name = capsys.readouterr().out
    certify.main(["verifier=game24", "completion=(1+2+3)*4", "facts.numbers=[1,2,3,4]"])
    assert by_name == capsys.readouterr().out and by_name.startswith("PASS")


def test_the_arguments_are_those_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["rlsf", "certify", "verifier=game24", "completion=1", "facts.numbers=[1]"])
    main()
    assert "FAIL" in capsys.readouterr().out


def test_a_mistake_in_a_command_is_told_as_the_command_tells_it(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["fit", "recpie=chem_iupac"])
    assert capsys.readouterr().err.startswith("error:")


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_that_of_the_package(word, capsys):
    main([word])
    fit.main([word])
    fit.main(["recipe=chem_iupac", word])
    assert capsys.readouterr().out == f"rlsf-lightning {rlsf_lightning.__version__}\n" * 3


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_names_every_command(word, capsys):
    main([word])
    told = capsys.readouterr().out
    assert all(f"  rlsf {name} " in told for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "which command?"),
        (["fitt"], "`fitt`: no such command; did you mean `fit`"),
        (["recipe=x"], "no such command"),
    ],
)
def test_no_such_command_lists_them(arguments, told, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    shown = capsys.readouterr()
    assert stop.value.code == 2 and not shown.out
    assert shown.err.startswith("error: ") and told in shown.err and "rlsf evaluate" in shown.err


def test_the_script_is_this_function():
    module, _, function = PROJECT["scripts"]["rlsf"].partition(":")
    assert (module, function) == (main.__module__, main.__name__)


def test_all_has_every_extra_for_users():
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    named = everything.removeprefix("rlsf-lightning[").removesuffix("]").split(",")
    assert sorted(named) == sorted(extras.keys() - {"all", "dev"})


def test_ctrl_c_while_a_command_is_imported_ends_it_in_silence(tmp_path):
    (tmp_path / "omegaconf.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    path = os.pathsep.join([str(tmp_path), str(Path(rlsf_lightning.__file__).parents[1])])
    command = [sys.executable, "-m", "rlsf_lightning.fit", "recipe=chem_iupac"]
    ended = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_a_program_that_imports_the_package_keeps_its_handlers():
    code = "import signal, rlsf_lightning; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
