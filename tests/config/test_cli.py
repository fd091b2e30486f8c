"""The command line: what reaches a command, and what a user sees on stdout, on stderr and as exit status."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rlsf_lightning.config import cli
from rlsf_lightning.errors import UserError

ROOT = Path(__file__).parents[2]
#: As ``recipe=list`` shows the recipe below: names are as wide as the longest.
LISTED = f"{'plain':<{max(len(path.stem) for path in (ROOT / 'recipes').glob('[!_]*.yaml'))}}  A plain recipe."


@dataclass
class Options:
    #: How many rows.
    limit: int = 3
    #: Where to.
    output: str | None = None


@pytest.fixture(autouse=True)
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "plain.yaml").write_text(
        "# A plain recipe.\n# Its manual.\ndata: {source: iupac}\nverifier: {name: smiles}\n"
    )
    return tmp_path


class Command:
    """Records what it was called with."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.calls: list[tuple[Any, Any]] = []
        self.error = error

    def __call__(self, recipe: Any, options: Any) -> None:
        self.calls.append((recipe, options))
        if self.error:
            raise self.error


def exit_status(command: Command, *argv: str, options: type | None = Options) -> int:
    with pytest.raises(SystemExit) as stopped:
        cli.main("Does it.", command, options, argv)
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_recipe_and_options_reach_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    command = Command()
    cli.main("Does it.", command, Options, ["seed=4", "recipe=plain", "limit=7", "output=a=b"])
    ((recipe, options),) = command.calls
    assert (recipe.recipe, recipe.seed) == ("plain", 4)
    assert options == Options(7, "a=b")
    assert capsys.readouterr() == ("", "")


def test_a_command_without_options_gets_none() -> None:
    command = Command()
    cli.main(None, command, argv=["recipe=plain"])
    assert command.calls[0][1] is None


def test_the_processs_arguments_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command()
    monkeypatch.setattr(sys, "argv", ["fit", "recipe=recipes/plain.yaml"])
    cli.main(None, command)
    assert command.calls[0][0].recipe == "plain"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "which recipe? write recipe=NAME"),
        ([], LISTED),
        (["seed=3"], "which recipe?"),
        (["recipe=plian"], "did you mean `plain`?"),
        (["recipe=plain", "recipe=plain"], "one recipe at a time"),
        (["plain"], "`plain`: write recipe=plain"),
        (["recipe=plain", "fast"], "`fast`: every argument is key=value"),
        (["recipe=plain", "--seed", "3"], "keys have no dashes: write seed=VALUE"),
        (["recipe=plain", "--seed=3"], "keys have no dashes: write seed=3"),
        (["recipe=plain", "limit=x"], "`limit` expects a whole number, got x"),
        (["recipe=plain", "limt=3"], "no key `limt`; did you mean `limit`?"),
        (["recipe=plain", "polcy.name=x"], "no key `polcy.name`; did you mean `policy.name`?"),
        (["recipe=plain", "trainer.max_steps=3"], "trainer.max_epochs"),
    ],
)
def test_a_mistake_is_one_message_on_stderr(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command()
    assert exit_status(command, *argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and told in err and "Traceback" not in err
    assert command.calls == []


def test_a_users_mistake_inside_the_command_is_told_in_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(Command(UserError("no such file: x")), "recipe=plain") == 2
    assert capsys.readouterr() == ("", "error: no such file: x\n")


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        cli.main(None, Command(ZeroDivisionError()), argv=["recipe=plain"])


def test_an_interrupt_is_130() -> None:
    assert exit_status(Command(KeyboardInterrupt()), "recipe=plain") == 130


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_with_its_status(capsys: pytest.CaptureFixture[str], signum: int, status: int) -> None:
    before = signal.getsignal(signum)

    def run(recipe: Any, options: Any) -> None:
        signal.raise_signal(signum)
        raise AssertionError("never reached")

    with pytest.raises(SystemExit) as stopped:
        cli.main(None, run, argv=["recipe=plain"])
    assert stopped.value.code == status
    assert capsys.readouterr().err == f"stopped by {signal.Signals(signum).name}\n"
    assert signal.getsignal(signum) == before


def test_another_exit_status_is_kept() -> None:
    assert exit_status(Command(SystemExit(5)), "recipe=plain") == 5


def test_the_list_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    command = Command()
    cli.main(None, command, Options, ["recipe=list"])
    out, err = capsys.readouterr()
    assert f"  {LISTED}\n" in out and "chem_iupac" in out and err == ""
    assert command.calls == []


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_explains_options_and_keys(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command()
    cli.main("Does it.", command, Options, [word])
    out, err = capsys.readouterr()
    assert out.startswith("Does it.\n") and err == "" and command.calls == []
    assert "  limit=3  (whole number)\n      How many rows.\n" in out
    assert "  rollout.temperature=1.0  (number)\n      Sampling temperature" in out


def test_help_for_a_recipe_shows_its_manual_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main("Does it.", Command(), Options, ["recipe=plain", "--help", "rollout.temperature=0.7"])
    out, _ = capsys.readouterr()
    assert "  A plain recipe.\n  Its manual.\n" in out
    assert "  rollout.temperature=0.7  (number)\n" in out


def test_a_command_file_works_as_a_program_and_helps_without_torch(kitchen: Path) -> None:
    (kitchen / "command.py").write_text(
        textwrap.dedent(
            '''
            """What it does."""
            from __future__ import annotations
            import sys
            from dataclasses import dataclass
            from rlsf_lightning.config import cli

            @dataclass
            class Options:
                #: How many.
                limit: int | None = None

            def run(recipe, options):
                print(options.limit, recipe.recipe)

            if __name__ == "__main__":
                cli.main(__doc__, run, Options)
                heavy = {"torch", "lightning", "transformers", "peft"} & sys.modules.keys()
                print("heavy:", sorted(heavy), file=sys.stderr)
            '''
        )
    )

    def command(*argv: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "command", *argv], capture_output=True, text=True, env=environment, cwd=kitchen
        )

    helped = command("--help")
    assert helped.stdout.startswith("What it does.\n") and "limit=null  (whole number or null)" in helped.stdout
    assert "How many." in helped.stdout and helped.stderr == "heavy: []\n"
    assert command("recipe=plain", "limit=2").stdout == "2 plain\n"
    wrong = command("recipe=plain", "limit=two")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: `limit` expects a whole number or null, got two\n"


def test_a_reader_that_leaves_early_is_no_error(kitchen: Path) -> None:
    script = textwrap.dedent(
        """
        from rlsf_lightning.config import cli
        cli.main("Prints.", lambda recipe, options: print("a line\\n" * 100_000), None, ["recipe=plain"])
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=kitchen, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "a line\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141
