"""The verifier that ships to be copied: its certificates, exact viability, and the page that shows it."""

import re
from itertools import product
from pathlib import Path

import pytest

from rlsf_lightning.config.extension_points import VERIFIER
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Span, Verdict
from rlsf_lightning.symbolic import starter
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.starter import Anagram

PAGE = Path(__file__).parents[2] / "docs" / "verifiers" / "your_own.md"


def prompt(letters: object = "listen") -> Prompt:
    return Prompt("id", "An anagram of listen?", facts={"letters": letters})


def verify(completion: str, letters: str = "listen") -> Certificate:
    certificate = Anagram().verify(prompt(letters), completion)
    assert {finding.kind for finding in certificate.findings} <= Anagram.kinds
    assert bool(certificate.findings) == (certificate.verdict is Verdict.FAIL)
    return certificate


def test_an_anagram_passes() -> None:
    certificate = verify("silent")
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert (certificate.tool, certificate.version) == ("anagram", "1") and certificate.seconds > 0


@pytest.mark.parametrize(
    ("completion", "findings", "dead_from", "score"),
    [
        ("silemt", [("wrong_letter", (Span(4, 5),)), ("missing_letter", ())], 4, 0.9 * 5 / 6),
        ("silentt", [("wrong_letter", (Span(6, 7),))], 6, 0.9),
        ("lll", [("wrong_letter", (Span(1, 2),)), ("wrong_letter", (Span(2, 3),)), ("missing_letter", ())], 1, 0.9 / 6),
        ("sile", [("missing_letter", ())], 4, 0.9 * 4 / 6),
        ("", [("missing_letter", ())], 0, 0.0),
        ("silent" + "x" * 200, [("too_long", (Span(200, 206),))], 6, 0.0),
    ],
)
def test_what_is_wrong_is_found_at_its_place(
    completion: str, findings: list[tuple[str, tuple[Span, ...]]], dead_from: int, score: float
) -> None:
    certificate = verify(completion)
    assert [(finding.kind, finding.spans) for finding in certificate.findings] == findings
    assert certificate.dead_from == dead_from and certificate.score == pytest.approx(score)


@pytest.mark.parametrize("letters", ["a", "ab", "aab", "abc"])
def test_a_prefix_is_viable_exactly_when_some_continuation_passes(letters: str) -> None:
    texts = ["".join(text) for length in range(5) for text in product("abc", repeat=length)]
    passing = [text for text in texts if verify(text, letters).verdict is Verdict.PASS]
    assert passing
    for text in texts:
        is_viable = any(other.startswith(text) for other in passing)
        assert Anagram().viable(prompt(letters), text) is is_viable
        certificate = verify(text, letters)
        if certificate.verdict is Verdict.FAIL:
            alive = [any(other.startswith(text[:end]) for other in passing) for end in range(len(text) + 1)]
            assert certificate.dead_from == alive.count(True) - 1


@pytest.mark.parametrize("letters", [None, "", 7, ["a"], "a" * 201])
def test_a_wrong_fact_is_the_users(letters: object) -> None:
    for ask in (Anagram().verify, Anagram().viable):
        with pytest.raises(UserError, match='write "letters": "listen"'):
            ask(prompt(letters), "silent")


def test_it_is_found_by_its_module_and_is_no_domain_that_ships() -> None:
    verifier = load_verifier("rlsf_lightning.symbolic.starter", {"max_chars": 10})
    assert isinstance(verifier, Anagram) and verifier.max_chars == 10
    assert not {"starter", "anagram"} & set(VERIFIER.shipped())


def test_the_page_shows_it_as_it_stands() -> None:
    (block,) = re.findall(r"^```python\n# anagram\.py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert block == Path(starter.__file__).read_text()
