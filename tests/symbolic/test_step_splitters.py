"""Splitters: literals, and what must hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.config.extension_points import SPLITTER
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.step_splitters import lines, steps_of


def pieces(name: str, text: str, most: int = 100) -> list[str]:
    starts = steps_of(text, resolve(SPLITTER, name), most)
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("lines", "a\nb\n\nc\n", ["a\n", "b\n\n", "c\n"]),
        ("lines", "", [""]),
        ("lines", "\n", ["\n"]),
        ("arithmetic", "3 + 4 = 7, so 7 * 2 = 14. Done", ["3 + 4 = 7, ", "so 7 * 2 = 14. ", "Done"]),
        ("arithmetic", "8 - 4 = 4 10 - 4 = 6\n4 * 6 = 24", ["8 - 4 = 4 ", "10 - 4 = 6\n", "4 * 6 = 24"]),
        ("arithmetic", "1.5 apples", ["1.5 apples"]),
        ("branches", "CC(=O)Oc1ccccc1", ["CC", "(=O)", "Oc1ccccc1"]),
        ("branches", "C(C)(C)C", ["C", "(C)", "(C)", "C"]),
        ("branches", "CC.O", ["CC.", "O"]),
        ("branches", "(", ["("]),
    ],
)
def test_steps(name: str, text: str, expected: list[str]) -> None:
    assert pieces(name, text) == expected


@given(st.text(alphabet="C()=1.\n; 2,", max_size=60), st.sampled_from(sorted(SPLITTER.shipped())), st.integers(1, 8))
def test_steps_are_the_whole_text_and_no_more_than_asked_for(text: str, name: str, most: int) -> None:
    found = pieces(name, text, most)
    assert "".join(found) == text and len(found) <= most
    assert all(found) or found == [""]


def test_a_splitter_of_ones_own() -> None:
    assert resolve(SPLITTER, "rlsf_lightning.symbolic.step_splitters:lines") is lines
    with pytest.raises(UserError, match="did you mean `lines`"):
        resolve(SPLITTER, "line")
    with pytest.raises(ValueError, match="ascend"):
        steps_of("abc", lambda text: [0, 2, 2], 5)
