"""What of an IUPAC name is tried, and how its text is read: without OPSIN."""

import pytest

from rlsf_lightning.symbolic.verifiers.iupac_name.parse import Token, american, tokens_of
from rlsf_lightning.symbolic.verifiers.iupac_name.recheck import unmatched
from rlsf_lightning.symbolic.verifiers.iupac_name.repair.candidates import Atoms, promising

_PROPANOL = (
    Token(0, 4, "group", 0),
    Token(4, 6, "unsaturator", 0),
    Token(7, 8, "locant", 0),
    Token(9, 11, "suffix", 0),
)


def _promising(
    formulas: tuple[str, str], is_stereo: bool = False, is_ambiguous: bool = False
) -> list[tuple[int, int, str]]:
    """Of "propan-1-ol"."""
    atoms = Atoms.of("C(CC)O", [0, 0, 0, -2], _PROPANOL, formulas)
    found = promising("propan-1-ol", _PROPANOL, atoms, is_stereo=is_stereo, is_ambiguous=is_ambiguous)
    return [tuple(change) for change in found]


def test_only_what_may_make_the_references_atoms_is_tried() -> None:
    numbers = [(7, 8, str(number)) for number in range(2, 10)]
    added = [(0, 0, f"{number}-") for number in range(1, 7)] + [(4, 4, f"-{number}-") for number in range(1, 7)]
    assert _promising(("C3H8O", "C3H8O")) == [*numbers, *added, (7, 8, "")]
    assert _promising(("C3H8O", "C3H8O"), is_ambiguous=True) == [*added, *numbers, (7, 8, "")]
    assert _promising(("C3H8O", "C3H8O"), is_stereo=True) == []
    assert _promising(("C3H8O", "C3H8")) == [(9, 11, "")]
    assert _promising(("C3H8O", "C3H8S")) == [(9, 11, "")]
    assert _promising(("C3H8O", "C4H10O")) == []
    assert _promising(("C3H8O", "H2O")) == [(0, 4, ""), (0, 11, "")]
    assert _promising(("C3H8O", "C3H6O")) == [(4, 6, ""), (7, 8, ""), (9, 11, "")]


@pytest.mark.parametrize(
    ("formulas", "expected"),
    [
        (("C6H4Cl2", "C6H3Cl3"), ["tri"]),
        (("C6H4Cl2", "C6H2Cl4"), ["tri", "tetra"]),  # one or two more, of whatever it is
        (("C6H4Cl2", "C5H4Cl2"), []),
        (("C6H4Cl2", "C7H4Cl3"), ["tri"]),
        (("C6H4Cl2", "C6H3ClF"), []),
    ],
)
def test_multipliers_that_may_be_right(formulas: tuple[str, str], expected: list[str]) -> None:
    tokens = (Token(4, 6, "multiplier", 0), Token(6, 12, "group", 0), Token(12, 19, "group", 1))
    atoms = Atoms.of("ClC1=C(C=CC=C1)Cl", [1, 2, 2, 2, 2, 2, 2, 1], tokens, formulas)
    tried = promising("1,2-dichlorobenzene", tokens, atoms, is_stereo=False, is_ambiguous=False)
    assert [change.new for change in tried if change.new] == expected


def test_american_spelling_keeps_places() -> None:
    text, places = american("disulphide")
    assert text == "disulfide"
    assert [places[at] for at in range(len(text) + 1)] == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]


def test_tokens_of_an_inverted_name() -> None:
    name = "benzo[ghi]perylene, benzyl-"
    parts = [[0, "group", "benz"], [0, "suffix", "yl"], [0, "hyphen", "-"], [1, "group", "benzo[ghi]perylene"]]
    assert tokens_of(parts, name) == (
        Token(20, 24, "group", 0),
        Token(24, 26, "suffix", 0),
        Token(26, 27, "hyphen", 0),
        Token(0, 18, "group", 1),
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("a(b)c", []), ("a(b", [1]), ("a)b(c)", [1]), ("((a)", [0]), ("[a)", [])]
)
def test_brackets_left_alone(text: str, expected: list[int]) -> None:
    assert unmatched(text) == expected
