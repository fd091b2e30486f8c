"""Where answers stand: a table of completions, hostile ones, and what the settings of a recipe mean."""

import time

import pytest
from answer_cases import BLOCKS
from instruct_cases import INSTRUCT

from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.answers.find import AnswerFinder
from rlsf_lightning.symbolic.answers.settings import AnswerSettings

CASES = [(settings, marked) for settings, texts in [*BLOCKS, *INSTRUCT] for marked in texts]


def found_in(text: str, **settings: object) -> Span | None:
    found = AnswerFinder(AnswerSettings(**settings)).find(text)
    return None if found is None else found.span


def test_the_tables_have_more_than_three_hundred_cases() -> None:
    assert len(CASES) >= 340 and len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("settings", "marked"), CASES)
def test_the_answer_stands_where_the_table_says(settings: dict, marked: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    start = marked.find("«")
    expected = None if start < 0 else Span(start, marked.index("»") - 1)
    assert found_in(text, **settings) == expected


@pytest.mark.parametrize("extract", ["whole", "fence", "tag", "after", "last_line"])
@pytest.mark.parametrize(
    "piece", ["`", "```\n", "~~~`\n", "<answer>", "<", "</answer", "Answer:", "<think>", "\n", " ", "x"]
)
def test_a_hostile_text_costs_a_few_passes(extract: str, piece: str) -> None:
    text = piece * (300_000 // len(piece))
    start = time.process_time()
    found_in(text, extract=(extract,))
    assert time.process_time() - start < 2


def test_a_pattern_that_backtracks_is_given_up() -> None:
    with pytest.raises(ToolFailed, match=r"answer\.pattern took more than 1 s on 5000 characters"):
        found_in("a" * 5000, extract=("regex",), pattern="(a+)+b")
    assert AnswerFinder(AnswerSettings(extract=("regex",), pattern="(a+)+b")).text_of("a" * 5000) == ""


def test_an_extractor_of_ones_own(tmp_path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from rlsf_lightning import Span\n\n"
        "def second(text, settings):\n    return Span(1, 2) if len(text) > 1 else None\n\n"
        "def beyond(text, settings):\n    return Span(0, 99)\n"
    )
    assert found_in("abc", extract=(f"{file}:second",)) == Span(1, 2)
    assert found_in("<think>a</think>abc", extract=(f"{file}:second",)) == Span(17, 18)
    assert found_in("a", extract=(f"{file}:second",)) is None
    with pytest.raises(UserError, match=r"returned Span\(start=0, end=99\) for a text of 3 characters"):
        found_in("abc", extract=(f"{file}:beyond",))


def test_settings_come_from_the_recipe() -> None:
    from omegaconf import OmegaConf

    recipe = OmegaConf.structured(Recipe)
    assert AnswerSettings.of(recipe) == AnswerSettings() and AnswerSettings.of(recipe).is_whole
    recipe = OmegaConf.merge(
        recipe, {"answer": {"extract": ["fence", "whole"], "language": "SQL"}, "data": {"answer_prefix": "SELECT"}}
    )
    assert AnswerSettings.of(recipe) == AnswerSettings(("fence", "whole"), ("sql",), prefix="SELECT")


def test_the_prefix_is_part_of_the_answer() -> None:
    finder = AnswerFinder(AnswerSettings(prefix="SELECT"))
    assert finder.text_of(" 1") == "SELECT 1"
    assert AnswerFinder(AnswerSettings(extract=("tag",), prefix="<answer>")).text_of("CCO</answer>") == "CCO"
