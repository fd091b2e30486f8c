"""The documentation does what it shows: its files are written, its `certify` commands run, their output compared."""

import dataclasses
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from rlsf_lightning import certify, validate
from rlsf_lightning.config import cli
from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.config.extension_points import CREDIT, VERIFIER
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.schema_fields import keys_of
from rlsf_lightning.errors import Stopped, UserError
from rlsf_lightning.symbolic.chemistry.reactions.outcome import NAMED_REACTIONS
from rlsf_lightning.symbolic.loader import find_verifier, load_verifier

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "your_own_task.md", *sorted((ROOT / "docs" / "verifiers").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = "$ python -m rlsf_lightning.certify "
_VERSION = re.compile(r"^((?:PASS|FAIL|ABSTAIN) .*\().*\)$", re.MULTILINE)


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(language, text) for language, text in _BLOCK.findall(page.read_text())]


def examples() -> list[tuple[Path, str, str]]:
    """(page, command, its output) of every `certify` on a page."""
    shown = [(page, text) for page in PAGES for _, text in blocks(page) if text.startswith(_COMMAND)]
    return [(page, text.partition("\n")[0].removeprefix(_COMMAND), text.partition("\n")[2]) for page, text in shown]


@pytest.mark.parametrize(("page", "command", "output"), examples(), ids=lambda value: getattr(value, "stem", ""))
def test_a_command_prints_what_its_page_says(
    page: Path, command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    for _, text in blocks(page):
        named = re.match(r"# (\S+\.(?:py|yaml))\n", text)
        if named:
            file = tmp_path / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    arguments = shlex.split(command)
    _skip_without_its_tool(arguments)
    cli.main("", certify.run, certify.Options, arguments, default_recipe="_base", optional=["data.source"])
    printed = capsys.readouterr().out
    assert _VERSION.sub(r"\1)", printed).rstrip() == _VERSION.sub(r"\1)", output).rstrip()


def _skip_without_its_tool(arguments: list[str]) -> None:
    names = [word.partition("=")[2] for word in arguments if word.startswith("verifier=")]
    try:
        for name in names:
            if name in VERIFIER.shipped():
                load_verifier(name, {})
    except UserError as error:
        pytest.skip(str(error))


def test_the_recipe_of_the_page_is_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _, text in blocks(ROOT / "docs" / "verifiers" / "your_own.md"):
        named = re.match(r"# (\S+\.(?:py|yaml))\n", text)
        if named:
            (tmp_path / named[1]).parent.mkdir(exist_ok=True)
            (tmp_path / named[1]).write_text(text)
    recipe = load_recipe("anagrams")
    assert recipe.verifier.name == str(tmp_path / "anagram.py")
    verifier = load_verifier(recipe.verifier.name, {"max_chars": 10})
    assert type(verifier).__name__ == "Anagram" and not (tmp_path / "anagram.py").read_text().count("eval")


@pytest.mark.parametrize("name", VERIFIER.shipped())
def test_every_verifier_has_a_page_with_a_certificate_and_all_its_kinds(name: str) -> None:
    page = ROOT / "docs" / "verifiers" / f"{name}.md"
    assert any(shown == page for shown, _, _ in examples()), f"{page} shows no certificate"
    text = page.read_text()
    missing = [kind for kind in find_verifier(name).kinds if f"`{kind}`" not in text]
    assert not missing, f"{page} does not name {missing}"


def test_the_page_of_algorithms_has_every_name_and_no_key_that_is_none():
    text = (ROOT / "docs" / "algorithms.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    told_here = {name for name, spec in ESTIMATORS.items() if not spec.function}
    assert rows >= told_here | CREDIT.shipped().keys()
    for key in ("algorithm.kl.form", "algorithm.loss", "algorithm.loss_mean", "algorithm.normalise"):
        assert all(f"`{name}`" in text or f"={name}`" in text for name in keys_of(Recipe)[key].choices), key
    recipe = OmegaConf.structured(Recipe)
    for key in set(re.findall(r"\b(?:algorithm|rollout)(?:\.[a-z_]+)+", text)):
        block, _, name = key.rpartition(".")
        assert name in OmegaConf.select(recipe, block), key


def test_the_page_of_chemistry_lists_every_named_reaction():
    text = (ROOT / "docs" / "recipes" / "chemistry.md").read_text()
    assert [name for name in NAMED_REACTIONS if name not in text] == []


def commands_on(page: Path) -> list[list[str]]:
    """The words after ``-m rlsf_lightning.COMMAND``, the command first, of every line of the page's shell blocks."""
    shell = re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in shell for line in block.splitlines() if "-m rlsf_lightning." in line]
    return [shlex.split(line.partition("-m rlsf_lightning.")[2]) for line in lines]


@pytest.mark.parametrize("words", commands_on(ROOT / "docs" / "running.md"), ids=" ".join)
def test_a_command_of_the_page_on_running_is_one(words: list[str]) -> None:
    """Its recipe loads, with these keys and values; keys of the command's own are those of its options."""
    command, *pairs = words
    options = getattr(importlib.import_module(f"rlsf_lightning.{command}"), "Options", None)
    own = {field.name for field in dataclasses.fields(options)} if options else set()
    (name,) = [pair.partition("=")[2] for pair in pairs if pair.startswith("recipe=")]
    load_recipe(name, [p for p in pairs if not p.startswith("recipe=") and p.partition("=")[0] not in own])


def test_the_page_on_running_shows_what_is_said_at_the_end() -> None:
    text = (ROOT / "docs" / "running.md").read_text()
    kept = re.search(
        r"^stopped by SIGTERM (with \S+ written; go on by)\n  python -m .* resume=auto$", text, re.MULTILINE
    )
    assert kept and f"{Stopped(signal.SIGTERM, kept[1])}\n" in text
    source = (ROOT / "rlsf_lightning" / "training" / "run" / "endings.py").read_text()
    assert "with {newest} written; go on by\\n  {command}" in source


OWN_TASK = ROOT / "docs" / "your_own_task.md"


@pytest.fixture
def own_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files of the page; in a table the line with its name is none of its rows."""
    for _, text in blocks(OWN_TASK):
        named = re.match(r"# (\S+\.(py|yaml|tsv))\n", text)
        if named:
            (tmp_path / named[1]).write_text(text.removeprefix(named[0]) if named[2] == "tsv" else text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_recipe_of_ones_own_task_is_short_and_validate_prints_what_the_page_says(own_task: Path, capsys) -> None:
    assert len((own_task / "mine.yaml").read_text().splitlines()) <= 12
    marker = "$ python -m rlsf_lightning.validate "
    ((command, output),) = [
        (text.partition("\n")[0].removeprefix(marker), text.partition("\n")[2])
        for _, text in blocks(OWN_TASK)
        if text.startswith(marker)
    ]
    validate.main([*shlex.split(command), "workers=0"])
    assert capsys.readouterr().out == output


@pytest.mark.slow
def test_ones_own_task_trains_and_is_measured(own_task: Path) -> None:
    (commands,) = [text.splitlines() for language, text in blocks(OWN_TASK) if language == "bash"]
    assert len(commands) == 2
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for command in commands:
        words = [sys.executable, *shlex.split(command)[1:], "trainer.accelerator=cpu"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    assert {"pass_rate", "brief", "sampled_pass_rate"} <= json.loads(done.stdout)["metrics"].keys()
    assert (own_task / "run" / "metrics.csv").read_text().count("\n") == 3
