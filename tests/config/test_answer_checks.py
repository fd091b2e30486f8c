"""The block ``answer`` and ``rollout.stop``: what they may hold, and what a user is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.errors import UserError


@pytest.fixture(autouse=True)
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "plain.yaml").write_text("data: {source: iupac}\nverifier: {name: smiles}\n")
    (tmp_path / "recipes" / "mine.py").write_text("def quoted(text, settings):\n    return None\n")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["answer.extract=[]"], "answer.extract=[]: expects one or more names, such as answer.extract=fence"),
        (["answer.extract=[1]"], "answer.extract=[1]: expects one or more names"),
        (["answer=fenc"], "answer.extract=fenc: no such answer extractor; did you mean `fence`?"),
        (["answer.extract=[whole,tag]"], "nothing behind it is tried: write it last"),
        (["answer=tag", "answer.language=sql"], "answer.language is read by extract=fence alone"),
        (["answer.pattern='(x)'"], "answer.pattern is read by extract=regex alone: write answer.extract=regex"),
        (["answer=tag", "answer.tag=<a>"], "answer.tag=<a>: expects a name without brackets"),
        (["answer=after", "answer.marker="], "expects the text before the answer"),
        (["answer=fence", "answer.language=[1]"], "answer.language=[1]: expects names"),
        (["answer=regex"], "answer.extract=regex needs answer.pattern"),
        (["answer=regex", "answer.pattern=(x"], "answer.pattern=(x: no regular expression: missing )"),
        (["answer=regex", "answer.pattern=x"], "answer.pattern=x: has no group: put the answer in parentheses"),
        (["answer.thinking=never"], "answer.thinking=never: expects one of auto, optional, opened"),
        (["algorithm.credit_thinking=all"], "algorithm.credit_thinking=all: expects one of none, outcome"),
        (["rollout.stop=['']"], "rollout.stop=['']: expects texts and token ids"),
        (["rollout.stop=[true]"], "expects texts and token ids"),
        (["rollout.stop=[-1]"], "expects texts and token ids"),
    ],
)
def test_what_is_wrong_is_told(overrides: Sequence[str], told: str) -> None:
    with pytest.raises(UserError) as caught:
        load_recipe("plain", overrides)
    assert told in str(caught.value)


def test_short_and_long_spellings(tmp_path: Path) -> None:
    assert load_recipe("plain", ["answer=fence"]).answer.extract == "fence"
    assert load_recipe("plain", ["answer=[tag,last_line]"]).answer.extract == ["tag", "last_line"]
    file = tmp_path / "recipes" / "two.yaml"
    file.write_text("base: plain\nanswer: [mine:quoted, whole]\nrollout: {stop: ['</answer>', 2]}\n")
    recipe = load_recipe("two")
    assert recipe.answer.extract == [f"{tmp_path / 'recipes' / 'mine.py'}:quoted", "whole"]
    assert recipe.rollout.stop == ["</answer>", 2]
    file.write_text("base: plain\nanswer: {extract: regex, pattern: 'x=(.)'}\n")
    assert load_recipe("two").answer.pattern == "x=(.)"
