"""Schema validity against jsonschema itself, F1 of fields against sets that are counted by hand or by a recursive walk."""

import json
import math
import time

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.evaluation.metrics.documents import FieldF1, SchemaValid, fields

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string"}}},
    "required": ["a"],
    "additionalProperties": False,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def f1(pairs: list[tuple[str, str | None]]) -> float:
    metric = FieldF1()
    for prediction, reference in pairs:
        metric.update([prediction], [reference])
    return float(metric.compute())


def valid(texts: list[str], schema: object = SCHEMA) -> float:
    metric = SchemaValid()
    metric.update(texts, [{"schema": schema}] * len(texts))
    return float(metric.compute())


def leaves(value: object, path: tuple = ()) -> list[tuple]:
    """A recursive walk; the values as JSON text, so that true is not 1."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for at, item in enumerate(value) for leaf in leaves(item, (*path, at))]
    return [(path, json.dumps(value))]


@given(VALUES)
def test_validity_is_that_of_jsonschema(value: object) -> None:
    assert valid([json.dumps(value)]) == jsonschema.Draft202012Validator(SCHEMA).is_valid(value)


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", '{"a": 1, "a": 1}', '{"a": NaN}', '{"a": 1} x', "[" * 5000])
def test_what_is_no_json_is_not_valid_and_has_no_fields(text: str) -> None:
    start = time.perf_counter()
    assert valid([text, '{"a": 1}']) == 0.5
    assert f1([(text, '{"a": 1}')]) == 0.0
    assert time.perf_counter() - start < 2


def test_a_schema_may_be_text_and_an_item_without_one_is_left_out() -> None:
    assert valid(['{"a": 1}'], json.dumps(SCHEMA)) == 1.0
    metric = SchemaValid()
    metric.update(["{}"], [{}])
    assert math.isnan(metric.compute())


@given(VALUES, VALUES)
def test_f1_is_that_of_the_sets_of_leaves(predicted: object, wanted: object) -> None:
    ours, theirs = set(leaves(predicted)), set(leaves(wanted))
    right = 2 * len(ours & theirs) / (len(ours) + len(theirs))
    assert f1([(json.dumps(predicted), json.dumps(wanted))]) == pytest.approx(right)


def test_f1_by_hand() -> None:
    reference = '{"a": 1, "b": {"c": "x", "d": [1, 2]}}'
    assert f1([(reference, reference)]) == 1.0
    assert f1([('{"b": {"d": [1.0, 2], "c": "x"}, "a": 1}', reference)]) == 1.0
    assert f1([('{"a": 1, "b": {"c": "y"}}', reference)]) == pytest.approx(2 * 1 / (2 + 4))
    assert f1([('{"a": true}', '{"a": 1}')]) == 0.0
    assert f1([("[2, 1]", "[1, 2]")]) == 0.0
    assert f1([("[]", "{}")]) == 0.0
    # micro-averaged: one of one and none of three
    assert f1([("[1]", "[1]"), ("[0, 0, 0]", "[1, 1, 1]")]) == pytest.approx(2 / 8)
    assert math.isnan(f1([("{}", None), ("{}", "no JSON")]))
    assert fields({"a": []}).total() == 1
