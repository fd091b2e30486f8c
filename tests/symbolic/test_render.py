"""What a certificate looks like on a terminal: literal pictures, and bounds."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Certificate, Edit, Finding, Span, Verdict
from rlsf_lightning.symbolic.render import MAX_LINES, MAX_ROWS, WIDTH, render


def failure(*findings: Finding, dead_from: int | None = None) -> Certificate:
    return Certificate(Verdict.FAIL, findings, score=0.25, dead_from=dead_from, tool="tool", version="1.2")


def test_carets_stand_under_the_spans() -> None:
    certificate = failure(
        Finding("branch", "not closed", (Span(2, 3),)),
        Finding("pair", "two places", (Span(0, 1), Span(3, 4))),
        Finding("missing", "an oxygen"),
        dead_from=4,
    )
    assert render("CC(C", certificate).splitlines() == [
        "FAIL  score 0.250  (tool 1.2)",
        "  CC(C",
        "    ^  branch: not closed",
        "  ^  ^  pair: two places",
        "      !  the end: stopping here was wrong",
        "  (the whole) missing: an oxygen",
    ]


def test_a_repair_is_shown_as_the_completion_is() -> None:
    repair = (Edit(Span(0, 1), "N"), Edit(Span(4, 4), "\n\u202eO"))
    shown = render("CC(C", replace(failure(Finding("a", "b", (Span(0, 1),))), repair=repair)).splitlines()
    assert shown[-3:] == ["  would pass with:", "    [0, 1) 'C' -> 'N'", "    [4, 4) '' -> '\\n\\u202eO'"]


def test_tokens_follow_with_their_rewards() -> None:
    tokens = [("CC", Span(0, 2), 0.0), ("(\n", Span(2, 4), -1.0), ("", Span(4, 4), 0.5)]
    assert render("CC(\n", failure(Finding("a", "b"), dead_from=2), tokens).splitlines() == [
        "FAIL  score 0.250  (tool 1.2)",
        "  CC(\\n",
        "    !  first dead character",
        "  (the whole) a: b",
        "",
        "  token rewards",
        "  CC     +0.000",
        "  (\\n    -1.000",
        "  <end>  +0.500",
    ]


def test_a_pass_and_an_abstention() -> None:
    assert (
        render("CCO", Certificate(Verdict.PASS, score=1.0, tool="tool", version="1"))
        == "PASS  score 1.000  (tool 1)\n  CCO"
    )
    certificate = Certificate(Verdict.ABSTAIN, witness={"error": "timed\nout"}, tool="tool")
    assert render("", certificate).splitlines() == ["ABSTAIN  score 0.000  (tool)", "", "  (the whole) timed\\nout"]


def test_nothing_reaches_the_terminal_as_it_is_and_carets_stay_aligned() -> None:
    certificate = failure(Finding("bad", "\x1b[0m \u202e", (Span(1, 2), Span(3, 4))), dead_from=3)
    assert render("C\x1bC\u202e\ud800", certificate).splitlines()[1:] == [
        "  C\\x1bC\\u202e\\ud800",
        "   ^^^^ ^^^^^^  bad: \\x1b[0m \\u202e",
        "        !!!!!!  first dead character",
    ]


def test_a_long_completion_goes_on_in_rows_and_leaves_out_those_without_a_place() -> None:
    completion = "a" * WIDTH + "b" * WIDTH + "c" * WIDTH + "dX" + "e" * WIDTH
    certificate = failure(Finding("x", "here", (Span(WIDTH - 2, WIDTH + 1), Span(301, 302))), dead_from=301)
    assert render(completion, certificate).splitlines()[1:] == [
        "  " + "a" * WIDTH,
        "  " + " " * (WIDTH - 2) + "^^  x: here",
        "  " + "b" * WIDTH,
        "  ^  (the same)",
        "  ...",
        "  dX" + "e" * (WIDTH - 2),
        "   ^  (the same)",
        "   !  first dead character",
        "  ...",
    ]


def test_the_end_of_a_full_row() -> None:
    lines = render("a" * WIDTH, failure(Finding("k", "m"), dead_from=WIDTH)).splitlines()
    assert lines[2] == "  " + " " * WIDTH + "!  the end: stopping here was wrong"


def test_the_size_is_bounded() -> None:
    findings = [Finding("kind", "m" * 5000, (Span(1000 * i, 1000 * i + 1),)) for i in range(90)]
    tokens = [("t" * 500, Span(i, i + 1), -1.0) for i in range(1000)]
    text = render("\u202e" * 100_000, failure(*findings, dead_from=99_999), tokens)
    lines = text.splitlines()
    assert len(lines) < 3 * MAX_ROWS + 2 * MAX_LINES + 20
    assert max(map(len, lines)) < 500
    assert "  and 50 more findings" in lines and "  960 more tokens" in lines
    quiet = render("C" * 100, failure(Finding("k", "m")), [("C", Span(i, i + 1), 0.0) for i in range(100)])
    assert quiet.splitlines()[-2:] == ["  C  +0.000", "  99 more tokens"]


@given(st.text(max_size=260), st.data())
@settings(max_examples=150, deadline=None)
def test_every_line_is_printable_and_every_place_is_shown(completion: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(completion)))
    end = data.draw(st.integers(start, len(completion)))
    text = render(completion, failure(Finding("kind", "message", (Span(start, end),)), dead_from=end))
    assert all(line.isascii() and line.isprintable() for line in text.split("\n"))
    assert "kind: message" in text and "^" in text and "!" in text
    assert "(at " not in text or len(text.splitlines()) > MAX_ROWS
