"""Formal languages: texts of Lark grammars, made by their rules, and JSON documents of schemas.

What is wrong is decided by Lark's own parser and by jsonschema.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import lark
from edits import replaced

from corpora import Case, Injected
from rlsf_lightning.records import Prompt, Span

OPTIONS: dict[str, Any] = {}
WHY = {
    "hit": "A parser refuses the first token that cannot stand where it stands, which may come after the mistake: a word that "
    "was left out shows at the next one that does not fit. What is one too many is marked where it could be left out; where "
    "one is missing there are mostly too many places for it to mark them all.",
}

_ARITHMETIC = """
start: sum
sum: product | sum "+" product | sum "-" product
product: atom | product "*" atom | product "/" atom
atom: NUMBER | "-" atom | NAME | "(" sum ")"
%import common.NUMBER
%import common.CNAME -> NAME
%import common.WS
%ignore WS
"""
_STATEMENTS = """
start: stmt+
stmt: "if" expr "then" stmt "else" stmt "end" | NAME "=" expr ";" | "while" expr ":" stmt
expr: NAME | INT | "(" expr OP expr ")"
OP: "<=" | "<" | "+"
NAME: /[a-z]+/
%import common.INT
%ignore /[ \\n]+/
%ignore /#[^\\n]*/
"""
_LISTS = """
start: "(" ITEM* start* ")"
ITEM: /[A-Za-z0-9]+/
%ignore " "
"""
_PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "colour": {"enum": ["red", "green", "blue"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 4, "uniqueItems": True},
        "child": {"$ref": "#"},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
_ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{3}$"},
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "item": {"type": "string"},
                    "count": {"type": "integer", "minimum": 1},
                    "price": {"type": "number", "exclusiveMinimum": 0},
                },
                "required": ["item", "count"],
                "additionalProperties": False,
            },
        },
        "paid": {"type": "boolean"},
    },
    "required": ["id", "lines"],
    "additionalProperties": False,
}
_GRAMMARS = {"arithmetic": _ARITHMETIC, "statements": _STATEMENTS, "lists": _LISTS}
_SCHEMAS = {"person": _PERSON, "order": _ORDER}
_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"{_STRING}|[A-Za-z]+|[0-9.]+|<=|\S")


def correct(count: int, rng: random.Random) -> list[Case]:
    """Of every grammar and every schema in turn."""
    cases = []
    names = [*_GRAMMARS, *_SCHEMAS]
    for number in range(count):
        name = names[number % len(names)]
        if name in _GRAMMARS:
            text = _spread(_TEXTS[name](rng), ["", " ", "\n"] if name != "lists" else ["", " "], rng)
            prompt = Prompt(f"{number}: {name}", f"write {name}", facts={"grammar": _GRAMMARS[name]})
        else:
            text = json.dumps(_DOCUMENTS[name](rng, 0), indent=rng.choice([None, 1, 2]))
            prompt = Prompt(f"{number}: {name}", f"write the {name}", facts={"schema": _SCHEMAS[name]})
        cases.append(Case(prompt, text))
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Other white space; other texts of the same language; JSON with other escapes and another order of keys."""
    name = case.prompt.id.split(": ")[1]
    while True:
        if name in _GRAMMARS:
            tokens = _TOKEN.findall(case.completion) if rng.random() < 0.5 else _TEXTS[name](rng)
            yield rng.choice(["", " ", "\n"]) + _spread(tokens, _GAPS[name], rng) + rng.choice(["", " ", "\n\n"])
        else:
            value = json.loads(case.completion) if rng.random() < 0.5 else _DOCUMENTS[name](rng, 0)
            text = json.dumps(_shuffled(value, rng), indent=rng.choice([None, 0, 3, "\t"]),
                              separators=rng.choice([None, (",", ":"), (" , ", " : ")]))  # fmt: skip
            if rng.random() < 0.3:
                text = re.sub(r"(?<![\\\w])([a-z])(?=[a-z]*\")", lambda m: f"\\u{ord(m[1]):04x}", text)
            yield rng.choice(["", " ", "\n"]) + text + rng.choice(["", "\n"])


def inject(case: Case, rng: random.Random) -> Injected | None:
    edits = [_in_tokens] if "grammar" in case.prompt.facts else [_in_tokens, _in_document, _in_document]
    injected = rng.choice(edits)(case, rng)
    return None if injected is None or _is_right(case.prompt, injected.completion) else injected


def hostile() -> list[Case]:
    words = {"arithmetic": _ARITHMETIC, "backtracking": "start: A\nA: /(a+)+b/", "choice": 'start: A "x"\nA: /(a|a)*c/'}
    texts = [
        ("arithmetic", "(" * 10_000), ("arithmetic", "-" * 10_000), ("arithmetic", "1+" * 4_000), ("arithmetic",
        "x" * 300_000),
        ("arithmetic", "(" * 4000 + "1" + ")" * 4000), ("arithmetic", "1" * 9_999), ("arithmetic", ""), ("arithmetic",
        "\x00"),
        ("arithmetic", "\uff11"), ("arithmetic", "\ud800"), ("arithmetic", "1\u20281"), ("backtracking", "a" * 9_000),
        ("choice", "a" * 9_000), ("arithmetic", "__import__('os')"), ("arithmetic", "%import common.WS"),
    ]  # fmt: skip
    cases = [
        Case(Prompt(f"hostile {name}", "", facts={"grammar": words[name]}), text, "hostile") for name, text in texts
    ]
    schemas: list[tuple[Any, str]] = [
        (True, "[" * 10_000), (True, "[" * 60 + "]" * 60), (True, '{"a":' * 2_000), (True, "9" * 9_999), (True,
        "1e" + "9" * 9_000),
        (True, '"' + "\\u0000" * 1_600), (True, "[" + "1," * 4_900), (True, "NaN"), (True, "1e999"), (True,
        '{"a": 1, "a": 2}'),
        (True, "-Infinity"), (True, '"\\ud800"'), (True, "\ufeff1"), (True, ""), (True, '"' + "\\" * 9_000), (True,
        "[1] [2]"),
        ({"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}, json.dumps("a" * 9_000)), ({"pattern": "(a|a)*c"},
        json.dumps("a" * 9_000)),
        ({"patternProperties": {"(a+)+b$": False}}, json.dumps({"a" * 9_000 + "b": 1})),
        ({"allOf": [{"$ref": "#"}] * 2}, "1"),
        ({"uniqueItems": True}, "[" + ",".join(["1", '"a"', "null", "[]"] * 600) + "]"),
        ({"multipleOf": 1e-300}, "1e300"), ({"multipleOf": 0.1}, "1" * 400), ({"enum": [[[]]]}, "[[]]"),
        (_PERSON, '{"child":' * 60 + "1" + "}" * 60), (_PERSON, '{"name": "' + "x" * 9_000 + '"}'),
    ]  # fmt: skip
    return cases + [
        Case(Prompt("hostile schema", "", facts={"schema": schema}), text, "hostile") for schema, text in schemas
    ]


def bare(case: Case) -> None:
    """Lark's parser, or Python's reader and all errors of jsonschema."""
    facts = case.prompt.facts
    try:
        if "grammar" in facts:
            _parser(facts["grammar"]).parse(case.completion.strip())
        else:
            list(_validator(json.dumps(facts["schema"])).iter_errors(json.loads(case.completion)))
    except (lark.exceptions.LarkError, ValueError, RecursionError):
        return


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Every text of few letters, for small languages of which all longer texts can be written down."""
    small = {'start: "a" start "b" | "c"?': "abc", 'start: s\ns: "i" s | "i" s "e" s | "x"': "iex",
             'start: "(" start ")" | "0" | "00"': "(0)", 'start: ("x" | "y" "z")*': "xyz"}  # fmt: skip
    compared = differing = 0
    for grammar, letters in small.items():
        parser, prompt = _parser(grammar), Prompt("small", "", facts={"grammar": grammar})
        lives: set[str] = set()
        for size in range(10):
            for chosen in itertools.product(letters, repeat=size):
                text = "".join(chosen)
                if _parses(parser, text):
                    lives |= {text[:end] for end in range(len(text) + 1)}
        for size in range(5):
            for chosen in itertools.product(letters, repeat=size):
                compared += 1
                differing += verifier.viable(prompt, "".join(chosen)) is not ("".join(chosen) in lives)
    return compared, differing


def _in_tokens(case: Case, rng: random.Random) -> Injected | None:
    text = case.completion
    tokens = list(_TOKEN.finditer(text))
    token, other = rng.choice(tokens), rng.choice(tokens)
    edit = rng.choice(["dropped token", "token twice", "other token", "foreign character", "cut off"])
    if edit == "dropped token":
        return replaced(text, token.span(), " ", edit)
    if edit == "token twice":
        return replaced(text, token.span(), f"{token.group()} {token.group()}", edit)
    if edit == "other token":
        return replaced(text, token.span(), other.group(), edit) if other.group() != token.group() else None
    if edit == "foreign character":
        return replaced(text, (token.start(), token.start()), rng.choice("\u00a7\u00e9\\`$\uff11\x00"), edit)
    if token.start() == 0:
        return None
    cut = text[: token.start()].rstrip()
    return Injected(cut, Span(len(cut) - 1, len(cut)), edit)


def _in_document(case: Case, rng: random.Random) -> Injected | None:
    """Still JSON, but not of the schema."""
    text = case.completion
    edit = rng.choice(["other type", "out of range", "other word", "extra property", "missing property"])
    if edit == "other type":
        value = rng.choice(list(re.finditer(rf"(?<=: )(?:{_STRING}|-?[0-9.]+|true|false)", text)))
        return replaced(text, value.span(), rng.choice(["null", "[]", "{}", "true", "0.5", '"a"']), edit)
    if edit == "out of range":
        numbers = list(re.finditer(r"(?<=: )[0-9.]+", text))
        return replaced(text, rng.choice(numbers).span(), rng.choice(["-1", "-7.5", "1000"]), edit) if numbers else None
    if edit == "other word":
        words = list(re.finditer(rf"(?<=: ){_STRING}", text))
        return (
            replaced(text, rng.choice(words).span(), rng.choice(['"grey"', '""', '"AB12"', f'"{"x" * 20}"']), edit)
            if words
            else None
        )
    if edit == "extra property":
        at = rng.choice([match.end() for match in re.finditer(r"\{", text)])
        return (
            replaced(text, (at, at), f'"{rng.choice(["height", "note", "Name"])}": 1, ', edit)
            if text[at:].strip()[0] == '"'
            else None
        )
    keys = list(re.finditer(rf'"(?:name|age|id|item|count)": (?:{_STRING}|[0-9]+),?\s*', text))
    if not keys:
        return None
    key = rng.choice(keys)
    made = text[: key.start()] + text[key.end() :]
    # The order of properties is free: what is missing is missing where its object ends.
    closing = _closing(made, key.start())
    return None if closing is None else Injected(made, Span(closing, closing + 1), edit)


def _closing(text: str, at: int) -> int | None:
    """The brace that ends the object around a place."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}]', text[at:]):
        depth += (match.group() == "{") - (match.group() == "}")
        if depth < 0:
            return at + match.start()
    return None


def _is_right(prompt: Prompt, text: str) -> bool:
    facts = prompt.facts
    if "grammar" in facts:
        return _parses(_parser(facts["grammar"]), text.strip())
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_refuse)
    except ValueError:
        return False
    return bool(_validator(json.dumps(facts["schema"])).is_valid(value))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(name)


@cache
def _parser(grammar: str) -> lark.Lark:
    return lark.Lark(grammar, parser="lalr")


@cache
def _validator(schema: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads(schema))


def _parses(parser: lark.Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except lark.exceptions.LarkError:
        return False
    return True


def _arithmetic(rng: random.Random, depth: int = 0) -> list[str]:
    way = rng.random()
    if depth > 4 or way < 0.25:
        return [rng.choice(["1", "42", "2.5", "x", "rate_2", "7"])]
    if way < 0.35:
        return ["-", *_arithmetic(rng, 9)]
    if way < 0.55:
        return ["(", *_arithmetic(rng, depth + 1), ")"]
    return [*_arithmetic(rng, depth + 1), rng.choice("+-*/"), *_arithmetic(rng, depth + 1)]


def _statements(rng: random.Random, depth: int = 0) -> list[str]:
    def name() -> str:
        return rng.choice(["a", "b", "count", "total"])

    def expr(level: int = 0) -> list[str]:
        if level > 2 or rng.random() < 0.5:
            return [rng.choice([name(), str(rng.randint(0, 99))])]
        return ["(", *expr(level + 1), rng.choice(["<", "<=", "+"]), *expr(level + 1), ")"]

    def stmt(level: int) -> list[str]:
        way = rng.random()
        if level > 2 or way < 0.5:
            return [name(), "=", *expr(), ";"]
        if way < 0.75:
            return ["if", *expr(), "then", *stmt(level + 1), "else", *stmt(level + 1), "end"]
        return ["while", *expr(), ":", *stmt(level + 1)]

    return [token for _ in range(rng.randint(1, 3)) for token in stmt(depth)]


def _lists(rng: random.Random, depth: int = 0) -> list[str]:
    items = [rng.choice(["a", "Bc", "7", "x1"]) for _ in range(rng.randint(0, 3))]
    lists = [token for _ in range(rng.randint(0, 3 - depth) if depth < 3 else 0) for token in _lists(rng, depth + 1)]
    return ["(", *items, *lists, ")"]


def _person(rng: random.Random, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"name": rng.choice(["Ann", "Bob", "C\u00e9cile", 'D"x"']), "age": rng.randint(0, 150)}
    if rng.random() < 0.6:
        made["colour"] = rng.choice(["red", "green", "blue"])
    if rng.random() < 0.6:
        made["tags"] = rng.sample(["a", "bb", "c c", "", "1"], rng.randint(0, 4))
    if depth < 2 and rng.random() < 0.4:
        made["child"] = _person(rng, depth + 1)
    return made


def _order(rng: random.Random, depth: int) -> dict[str, Any]:
    lines = []
    for _ in range(rng.randint(1, 3)):
        line: dict[str, Any] = {"item": rng.choice(["pen", "ink", "paper"]), "count": rng.randint(1, 9)}
        if rng.random() < 0.7:
            line["price"] = rng.choice([1, 2.5, 10.75, 1e3])
        lines.append(line)
    made: dict[str, Any] = {"id": f"{rng.choice(['AB', 'XY'])}{rng.randint(100, 999)}", "lines": lines}
    if rng.random() < 0.5:
        made["paid"] = rng.random() < 0.5
    return made


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(value[key], rng) for key in rng.sample(list(value), len(value))}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


def _spread(tokens: list[str], gaps: list[str], rng: random.Random) -> str:
    """Tokens with white space between them where it is needed, and elsewhere at will."""
    text = ""
    for token in tokens:
        gap = rng.choice(gaps)
        if text and not gap and text[-1].isalnum() and token[0].isalnum():
            gap = " "
        text += (gap if text else "") + token
    return text


#: What may stand between two tokens.
_GAPS = {"lists": ["", " ", "  "], "arithmetic": ["", " ", "\t", "\n"], "statements": ["", " ", "\n", " # so\n"]}
_TEXTS = {"arithmetic": _arithmetic, "statements": _statements, "lists": _lists}
_DOCUMENTS = {"person": _person, "order": _order}
