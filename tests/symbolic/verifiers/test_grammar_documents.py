"""The verifier of formal languages under JSON Schemas: the reader, violations at their places, viability, hostile texts."""

import json
import random
import time
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from certificates import checked
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import parse_document
from rlsf_lightning.symbolic.verifiers.grammar.verifier import GrammarVerifier

VERIFIER = GrammarVerifier()
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 9},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "colour": {"enum": ["red", "blue"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "uniqueItems": True},
        "child": {"$ref": "#"},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def prompt(schema: Any) -> Prompt:
    return Prompt("p", "a person", facts={"schema": schema})


def verify(schema: Any, completion: str, verifier: GrammarVerifier = VERIFIER) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, prompt(schema), completion)


@pytest.mark.parametrize(
    ("completion", "kind", "shown", "dead_from"),
    [
        ("", "unexpected_end", "", 0),
        ("[1, 2", "unexpected_end", "[", 5),
        ('{"a": "b', "unexpected_end", '"', 8),
        ("[1,]", "unexpected_token", ", ]", 3),
        ('{"a": 1\n, {"b": 2}', "unexpected_token", ", {", 10),
        ('[",", ,1]', "unexpected_token", ", ,", 6),
        ('[",\t"]', "unexpected_token", "\t", 3),
        ("[1 2]", "unexpected_token", "2", 3),
        ("[01]", "unexpected_token", "1", 2),
        ("[1.]", "unexpected_token", "]", 3),
        ("{'a': 1}", "unexpected_token", "'", 1),
        ("[trux]", "unexpected_token", "x", 4),
        ("NaN", "unexpected_token", "NaN", 0),
        ("-Infinity", "unexpected_token", "Infinity", 1),
        ('"\t"', "unexpected_token", "\t", 1),
        ('"\\x"', "unexpected_token", "x", 2),
        ('"\\u12g4"', "unexpected_token", "g4", 5),
        ("1 // one", "unexpected_token", "/", 2),
        ("\ufeff1", "unexpected_token", "\ufeff", 0),
        ("\xa01", "unexpected_token", "\xa0", 0),
        ("\uff11", "unexpected_token", "\uff11", 0),
        ("1e999", "number_range", "1e999", 4),
        ("[1" + "0" * 400 + ".5]", "number_range", "1" + "0" * 400 + ".5", 404),
        ('{"a": 1, "a": 2}', "duplicate_key", '"a"', 11),
        ('{"a": 1, "\\u0061": 2}', "duplicate_key", '"\\u0061"', 16),
        ("[" * 65, "too_deep", "[", 64),
    ],
)
def test_what_is_no_json(completion: str, kind: str, shown: str, dead_from: int) -> None:
    certificate = verify(True, completion)
    (finding,) = certificate.findings
    spans = finding.spans if kind == "unexpected_token" else finding.spans[:1]
    assert (finding.kind, " ".join(completion[span.start : span.end] for span in spans)) == (kind, shown)
    assert certificate.dead_from == dead_from
    assert VERIFIER.viable(prompt(True), completion[:dead_from]) is not False
    assert certificate.score < 0.5


@pytest.mark.parametrize("value", [{"a": [1, -2.5e3, "é\n\\", None, True, {}, []]}, "😀", 0, [[[]]], "\ud800"])
def test_every_spelling_of_a_value_passes(value: Any) -> None:
    schema = {"const": value}
    for text in (json.dumps(value), f" \n{json.dumps(value, indent=3)}\t", json.dumps(value, ensure_ascii=False)):
        assert verify(schema, text).verdict is Verdict.PASS
        assert all(VERIFIER.viable(prompt(schema), text[:end]) is not False for end in range(len(text) + 1))


def test_beginnings_can_be_closed() -> None:
    whole = '{"a": [1.5e-3, "x\\n\\u00e9", {"b": null, "": true}], "c": -0}'
    for end in range(len(whole) + 1):
        reading = parse_document(whole[:end], 64)
        assert reading.closing is not None
        json.loads(whole[:end] + reading.closing)
        assert all(problem.dead == end for problem in reading.problems)


@pytest.mark.parametrize(
    ("schema", "completion", "expected", "dead_from"),
    [
        (PERSON, '{"name": 5}', [("wrong_type", "5")], 9),
        (PERSON, '{"age": 5}', [("missing_property", "}")], 9),
        (PERSON, '{"name": "A", "height": 5}', [("extra_property", '"height"')], 15),
        (PERSON, '{"name": "A", "age": -3}', [("wrong_number", "-3")], 23),
        (PERSON, '{"name": "A", "age": 2.5}', [("wrong_type", "2.5")], 24),
        (PERSON, '{"name": "ABCDEFGHIJ"}', [("wrong_string", '"ABCDEFGHIJ"')], 19),
        (PERSON, '{"name": "A", "colour": "ret"}', [("wrong_value", '"ret"')], 27),
        (PERSON, '{"name": "A", "tags": ["a", 1, "a"]}', [("wrong_type", "1"), ("extra_item", '"a"')], 28),
        (PERSON, '{"name": "A", "tags": ["a", "b", "c", "d", "e"]}', [("extra_item", '"d"|"e"')], 38),
        (PERSON, '{"name": "A", "child": {"name": 1}}', [("wrong_type", "1")], 32),
        (PERSON, "[]", [("wrong_type", "[]")], 0),
        ({"multipleOf": 0.1}, "0.35", [("wrong_number", "0.35")], 4),
        ({"pattern": "^[0-9]+$"}, '"12\\n"', [("wrong_string", '"12\\n"')], 4),
        ({"pattern": "^\\d+$"}, '"\uff11"', [("wrong_string", '"\uff11"')], 1),
        ({"not": {"type": "string"}}, '"a"', [("excluded", '"a"')], 0),
        ({"properties": {"a": False}}, '{"a": 1}', [("excluded", "1")], 6),
        (
            {"anyOf": [{"type": "string"}, {"items": {"type": "null"}, "type": "array"}]},
            "[1]",
            [("wrong_type", "1")],
            1,
        ),
        ({"oneOf": [{"type": "number"}, {"minimum": 3}]}, "5", [("excluded", "5")], 1),
        ({"minItems": 2}, "[1]", [("missing_item", "]")], 2),
        ({"contains": {"const": 1}}, "[2]", [("missing_item", "]")], 2),
        ({"items": False}, "[2]", [("extra_item", "2")], 1),
        ({"prefixItems": [True], "items": False}, "[2, 3]", [("extra_item", "3")], 4),
        ({"propertyNames": {"maxLength": 1}}, '{"ab": 1}', [("extra_property", '"ab"')], 3),
        ({"dependentRequired": {"a": ["b"]}}, '{"a": 1}', [("missing_property", "}")], 7),
        ({"if": {"type": "number"}, "then": {"minimum": 2}}, "1", [("wrong_number", "1")], 1),
        ({"unevaluatedProperties": False}, '{"a": 1}', [("extra_property", '{"a": 1}')], 8),
        (False, "1", [("excluded", "1")], 0),
    ],
)
def test_violations_at_their_places(
    schema: Any, completion: str, expected: list[tuple[str, str]], dead_from: int
) -> None:
    certificate = verify(schema, completion)
    found = [(f.kind, "|".join(completion[s.start : s.end] for s in f.spans)) for f in certificate.findings]
    assert found == expected
    assert certificate.dead_from == dead_from
    assert 0.5 <= certificate.score < 1


@pytest.mark.parametrize(
    ("schema", "completion"),
    [
        ({"multipleOf": 0.1}, "0.3"),
        ({"type": "integer"}, "5.0"),
        ({"type": "integer", "maximum": 5}, "500e-2"),
        ({"enum": [1]}, "1.0"),
        ({"uniqueItems": True}, "[1, true, 0, false]"),
        ({"minLength": 1, "maxLength": 1}, '"\\ud83d\\ude00"'),
        ({"patternProperties": {"^a": {"type": "null"}}, "additionalProperties": False}, '{"ab": null}'),
        ({"format": "date"}, '"no date"'),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "$ref": "#/definitions/n",
                "type": "null",
                "definitions": {"n": {"type": "number"}},
            },
            "1",
        ),
    ],
)
def test_what_is_right_has_no_finding(schema: Any, completion: str) -> None:
    assert verify(schema, completion).verdict is Verdict.PASS
    assert all(VERIFIER.viable(prompt(schema), completion[:end]) is not False for end in range(len(completion) + 1))


def random_schema(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """Any keywords, at random."""
    schema: dict[str, Any] = {}
    if rng.random() < 0.5:
        schema["type"] = rng.choice(["object", "array", "string", "integer", "number", "boolean", ["string", "null"]])
    simple: list[tuple[str, list[Any]]] = [
        ("minimum", [0, 2]), ("maximum", [5, 2.5]), ("exclusiveMinimum", [1]), ("multipleOf", [2, 0.5]),
        ("minLength", [1, 2]), ("maxLength", [1, 3]), ("pattern", ["^a", "b$", "^[ab]{1,2}$", "c|^x"]),
        ("enum", [[1, "ab", None, [1]], [2.0, "a", True]]), ("const", [1, "ab", False]),
        ("required", [["a"], ["b", "x"]]), ("minItems", [1, 2]), ("maxItems", [1]), ("uniqueItems", [True]),
        ("minProperties", [1]), ("maxProperties", [1]), ("dependentRequired", [{"a": ["b"]}]),
        ("additionalProperties", [False]), ("propertyNames", [{"maxLength": 1}]),
    ]  # fmt: skip
    for keyword, values in simple:
        if rng.random() < 0.08:
            schema[keyword] = rng.choice(values)
    for keyword in ("items", "contains", "not", "if", "then", "else", "additionalProperties"):
        if depth < 3 and rng.random() < 0.1:
            schema[keyword] = random_schema(rng, depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if depth < 3 and rng.random() < 0.1:
            schema[keyword] = [random_schema(rng, depth + 1), rng.choice([True, False, random_schema(rng, depth + 1)])]
    for keyword in ("properties", "patternProperties", "dependentSchemas"):
        if depth < 3 and rng.random() < 0.2:
            schema[keyword] = {name: random_schema(rng, depth + 1) for name in rng.sample("abx", 2)}
    if depth and rng.random() < 0.05:
        schema["$ref"] = "#/$defs/d"
    return schema


def random_value(rng: random.Random, depth: int = 0) -> Any:
    if depth > 2 or rng.random() < 0.55:
        return rng.choice([0, 1, 2, 2.0, -2, 0.5, 5, "a", "ab", "", "x", "c", "bb", None, True, False])
    if rng.random() < 0.5:
        return [random_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return {name: random_value(rng, depth + 1) for name in rng.sample(["a", "b", "x", "ab"], rng.randint(0, 3))}


def test_any_schema_agrees_with_jsonschema_and_never_calls_a_prefix_of_what_is_right_dead() -> None:
    rng = random.Random(5)
    verdicts = {True: 0, False: 0}
    for _ in range(120):
        schema = {**random_schema(rng), "$defs": {"d": {"properties": {"a": {"$ref": "#/$defs/d"}}, "maxLength": 1}}}
        value = random_value(rng)
        text = json.dumps(value, indent=rng.choice([None, 1]))
        certificate = verify(schema, text)
        accepted = jsonschema.Draft202012Validator(schema).is_valid(value)
        assert (certificate.verdict is Verdict.PASS) is accepted, (schema, text)
        verdicts[accepted] += 1
        alive = [VERIFIER.viable(prompt(schema), text[:end]) for end in range(len(text) + 1)]
        if accepted:
            assert False not in alive, (schema, text)
        elif certificate.dead_from is not None and certificate.dead_from < len(text):
            assert False not in alive[: certificate.dead_from + 1]
            assert set(alive[certificate.dead_from + 1 :]) == {False}
    assert min(verdicts.values()) > 20


def test_tampered_certificates_are_rejected() -> None:
    for schema, text in [
        (PERSON, '{"name": 5, "age": 1}'),
        (PERSON, '{"name": "A" "age": 1}'),
        (PERSON, '{"name": "A"}'),
    ]:
        certificate = verify(schema, text)
        if certificate.verdict is Verdict.PASS:
            finding = Finding("wrong_type", "no", (Span(9, 12),))
            witness = {"violations": [{"path": ["name"], "keyword": "type"}]}
            made_up = Certificate(Verdict.FAIL, (finding,), 0.75, 9, witness)
            wrong = [made_up, replace(made_up, dead_from=len(text))]
        else:
            finding = certificate.findings[0]
            spans = tuple(Span(span.start + 1, span.end + 1) for span in finding.spans)
            wrong = [
                replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None),
                replace(certificate, findings=(replace(finding, spans=spans),)),
                replace(certificate, findings=(replace(finding, kind="wrong_number"),)),
                replace(certificate, score=certificate.score - 0.1),
                replace(certificate, dead_from=2),
                replace(certificate, witness={"violations": [{"path": ["age"], "keyword": "type"}]}),
            ]
        assert not any(VERIFIER.recheck(tampered, prompt(schema), text) for tampered in wrong), text


@pytest.mark.parametrize(
    ("schema", "completion"),
    [
        (True, "[" * 10_000),
        (True, '{"a":' * 2_000),
        (True, "9" * 9_999),
        (True, "1e" + "9" * 9_000),
        (True, '"' + "\\u0000" * 1_600),
        (True, "[" + "1," * 4_900),
        ({"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}, json.dumps("a" * 9_000)),
        ({"pattern": "(a|a)*c"}, json.dumps("a" * 9_000)),
        ({"patternProperties": {"(a+)+b$": False}}, json.dumps({"a" * 9_000 + "b": 1})),
        ({"uniqueItems": True}, "[" + ",".join(["1", '"a"', "null", "[]"] * 600) + "]"),
        ({"$defs": {"t": {"anyOf": [{"items": {"$ref": "#/$defs/t"}}, {"items": {"$ref": "#/$defs/t"}, "minItems": 9}],
                          "minItems": 1}}, "$ref": "#/$defs/t"}, "[" * 60 + "]" * 60),
        ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, "1"),
    ],
)  # fmt: skip
def test_hostile_documents_end_soon(schema: Any, completion: str) -> None:
    start = time.process_time()
    first, second = (VERIFIER.verify(prompt(schema), completion) for _ in range(2))
    assert VERIFIER.recheck(first, prompt(schema), completion)
    assert time.process_time() - start < 20
    assert first.verdict is not Verdict.PASS
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)


def test_findings_are_bounded() -> None:
    certificate = verify({"items": {"type": "null"}}, json.dumps(list(range(80))))
    assert len(certificate.findings) == 51 and certificate.findings[-1].message == "and 30 more findings"
    long = verify(True, "[1, 2, 3]", GrammarVerifier(max_chars=4))
    assert [(f.kind, f.spans) for f in long.findings] == [("too_long", (Span(4, 9),))] and long.dead_from == 4


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30) | st.text(alphabet='{}[]",:1e.-name ', max_size=20))
def test_any_text_gets_a_certificate_and_dying_is_for_good(text: str) -> None:
    certificate = verify(PERSON, text)
    alive = [VERIFIER.viable(prompt(PERSON), text[:end]) is not False for end in range(len(text) + 1)]
    assert alive == sorted(alive, reverse=True)
    assert certificate.verdict is not Verdict.FAIL or alive.count(True) == (certificate.dead_from or 0) + 1


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "no JSON"),
        (7, "expected a JSON Schema"),
        ({"type": "nosuch"}, "not a JSON Schema"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": "(a)\\1"}, "pattern"),
        ({"$ref": "http://127.0.0.1:9/x"}, "nothing is fetched"),
        ({"$ref": "#/$defs/x"}, "cannot be resolved"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "not covered"),
        ({"unevaluatedProperties": False, "patternProperties": {"a": True}}, "not covered"),
    ],
)
def test_wrong_schemas_are_the_users_mistake(schema: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        VERIFIER.verify(prompt(schema), "1")


def test_a_schema_may_be_json_text_or_an_option() -> None:
    assert verify(json.dumps(PERSON), '{"name": "A"}').verdict is Verdict.PASS
    assert GrammarVerifier(schema=PERSON).verify(Prompt("p", ""), '{"name": 1}').verdict is Verdict.FAIL


def test_a_schema_may_exclude_what_is_still_json() -> None:
    text = '{"name": "A", "age: 5, "tags": []}'  # a quote is missing: the key goes on until the next one
    certificate = verify(PERSON, text)
    found = [(f.kind, [text[s.start : s.end] for s in f.spans]) for f in certificate.findings]
    assert found == [("excluded", [":"]), ("unexpected_token", ["tags"])]
    assert certificate.dead_from == text.index(": 5")


DRAFTS = [
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize(
    ("part", "right", "wrong"),
    [
        ({"multipleOf": 0.1}, "0.3", "0.35"),
        ({"pattern": r"^\s$"}, r'"\ufeff"', '"a"'),
        ({"pattern": "a$"}, '"a"', r'"a\n"'),
        ({"uniqueItems": True}, "[1, true]", "[1, 1.0]"),
        ({"patternProperties": {r"^\d$": False}}, '{"٣": 1}', '{"3": 1}'),
    ],
)
def test_a_schema_that_names_its_draft_means_the_same_where_it_refers_to_itself(
    draft: str, part: Any, right: str, wrong: str
):
    schema = {"$schema": draft, "properties": {"x": part, "child": {"$ref": "#"}}}
    for text in (f'{{"x": {right}}}', f'{{"child": {{"x": {right}}}}}', f'{{"child": {{"child": {{"x": {right}}}}}}}'):
        assert verify(schema, text).verdict is Verdict.PASS
        assert verify(schema, text.replace(right, wrong)).verdict is Verdict.FAIL


def test_no_document_hangs_where_a_schema_that_names_its_draft_refers_to_itself():
    schema = {"$schema": DRAFTS[-1], "properties": {"x": {"pattern": "^(a+)+$"}, "child": {"$ref": "#"}}}
    assert verify(schema, json.dumps({"child": {"x": "a" * 40 + "b"}})).verdict is Verdict.FAIL


def test_a_part_of_another_draft_is_read_as_that_draft():
    part = {"$schema": DRAFTS[1], "$id": "http://x.org/part", "items": [{"type": "string"}, {"multipleOf": 0.1}]}
    schema = {"$schema": DRAFTS[2], "$defs": {"part": part}, "$ref": "http://x.org/part"}
    assert VERIFIER.verify(prompt(schema), '["a", 0.3]').verdict is Verdict.PASS
    assert VERIFIER.verify(prompt(schema), '["a", 0.35]').verdict is Verdict.FAIL


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
@pytest.mark.parametrize("draft", DRAFTS)
def test_references_without_an_end_are_an_abstention_wherever_the_stack_ends(keyword: str, draft: str):
    """A panic of native code, which a full stack makes of a lookup, is no Exception and would end the process."""
    schema = {
        "$schema": draft,
        "definitions": {"x": {keyword: [{"$ref": "#/definitions/x"}]}},
        "allOf": [{"$ref": "#/definitions/x"}],
    }

    def verdict(calls: int) -> Verdict:
        return verdict(calls - 1) if calls else VERIFIER.verify(prompt(schema), "1").verdict

    assert {verdict(calls) for calls in range(25)} == {Verdict.ABSTAIN}


@pytest.mark.parametrize(
    "schema",
    [
        {"$dynamicAnchor": "n", "properties": {"a": {"allOf": [{"$dynamicRef": "#n"}] * 2}}},
        {"$schema": DRAFTS[2], "$recursiveAnchor": True, "properties": {"a": {"allOf": [{"$recursiveRef": "#"}] * 2}}},
        {"$schema": DRAFTS[1], "properties": {"a": {"allOf": [{"$ref": "#"}] * 2}}},
    ],
)
def test_references_that_double_at_every_level_end(schema: dict[str, Any]):
    assert VERIFIER.verify(prompt(schema), '{"a":' * 40 + "1" + "}" * 40).verdict is Verdict.ABSTAIN
