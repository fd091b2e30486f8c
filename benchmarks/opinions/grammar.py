"""Formal languages: for JSON the majority of jsonschema as it comes, fastjsonschema (drafts 6 and 7) and jsonschema-
rs; for a grammar Lark's Earley parser, which reads characters and not tokens, and Lark's own LALR parser.

The verifier takes from ``jsonschema`` its walk through the schema and brings its own patterns, multiples, equality
and references; from Lark it takes the parse table and brings lexer and parser. Further texts are random schemas of
all keywords and drafts, and grammars whose terminals overlap.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import fastjsonschema
import jsonschema
import jsonschema_rs
import lark
import random_schemas
from corpora import Case

from opinions import Opinion
from rlsf_lightning.records import Certificate, Prompt, Verdict

TOOLS = ("jsonschema", "fastjsonschema", "jsonschema-rs", "lark")
HOW = "jsonschema, fastjsonschema and jsonschema-rs by majority; Lark's Earley and LALR parsers"
EXPLAINED = {
    "longest token": "Lark's Earley parser tries every division into tokens, its LALR parser takes the first one of its lexer; "
    "the language is the LALR parser's",
    "letters of ASCII": "`\\w`, `\\d`, `\\b` and `\\s` are ECMA-262's, as jsonschema-rs has "
    "them; to the two that use Python's re "
    "letters and digits of all of Unicode belong",
}

MAX_CHARS, MAX_DEPTH, MAX_DIGITS = 10_000, 64, 4000
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9.eE+]+|[A-Za-z]+|\S')
#: (grammar, texts of it, pieces of which others are made)
_GRAMMARS = [
    (
        'start: stmt+\nstmt: "let" NAME "=" NAME ";"\nNAME: /[a-z]+/\n%ignore " "',
        ["let a = b ;", "let letx = let ;", "letx=b;", "let a=b;let c=d;"],
        ["let", "letx", "a", "=", ";", " ", "x"],
    ),
    (
        'start: (INT | FLOAT | RANGE)+\nINT: /[0-9]+/\nFLOAT: /[0-9]+\\.[0-9]+/\nRANGE: ".."\n%ignore " "',
        ["1..2", "1.5..2", "1 .. 2", "1.5 2.5", "12"],
        ["1", ".", "..", "25", " ", ".5"],
    ),
    (
        'start: pair ("," pair)*\npair: KEY ":" value\nvalue: KEY | NUMBER | "[" [value ("," value)*] "]"\nKEY: /[a-z_]\\w*/\n'
        "%import common.SIGNED_NUMBER -> NUMBER\n%import common.WS\n%ignore WS",
        ["a: 1", "a: [1, 2, [b]], c_1: -2.5e3", "x:[]"],
        ["a", ":", "1", "-2", "[", "]", ",", " ", "e", "1e5", "_"],
    ),
    (
        'start: "select"i cols "from"i NAME ["where"i NAME OP NAME]\ncols: "*" | NAME ("," NAME)*\nNAME: /[a-zA-Z]+/\n'
        'OP: "<" | "<=" | "<>" | "="\n%ignore /\\s+/',
        ["SELECT a, b from t", "select * FROM t WHERE x <= y", "Select selectx from fromage where a<>b"],
        ["select", "FROM", "where", "a", ",", "*", " ", "<", "=", ">", "\n"],
    ),
    ('start: s\ns: "a" s "b" | "a" "b"', ["ab", "aabb", "aaabbb"], ["a", "b"]),
    (
        'start: e\n?e: e "+" t | t\n?t: t "*" f | f\n?f: N | "(" e ")"\nN.2: /0|[1-9][0-9]*/',
        ["1+2*3", "(1+2)*3", "0", "10*(2+0)"],
        ["1", "0", "+", "*", "(", ")", "12", "00"],
    ),
    (
        'start: (COMMENT | WORD)*\nCOMMENT: /\\/\\*(.|\\n)*?\\*\\//\nWORD: /[a-z*\\/]+/\n%ignore " "',
        ["a b", "/* x */ a", "a /* b */ c /**/", "/*a*/b*/"],
        ["a", "/*", "*/", "*", "/", " ", "x"],
    ),
    (
        'start: STRING ("," STRING)*\nSTRING: /"(\\\\.|[^"\\\\])*"/',
        ['"a"', '"a\\"b","c"', '"","\\\\"'],
        ['"', "a", ",", "\\", '\\"'],
    ),
    ('start: item item? item?\nitem: "x"~2 | "y"~1..2 "z"?\n', ["xx", "yyz", "xxyz"], ["x", "y", "z"]),
    (
        'start: "if" c "then" start "else" start | A\nc: A\nA: /\\w/\n%ignore " "',
        ["if a then b else c", "x"],
        ["if", "then", "else", "a", "i", " "],
    ),
]


def opinion(case: Case) -> Opinion:
    """By what the case asks for."""
    facts = case.prompt.facts
    if len(case.completion.strip() if "grammar" in facts else case.completion) > MAX_CHARS:
        return Opinion(False, "too long")
    if "grammar" in facts:
        return _of_text(facts["grammar"], case.completion.strip())
    schema = facts["schema"]
    return _of_document(json.dumps(schema), case.completion)


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """A text that only the Earley parser takes; a document with other letters, of which jsonschema-rs says the same."""
    if "grammar" in case.prompt.facts:
        is_other_language = said.reason == "Earley alone" and certificate.verdict is Verdict.FAIL
        return "longest token" if is_other_language else None
    has_class = re.search(r"\\\\[wWdDbBsS]", json.dumps(case.prompt.facts["schema"])) is not None
    value, _ = _read(case.completion)
    is_known = _votes(json.dumps(case.prompt.facts["schema"]), value)["jsonschema-rs"] is (
        certificate.verdict is Verdict.PASS
    )
    return (
        "letters of ASCII" if has_class and is_known and not json.dumps(value, ensure_ascii=False).isascii() else None
    )


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: half of them documents."""
    while True:
        if rng.random() < 0.3:
            number = rng.randrange(len(_GRAMMARS))
            grammar, samples, pieces = _GRAMMARS[number]
            yield Case(Prompt(f"own grammar {number}", "", facts={"grammar": grammar}), _text(samples, pieces, rng))
            continue
        schema = random_schemas.schema(rng)
        prompt = Prompt(f"own schema {json.dumps(schema)}", "", facts={"schema": schema})
        for _ in range(3):
            text = random_schemas.written(random_schemas.fitting(schema, rng), rng)
            yield Case(prompt, _edited(text, rng) if rng.random() < 0.25 else text)


def _text(samples: list[str], pieces: list[str], rng: random.Random) -> str:
    if rng.random() < 0.3:
        return "".join(rng.choices(pieces, k=rng.randint(0, 6)))
    text = rng.choice(samples)
    for _ in range(rng.randint(0, 2)):
        at = rng.randint(0, len(text))
        text = text[:at] + rng.choice([*pieces, ""]) + text[at + rng.choice([0, 0, 1, 2]) :]
    return text


def _edited(text: str, rng: random.Random) -> str:
    """Mostly still JSON: other spellings of numbers, another token, one less."""
    tokens = list(_TOKENS.finditer(text))
    token = rng.choice(tokens)
    others = [
        "1",
        "1.0",
        "1e0",
        "-0",
        "0.10",
        "01",
        "1.",
        ".5",
        "+1",
        "1E+2",
        "NaN",
        "null",
        '"a"',
        '"\\u0061"',
        '"\\/"',
        "[]",
        "{}",
        "1e400",
        "-1e400",
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        "'a'",
        "true",
        "True",
        "",
        ",",
        "100000000000000000000000.0",
        '{"a":1,"a":2}',
        '"\t"',
        "\u00a0",
        "9" * 30,
    ]
    return text[: token.start()] + rng.choice(others) + text[token.end() :]


def _of_text(grammar: str, text: str) -> Opinion:
    by_table = _parses(_lark(grammar, "lalr"), text)
    by_chart = _parses(_lark(grammar, "earley"), text)
    if by_table is by_chart:
        return Opinion(by_table, "Earley and LALR")
    return Opinion(by_chart, "Earley alone" if by_chart else "LALR alone")


def _of_document(schema: str, text: str) -> Opinion:
    value, error = _read(text)
    if error is not None:
        return Opinion(False, error)
    if _digits(value) > MAX_DIGITS:
        return Opinion(None, "an integer too long")
    votes = {tool: vote for tool, vote in _votes(schema, value).items() if vote is not None}
    yes = sum(votes.values())
    if 2 * yes == len(votes):
        return Opinion(None, f"no majority: {votes}")
    return Opinion(2 * yes > len(votes), f"{votes}")


def _read(text: str) -> tuple[Any, str | None]:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        if sorted(names) != sorted(set(names)):
            raise ValueError("a name twice")
        return dict(found)

    def number(written: str) -> float:
        if math.isinf(float(written)):
            raise ValueError("beyond a double")
        return float(written)

    try:
        value = json.loads(text, parse_constant=refuse, object_pairs_hook=pairs, parse_float=number)
    except (ValueError, RecursionError) as error:
        return None, f"no JSON: {error}"
    depth = _depth(value)
    return value, f"nested {depth} deep" if depth > MAX_DEPTH else None


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _digits(value: Any) -> int:
    if isinstance(value, int):
        return value.bit_length() // 3
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(_digits, inner), default=0)


def _votes(schema: str, value: Any) -> dict[str, bool | None]:
    votes: dict[str, bool | None] = {}
    try:
        votes["jsonschema"] = _validator(schema).is_valid(value)
    except (re.error, RecursionError, OverflowError):
        votes["jsonschema"] = None
    try:
        _compiled(schema)(value)
        votes["fastjsonschema"] = True
    except fastjsonschema.JsonSchemaValueException:
        votes["fastjsonschema"] = False
    except (_NotCovered, RecursionError, OverflowError, KeyError, AttributeError):
        votes["fastjsonschema"] = None
    try:
        votes["jsonschema-rs"] = _rust(schema).is_valid(value)
    except ValueError:  # a pattern, or half of a pair of surrogates
        votes["jsonschema-rs"] = None
    return votes


class _NotCovered(Exception):
    pass


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    loaded = json.loads(schema)
    return jsonschema.validators.validator_for(loaded, default=jsonschema.Draft202012Validator)(loaded)


@lru_cache(maxsize=256)
def _compiled(schema: str) -> Any:
    def refuse(value: Any) -> None:
        raise _NotCovered

    loaded = json.loads(schema)
    if loaded.get("$schema") not in (random_schemas.DRAFTS[6], random_schemas.DRAFTS[7]):
        return refuse
    try:
        return fastjsonschema.compile(loaded, use_formats=False, use_default=False)
    except fastjsonschema.JsonSchemaDefinitionException:  # of what can never be satisfied, too
        return refuse


@lru_cache(maxsize=256)
def _rust(schema: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(schema), validate_formats=False)


@lru_cache(maxsize=64)
def _lark(grammar: str, parser: str) -> lark.Lark:
    return lark.Lark(grammar, parser=parser)


def _parses(parser: lark.Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except lark.exceptions.LarkError:
        return False
    return True
