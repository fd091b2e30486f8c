"""The verifier of formal languages under Lark grammars: verdicts, places, viability against Lark itself, hostile texts."""

import itertools
import random
import time
from dataclasses import replace

import lark
import pytest
from certificates import checked
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import grammar_of
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import parse_text
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.verifier import GrammarVerifier

ARITHMETIC = """
start: sum
sum: product | sum "+" product | sum "-" product
product: atom | product "*" atom | product "/" atom
atom: NUMBER | "-" atom | NAME | "(" sum ")"
%import common.NUMBER
%import common.CNAME -> NAME
%import common.WS
%ignore WS
"""
JSON = """
start: value
?value: object | array | STRING | SIGNED_NUMBER | "true" | "false" | "null"
array: "[" [value ("," value)*] "]"
object: "{" [pair ("," pair)*] "}"
pair: STRING ":" value
STRING: ESCAPED_STRING
%import common.ESCAPED_STRING
%import common.SIGNED_NUMBER
%import common.WS
%ignore WS
"""
STATEMENTS = """
start: stmt+
stmt: "if" expr "then" stmt "else" stmt "end" | NAME "=" expr ";" | "while"i expr ":" stmt
expr: NAME | INT | expr OP expr
OP: "<" | "<="
COMMENT: /#[^\\n]*/
%ignore COMMENT
%ignore /\\s+/
NAME: /[a-z]+/
%import common.INT
"""
DANGLING = 'start: s\ns: "i" s | "i" s "e" s | "x"'
NESTED = 'start: "a" start "b" | "c"?'
GRAMMARS = {
    "arithmetic": (ARITHMETIC, "1a+-*/() .e"),
    "json": (JSON, '[]{}",:1-.e \\truefalsn'),
    "statements": (STATEMENTS, "if then else end abw=;1<: #\nwhile"),
    "dangling": (DANGLING, "iex"),
    "nested": (NESTED, "abc"),
}
VERIFIER = GrammarVerifier()


def prompt(grammar: str) -> Prompt:
    return Prompt("p", "write it", facts={"grammar": grammar})


def verify(grammar: str, completion: str, verifier: GrammarVerifier = VERIFIER) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, prompt(grammar), completion)


def corpus(name: str, count: int) -> list[tuple[str, bool]]:
    """Texts, and whether Lark accepts them. Half of them are made from others that it accepts."""
    grammar, alphabet = GRAMMARS[name]
    parser = lark.Lark(grammar, parser="lalr")
    rng = random.Random(name)
    good, texts = ["(1)", "[1]", "a=1;", "ix", "ab", "a = b < 1 ;\n", "-x*(y + 2.5)", '{"a": [true, 1]}'], []
    for _ in range(count):
        text = rng.choice(good)
        at = rng.randint(0, len(text))
        text = (
            text[:at] + "".join(rng.choice(alphabet) for _ in range(rng.randint(0, 3))) + text[at + rng.randint(0, 2) :]
        )
        try:
            parser.parse(text.strip())
            texts.append((text, True))
            good.append(text)
        except lark.exceptions.LarkError:
            texts.append((text, False))
    return texts


@pytest.mark.parametrize("name", GRAMMARS)
def test_exactly_what_lark_accepts_passes_and_none_of_its_prefixes_is_dead(name: str) -> None:
    grammar = GRAMMARS[name][0]
    passed = 0
    for text, accepted in corpus(name, 120):
        certificate = verify(grammar, text)
        assert (certificate.verdict is Verdict.PASS) is accepted, text
        passed += accepted
        if accepted:
            assert all(VERIFIER.viable(prompt(grammar), text[:end]) is not False for end in range(len(text) + 1)), text
        elif certificate.dead_from is not None:
            rest = certificate.witness.get("continuation")
            assert rest is None or verify(grammar, text[: certificate.dead_from] + rest).verdict is Verdict.PASS
    assert passed >= 2


@pytest.mark.parametrize(
    ("grammar", "alphabet", "length", "beyond"),
    [(NESTED, "abc", 3, 7), (DANGLING, "iex", 3, 7), ('start: "(" start ")" | "0" | "00"', "(0)", 3, 7)],
)
def test_viable_equals_exhaustive_search(grammar: str, alphabet: str, length: int, beyond: int) -> None:
    parser = lark.Lark(grammar, parser="lalr")
    accepted = set()
    for size in range(beyond + 1):
        for letters in itertools.product(alphabet, repeat=size):
            try:
                parser.parse("".join(letters))
                accepted.add("".join(letters))
            except lark.exceptions.LarkError:
                pass
    alive = {text[:end] for text in accepted for end in range(len(text) + 1)}
    verifier = GrammarVerifier(strip=False)
    for size in range(length + 1):
        for letters in itertools.product(alphabet, repeat=size):
            text = "".join(letters)
            assert verifier.viable(prompt(grammar), text) is (text in alive), text


@pytest.mark.parametrize(
    ("grammar", "completion", "kind", "spans", "dead_from"),
    [
        (ARITHMETIC, "1 + * 2", "unexpected_token", [Span(2, 3), Span(4, 5)], 4),
        (ARITHMETIC, "  (1 + 2", "unexpected_end", [Span(8, 8), Span(2, 3)], 8),  # or without the bracket
        (ARITHMETIC, " 1 + 2)", "unexpected_token", [Span(5, 6), Span(6, 7)], 6),
        (ARITHMETIC, ")", "unexpected_token", [Span(0, 1)], 0),
        (ARITHMETIC, "1 + §", "bad_character", [Span(4, 5)], 4),
        (ARITHMETIC, "1 2", "unexpected_token", [Span(0, 1), Span(2, 3)], 2),
        (ARITHMETIC, "", "unexpected_end", [Span(0, 0)], 0),
        (ARITHMETIC, " ", "unexpected_end", [Span(0, 0)], 1),
        (ARITHMETIC, "\uff11", "bad_character", [Span(0, 1)], 0),
        (STATEMENTS, "if a them", "unexpected_token", [Span(3, 4), Span(5, 9)], 8),  # "the" could become "then"
        (STATEMENTS, "if a then b=1; else b=2;", "unexpected_end", [Span(24, 24)], 24),
        (JSON, '{"a": tru}', "bad_character", [Span(6, 7)], 9),
        (NESTED, "aab", "unexpected_end", [Span(3, 3), Span(0, 1), Span(1, 2)], 3),
        (NESTED, "a b", "bad_character", [Span(1, 2)], 1),
    ],
)
def test_the_place_of_the_mistake(grammar: str, completion: str, kind: str, spans: list[Span], dead_from: int) -> None:
    certificate = verify(grammar, completion)
    assert [(f.kind, list(f.spans)) for f in certificate.findings] == [(kind, spans)]
    assert certificate.dead_from == dead_from


def test_the_expected_set_the_score_and_the_way_on() -> None:
    certificate = verify(NESTED, "aac")
    assert certificate.witness == {"expected": ["B"], "continuation": "bb"}
    assert certificate.score == pytest.approx(3 / 5)
    assert certificate.findings[0].message == "the end stands where the grammar has B"


@pytest.mark.parametrize("name", GRAMMARS)
def test_exactly_the_tokens_without_which_lark_accepts_the_rest_are_marked(name: str) -> None:
    grammar = GRAMMARS[name][0]
    parser = lark.Lark(grammar, parser="lalr")

    def accepts(text: str) -> bool:
        try:
            parser.parse(text.strip())
        except lark.exceptions.LarkError:
            return False
        return True

    marked = 0
    for text, accepted in corpus(name, 150):
        if accepted:
            continue
        core, offset = text.strip(), len(text) - len(text.lstrip()) if text.strip() else 0
        reading = parse_text(core, grammar_of(grammar, "start"), Fuel(10**6))
        tokens = [(token.start, token.end) for token in reading.tokens if not token.ignored]
        wanted = [
            [offset + a, offset + b]
            for a, b in tokens
            if any(accepts(core[:a] + space + core[b:]) for space in ("", " ", "\n"))
        ]
        certificate = verify(grammar, text)
        assert certificate.witness.get("without", []) == wanted[-8:], text
        assert all(Span(a, b) in certificate.findings[0].spans for a, b in wanted[-8:])
        marked += bool(wanted)
    assert marked


def test_a_bracket_too_many_is_marked_where_it_stands_not_only_where_it_shows() -> None:
    certificate = verify(ARITHMETIC, "(1 + ( ( 2)) * 3")
    assert certificate.witness["without"] == [[0, 1], [5, 6], [7, 8]]
    message = "the end stands where the grammar has MINUS, PLUS, RPAR, SLASH, STAR; without the marked '(' the rest is accepted"
    assert certificate.findings[0].message == message
    for without in (
        [[0, 1], [5, 6]],
        [[0, 1], [1, 2], [7, 8]],
        [[0, 1], [0, 1], [5, 6], [7, 8]],
        [[5, 6], [0, 1]],
        "x",
        [0],
    ):
        other = replace(certificate, witness={**certificate.witness, "without": without})
        assert not VERIFIER.recheck(other, prompt(ARITHMETIC), "(1 + ( ( 2)) * 3"), without
    lied = replace(certificate, findings=(replace(certificate.findings[0], spans=(Span(16, 16), Span(1, 2))),))
    lied = replace(lied, witness={**lied.witness, "without": [[1, 2]]})  # without the 1 it is no text either
    assert not VERIFIER.recheck(lied, prompt(ARITHMETIC), "(1 + ( ( 2)) * 3")


def test_the_search_for_what_can_be_left_out_is_bounded_by_what_it_costs() -> None:
    text = "(" * 3_000 + "1" + ")" * 2_999
    start = time.process_time()
    certificate = VERIFIER.verify(prompt(ARITHMETIC), text)
    assert time.process_time() - start < 3
    assert certificate.verdict is Verdict.FAIL and len(certificate.findings[0].spans) <= 9
    assert VERIFIER.recheck(certificate, prompt(ARITHMETIC), text)


def test_what_would_have_been_right_has_the_shortest_gaps() -> None:
    ignored = "WS: /[ \\t]+/\nLINE: /#[^\\n]*\\n/\nBLOCK: /<[^>]*>/\n%ignore WS\n%ignore LINE\n%ignore BLOCK\n"
    certificate = verify(f"start: NAME NAME\nNAME: /[a-z]+/\n{ignored}", "a")
    assert certificate.witness["continuation"] == " a"


def test_blanks_around_a_text_are_stripped_unless_the_grammar_shall_see_them() -> None:
    line = 'start: "a" "\\n"'
    assert verify(line, "a\n").verdict is Verdict.FAIL
    assert verify(line, "a\n", GrammarVerifier(strip=False)).verdict is Verdict.PASS
    assert verify(NESTED, "\n ab ").verdict is Verdict.PASS
    assert verify(NESTED, "ab x").dead_from == 3


def test_words_that_cannot_be_told_apart_leave_viability_open() -> None:
    glued = 'start: NAME "x"\nNAME: /[a-z]+/'  # the name takes the x
    assert verify(glued, "ax").verdict is Verdict.FAIL
    assert VERIFIER.viable(prompt(glued), "a") is None


@pytest.mark.parametrize("name", ["arithmetic", "statements", "dangling"])
def test_tampered_certificates_are_rejected(name: str) -> None:
    grammar = GRAMMARS[name][0]
    for text, accepted in corpus(name, 60):
        certificate = verify(grammar, text)
        if accepted:
            wrong = [
                replace(certificate, verdict=Verdict.FAIL, score=0.0),
                replace(certificate, witness={"tokens": 99}),
            ]
        else:
            finding = certificate.findings[0]
            spans = tuple(Span(span.start, span.end + 1) for span in finding.spans)
            wrong = [
                replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None),
                replace(certificate, findings=(replace(finding, spans=spans),)),
                replace(certificate, findings=(replace(finding, kind="too_deep"),)),
                replace(certificate, score=certificate.score / 2 + 0.1234),
                replace(certificate, dead_from=(certificate.dead_from or 0) + 1),
                replace(certificate, witness={**certificate.witness, "expected": ["NOTHING"]}),
            ]
        assert not any(VERIFIER.recheck(tampered, prompt(grammar), text) for tampered in wrong), text


@pytest.mark.parametrize(
    ("grammar", "completion"),
    [
        (ARITHMETIC, "(" * 10_000),
        (ARITHMETIC, "-" * 10_000),
        (ARITHMETIC, "1+" * 4_000),
        (ARITHMETIC, "x" * 300_000),
        (JSON, '"' + "\\" * 9_000),
        ("start: A\nA: /(a+)+b/", "a" * 9_000),
        ('start: A "x"\nA: /(a|a)*c/', "a" * 9_000),
    ],
)
def test_hostile_texts_end_soon(grammar: str, completion: str) -> None:
    start = time.process_time()
    certificate = VERIFIER.verify(prompt(grammar), completion)
    assert time.process_time() - start < 10
    assert certificate.verdict is not Verdict.PASS
    assert VERIFIER.recheck(certificate, prompt(grammar), completion)


def test_longer_texts_are_not_accepted() -> None:
    short = GrammarVerifier(max_chars=3)
    certificate = verify(NESTED, "aaaabbbb", short)
    assert [(f.kind, f.spans) for f in certificate.findings] == [("too_long", (Span(3, 8),))]
    assert certificate.dead_from == 3
    assert verify(NESTED, "ab  \n ", short).verdict is Verdict.PASS
    assert verify(NESTED, " ab  x", short).dead_from == 5


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30) | st.text(alphabet="1a+-*/() .", max_size=20))
def test_any_text_gets_a_certificate_and_dying_is_for_good(text: str) -> None:
    certificate = verify(ARITHMETIC, text)
    alive = [VERIFIER.viable(prompt(ARITHMETIC), text[:end]) is not False for end in range(len(text) + 1)]
    assert alive == sorted(alive, reverse=True)
    if certificate.verdict is Verdict.FAIL:
        assert alive.count(True) == (certificate.dead_from or 0) + 1
    again = VERIFIER.verify(prompt(ARITHMETIC), text)
    assert replace(again, seconds=0.0) == replace(certificate, seconds=0.0)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "there is neither"),
        ({"grammar": "start: A", "schema": {}}, "there are both"),
        ({"grammar": 7}, "expects two texts"),
        ({"grammar": "start: A"}, "LALR"),
        ({"grammar": 'start: a | b\na: "x"\nb: "x"'}, "LALR"),
        ({"grammar": "start: A\nA: /(a)\\1/"}, "terminal A"),
        ({"grammar": 'start: "a"', "start": "nosuch"}, "LALR"),
    ],
)
def test_wrong_facts_are_the_users_mistake(facts: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        VERIFIER.verify(Prompt("p", "", facts=facts), "a")


def test_options() -> None:
    assert GrammarVerifier(grammar=NESTED).verify(Prompt("p", ""), "ab").verdict is Verdict.PASS
    other = Prompt("p", "", facts={"grammar": 'begin: "x"', "start": "begin"})
    assert GrammarVerifier(grammar=NESTED).verify(other, "x").verdict is Verdict.PASS
    for options in ({"max_chars": 0}, {"max_depth": 65}, {"steps": 0}, {"grammar": "x", "schema": {}}):
        with pytest.raises(ValueError, match=next(iter(options))):
            GrammarVerifier(**options)
    few = GrammarVerifier(steps=50).verify(prompt(ARITHMETIC), "1+" * 100)
    assert few.verdict is Verdict.ABSTAIN and few.witness == {"error": "more than 50 steps"}
