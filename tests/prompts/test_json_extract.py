"""Made documents: their schema holds, their answer stands in the text, and it is the same everywhere."""

import json
import re
from collections.abc import Iterator

import jsonschema
from made import failing, shared, take

from rlsf_lightning.prompts.sources.json_extract import prompts
from rlsf_lightning.prompts.sources.json_extract.kinds import KINDS
from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.grammar import VERIFIER

VERIFY = VERIFIER(compare="reference")
SOME = take(prompts("train"), 150)


def leaves(value: object, schema: dict) -> Iterator[tuple[object, dict]]:
    """Every value with the schema that it stands under."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, schema["properties"][key])
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, schema["items"])
    else:
        yield value, schema


def test_gold_passes_and_satisfies_its_schema():
    assert failing(VERIFY, SOME) == []
    for prompt in SOME:
        validator = jsonschema.Draft202012Validator(prompt.facts["schema"])
        validator.check_schema(prompt.facts["schema"])
        validator.validate(json.loads(prompt.reference))
        assert 3 <= len(prompt.facts["schema"]["properties"]) <= 15
        shown = prompt.text.rpartition("\n\nSchema: ")[2]
        assert json.loads(shown) == prompt.facts["schema"]


def test_what_the_answer_says_stands_in_the_text():
    """Texts as they are, numbers but for commas and words; dates, times and booleans have spellings of their own."""
    for prompt in SOME:
        text = prompt.text.rpartition("\n\nSchema: ")[0]
        plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
        for value, schema in leaves(json.loads(prompt.reference), prompt.facts["schema"]):
            if isinstance(value, str) and "enum" in schema:
                assert value.replace("_", " ").lower() in text.lower()
            elif isinstance(value, str) and schema.get("format") == "date":
                assert str(int(value[-2:])) in text and value[:4] in text
            elif isinstance(value, str) and "pattern" not in schema:
                assert value in text, (value, text)
            elif isinstance(value, int | float) and not isinstance(value, bool) and value > 240:
                assert f"{value:g}" in plain or f"{value:.2f}" in plain, (value, text)


def test_one_wrong_value_fails():
    for prompt in SOME[:8]:
        answer = json.loads(prompt.reference)
        for key in answer:
            assert VERIFY.verify(prompt, json.dumps({**answer, key: ["wrong"]})).verdict is Verdict.FAIL
            less = {name: value for name, value in answer.items() if name != key}
            assert VERIFY.verify(prompt, json.dumps(less)).verdict is Verdict.FAIL


def test_fields_that_are_not_stated_are_null_or_left_out():
    schemas = [(json.loads(p.reference), p.facts["schema"]) for p in take(prompts("train"), 400)]
    left_out = [set(schema["properties"]) - set(answer) for answer, schema in schemas]
    assert any(left_out) and all(not gone & set(s["required"]) for gone, (_, s) in zip(left_out, schemas, strict=True))
    assert any(value is None for answer, _ in schemas for value in answer.values())
    assert any(
        "null" in s["properties"][key]["type"] for a, s in schemas for key, value in a.items() if value is not None
    )


def test_no_object_is_in_two_splits():
    assert shared(prompts, 200, lambda prompt: prompt.reference) == 0


def test_fields_of_a_kind_can_be_told_apart():
    for kind in KINDS:
        keys = [field.key for field in kind.fields]
        assert len(set(keys)) == len(keys) >= 8
        assert len({field.labels.split("|")[0] for field in kind.fields}) == len(keys)
        for field in kind.fields:
            assert all("{}" in said for said in field.says.split("|") if not field.denies), field.key
            assert bool(field.denies) == (field.draw.__name__ == "yes_no"), field.key
