"""The object in a completion, and where it begins."""

from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.symbolic.extract import stripped


def test_blanks_around_the_object_are_left_out() -> None:
    assert stripped(" \n CCO \t") == ("CCO", 3)
    assert stripped("CCO") == ("CCO", 0)
    assert stripped("a b  ") == ("a b", 0)
    assert stripped("") == stripped(" \n") == ("", 0)
    assert stripped("  C  C") == ("C  C", 2)


@given(st.text(alphabet=" \n\tCO\u2003\x00", max_size=12))
def test_the_offset_is_that_of_the_first_character(completion: str) -> None:
    text, offset = stripped(completion)
    assert completion[offset : offset + len(text)] == text
    assert text == "" or not (text[0].isspace() or text[-1].isspace() or completion[:offset].strip())
