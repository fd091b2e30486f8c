"""JSON compared with the prompt's reference, field by field."""

import json
from dataclasses import replace
from typing import Any

import pytest
from certificates import checked, shown
from omegaconf import OmegaConf

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.verifiers.grammar.verifier import GrammarVerifier

VERIFIER = GrammarVerifier(compare="reference")
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "tags": {"type": "array"}, "home": {}},
    "required": ["name"],
}
REFERENCE = {"name": "Eve", "age": 20, "tags": ["x", "y"], "home": {"city": "Graz", "zip": None, "own": True}}


def prompt(reference: Any = REFERENCE, schema: Any = SCHEMA) -> Prompt:
    return Prompt("p", "", reference if isinstance(reference, str) else json.dumps(reference), facts={"schema": schema})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"age": 99}, [("wrong_value", ["99"])]),
        ({"age": 99.0, "name": "eve"}, [("wrong_value", ['"eve"']), ("wrong_value", ["99.0"])]),
        ({"age": "20"}, [("wrong_type", ['"20"'])]),  # the schema says so, once
        ({"tags": ["x"]}, [("missing_item", ["]"])]),
        ({"tags": ["x", "y", "z"]}, [("extra_item", ['"z"'])]),
        ({"tags": ["y", "x"]}, [("wrong_value", ['"y"']), ("wrong_value", ['"x"'])]),
        ({"tags": []}, [("missing_item", ["]"])]),
        ({"home": {"city": "Linz", "zip": None, "own": True}}, [("wrong_value", ['"Linz"'])]),
        ({"home": {"city": "Graz", "zip": None, "own": 1}}, [("wrong_value", ["1"])]),
        ({"home": {"city": "Graz", "own": True}}, [("missing_property", ["}"])]),
        ({"home": {"city": "Graz", "zip": None, "own": True, "x": 0}}, [("extra_property", ['"x"'])]),
        ({"home": []}, [("wrong_type", ["[]"])]),
        ({"pet": "cat"}, [("extra_property", ['"pet"'])]),
    ],
)
def test_every_field_that_differs_is_found(change: dict[str, Any], expected: list[tuple[str, list[str]]]) -> None:
    completion = json.dumps({**REFERENCE, **change})
    certificate = checked(VERIFIER, prompt(), completion)
    assert shown(certificate, completion) == expected
    assert 0.5 <= certificate.score < 1 and certificate.dead_from is not None
    alone = checked(GrammarVerifier(), prompt(), completion)
    assert (alone.verdict is Verdict.PASS) == (change != {"age": "20"} and change.get("age") != "20")
    if alone.verdict is Verdict.PASS:
        assert not VERIFIER.recheck(alone, prompt(), completion)


@pytest.mark.parametrize(
    "completion",
    [
        json.dumps(REFERENCE),
        json.dumps(REFERENCE, indent=2),
        json.dumps(dict(reversed(REFERENCE.items()))),
        json.dumps(REFERENCE).replace("20", "2.0e1"),
        json.dumps(REFERENCE).replace("20", "20.0"),
        json.dumps(REFERENCE).replace("Graz", "\\u0047raz"),
    ],
)
def test_another_spelling_of_the_same_values_passes(completion: str) -> None:
    assert checked(VERIFIER, prompt(), completion).verdict is Verdict.PASS
    assert all(VERIFIER.viable(prompt(), completion[:end]) is not False for end in range(len(completion) + 1))


def test_a_prefix_dies_with_the_first_value_that_cannot_become_the_right_one() -> None:
    certificate = checked(VERIFIER, prompt(), '{"name": "Eva", "age": 20')
    assert certificate.dead_from == len('{"name": "Ev')
    assert VERIFIER.viable(prompt(), '{"nam') is not False and VERIFIER.viable(prompt(), '{"nama') is False
    number = checked(VERIFIER, prompt(), json.dumps({**REFERENCE, "age": 21}))
    assert number.dead_from == len('{"name": "Eve", "age": 21')  # 21 could go on with an exponent


@pytest.mark.parametrize(
    "reference", ["", "20,", "{'a': 1}", '{"age": 20}', '{"name": 7}', '{"name": "a", "name": "b"}', "1" * 5_000]
)
def test_a_reference_must_be_a_right_document(reference: str) -> None:
    with pytest.raises(UserError, match=r"prompt p: .*(reference|integer)"):
        VERIFIER.verify(prompt(reference), "{}")


def test_scalars_lists_and_empty_values_can_be_references() -> None:
    for value in (0, False, None, "", [], {}, [[]], 10**400, 0.1):
        assert checked(VERIFIER, prompt(json.dumps(value), True), json.dumps(value)).verdict is Verdict.PASS
        for other in (1, True, "a", [0], {"": 0}):
            assert checked(VERIFIER, prompt(json.dumps(value), True), json.dumps(other)).verdict is Verdict.FAIL


def test_a_tampered_certificate_is_rejected() -> None:
    completion = json.dumps({**REFERENCE, "age": 99})
    certificate = checked(VERIFIER, prompt(), completion)
    changes: list[dict[str, Any]] = [
        {"verdict": Verdict.PASS, "findings": (), "score": 1.0, "dead_from": None, "witness": {}},
        {"score": 0.6},
        {"dead_from": 3},
        {"witness": {"violations": [{"path": ["name"], "keyword": "const"}]}},
    ]
    assert not any(VERIFIER.recheck(replace(certificate, **change), prompt(), completion) for change in changes)


def test_the_option_is_checked_and_goes_with_json_alone() -> None:
    with pytest.raises(ValueError, match="compare=values: must be schema or reference"):
        GrammarVerifier(compare="values")
    with pytest.raises(UserError, match="compare=reference is for JSON"):
        VERIFIER.verify(Prompt("p", "", "a", facts={"grammar": 'start: "a"'}), "a")


def test_a_schema_may_be_a_mapping_of_a_recipe() -> None:
    options = OmegaConf.create({"schema": {**SCHEMA, "properties": {"name": {"enum": ["Eve", "Ida"]}}}, "max_depth": 9})
    verifier = load_verifier("grammar", options)
    empty = Prompt("p", "")
    assert checked(verifier, empty, '{"name": "Ida"}').verdict is Verdict.PASS
    assert checked(verifier, empty, '{"name": "Uma"}').findings[0].kind == "wrong_value"
