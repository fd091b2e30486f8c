"""Patterns of JSON Schema as ECMA-262 means them, and integers without a limit."""

import json
import re
from typing import Any

import pytest
from certificates import checked
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.ecma import to_python
from rlsf_lightning.symbolic.verifiers.grammar.verifier import GrammarVerifier

VERIFIER = GrammarVerifier()
#: https://tc39.es/ecma262/#sec-white-space and #sec-line-terminators
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u2005\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
NO_BLANKS = "\x1c\x1f\u0085\u180e\u200b\u2060a0_\x00\U0001f600"


def matches(pattern: str, text: str) -> bool:
    prompt = Prompt("p", "", facts={"schema": {"pattern": pattern}})
    return checked(VERIFIER, prompt, json.dumps(text)).verdict is Verdict.PASS


@pytest.mark.parametrize("blank", BLANKS)
def test_white_space_is_that_of_ecma(blank: str) -> None:
    assert matches(r"^\s$", blank) and matches(r"^a[\s\d]b$", f"a{blank}b") and matches(r"^[^\S]$", blank)
    assert not matches(r"\S", blank) and not matches(r"[\S]", blank) and not matches(r"[^\s]", blank)


@pytest.mark.parametrize("character", NO_BLANKS)
def test_what_is_no_white_space_there_is_none(character: str) -> None:
    assert matches(r"^\S$", character) and matches(r"^[\S]$", character) and matches(r"^[^\s]$", character)
    assert not matches(r"\s", character) and not matches(r"[^\S]", character)


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^\p{L}+$", "Größe", "Größe1"),
        (r"^\p{Lu}\p{Ll}*$", "Élan", "élan"),
        (r"^\p{Letter}$", "ж", "4"),
        (r"^\P{L}+$", "12 3", "1x"),
        (r"^\p{gc=Nd}+$", "٣4", "x"),
        (r"^\p{General_Category=Uppercase_Letter}$", "Ω", "ω"),
        (r"^[\p{L}\d_]+$", "naïve_7", "na-7"),
        (r"^[^\p{P}]+$", "no marks", "marks!"),
        (r"^\p{LC}$", "a", "ª"),
        (r"^\p{Sc}\d+$", "€5", "E5"),
        (r"^\p{ASCII}*$", "plain", "größe"),
        (r"^(?<year>\d{4})-(?<month>\d\d)$", "2031-05", "2031-5"),
        (r"^(?<a>x)|(?<b>y)$", "y", "z"),
        (r"(?<=a)b(?!c)", "abd", "abc"),
        (r"(?<!a)b", "cb", "ab"),
        (r"^\cJ$", "\n", "J"),
        (r"^[\cA-\cC]$", "\x02", "B"),
        (r"^\u{1F600}$", "\U0001f600", "u"),
        (r"^[\u{41}-\u{43}]$", "B", "D"),
        (r"^\uD83D\uDE00$", "\U0001f600", "\U0001f601"),
        (r"^a[^]b$", "a\nb", "ab"),
        (r"^x{,2}$", "x{,2}", "xx"),
        (r"^[[&&~~||]+$", "[&~|", "a"),
        (r"^.$", "\x85", "\u2028"),
        (r"^.$", "\v", "\r"),
        (r"^\/\-\.$", "/-.", "x"),
        (r"^\d\w$", "1a", "\u0661a"),
        (r"^[a[\]]+$", "a[]", "b"),
        (r"^[(?<n>]+$", "(?<n>", "m"),
    ],
)
def test_legal_patterns_of_ecma_are_read(pattern: str, right: str, wrong: str) -> None:
    assert matches(pattern, right) and not matches(pattern, wrong)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"\p{Script=Greek}", "not covered; general categories"),
        (r"\p{Emoji}", "not covered; general categories"),
        (r"(?<n>a)\k<n>", "back-references are not covered"),
        (r"(a)\1", "not covered"),
        (r"\u{110000}", "no character"),
        (r"(?<n", "not a regular expression"),
        (r"a{2,1}", "not a regular expression"),
    ],
)
def test_what_is_not_covered_is_told_as_such(pattern: str, message: str) -> None:
    for schema in ({"pattern": pattern}, {"patternProperties": {pattern: True}}):
        with pytest.raises(UserError, match=message) as told:
            VERIFIER.verify(Prompt("p", "", facts={"schema": schema}), '"a"')
        assert "not a JSON Schema" not in str(told.value)


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # of what is not translated
@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab01[]()^$|*+?-\\.{,}ds<n>=!:pLkuc&~", max_size=12))
def test_any_pattern_is_translated_to_one_of_python_or_refused(pattern: str) -> None:
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, OverflowError):
        return
    try:
        translated = to_python(pattern)
    except ValueError:
        return
    re.compile(translated, re.ASCII)


@pytest.mark.parametrize(
    ("schema", "text", "verdict"),
    [
        ({"type": "integer"}, "7" * 400, "pass"),
        ({"type": "integer"}, "-" + "1" * 310, "pass"),
        ({"type": "number"}, "9" * 2_000, "pass"),
        ({"type": "string"}, "9" * 350, "fail"),
        ({"maximum": 5}, "9" * 350, "fail"),
        ({"minimum": 5}, "9" * 350, "pass"),
        ({"exclusiveMinimum": 0}, "-" + "9" * 350, "fail"),
        ({"multipleOf": 5}, "9" * 350 + "5", "pass"),
        ({"multipleOf": 5}, "9" * 350 + "4", "fail"),
        ({"enum": [10**400]}, "1" + "0" * 400, "pass"),
        ({"const": 10**400}, "1" + "0" * 399 + "1", "fail"),
        ({"uniqueItems": True}, f"[{'8' * 320}, {'8' * 320}]", "fail"),
        ({"uniqueItems": True}, f"[{'8' * 320}, {'8' * 319}9]", "pass"),
        ({"properties": {"n": {"type": "integer"}}}, '{"n": ' + "3" * 999 + "}", "pass"),
        (True, "1" + "0" * 400 + "e5", "fail"),
        (True, "1" + "0" * 400 + "e+5", "fail"),
        (True, "1" + "0" * 400 + ".x", "fail"),
        (True, "1" + "0" * 400 + "e-x", "fail"),
        (True, "1" + "0" * 400 + "e-399", "pass"),
        (True, "1" * 5_000, "abstain"),
    ],
)
def test_integers_are_as_large_as_they_are_written(schema: Any, text: str, verdict: str) -> None:
    prompt = Prompt("p", "", facts={"schema": schema})
    certificate = checked(VERIFIER, prompt, text)
    assert certificate.verdict.value == verdict
    if verdict == "pass":
        assert all(VERIFIER.viable(prompt, text[:end]) is not False for end in range(0, len(text) + 1, 40))
    if verdict == "abstain":
        assert "5000" in certificate.witness["error"] and VERIFIER.viable(prompt, text) is None
