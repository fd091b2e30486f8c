r"""Decides whether the words around an equation leave its meaning alone.

`a third of 60 + 10 = 30` does not mean 60 + 10 = 30, but `a total of 60 + 10 = 70` does. Words that may change what a number
means are known here, and those before or behind them that leave it what it is; where neither is certain the equation is left
alone.
"""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.math.parse.lexer import Token

#: Tokens before and behind an equation that are looked at.
MOST_BEFORE, MOST_AFTER = 12, 10
#: After or before these a number may not be what it seems.
_SPEAKING = frozenset(
    """mod modulo base of times plus minus over by and than to per choose percent squared cubed factorial remainder root sqrt
    log ln lg sin cos tan cot sec csc exp max min gcd lcm abs floor ceil ceiling negative less divided multiplied half third
    quarter double twice hundred thousand million billion trillion dozen k cent cents pm am o or between from""".split()
)
#: Before an equation: (word, those before it with which all the equation is meant).
_INTRODUCING = {
    "of": frozenset(
        """total cost profit speed distance weight length height width area volume change age balance loss score value price
        amount savings capacity rate tip commission discount consists salary income number""".split()
    ),
    "to": frozenset(
        """equal equals comes come came coming amounts amounted amount adds up down increased increases reduced decreased grows
        translates totals equivalent rises drops total out""".split()
    ),
    "by": frozenset(
        "increased increases increase reduced reduces reduce decreased decreases grown fell consumed".split()
    ),
}
#: After a result these say what it counts, unless a number follows them.
_COUNTING = frozenset("of per times from to a".split())
#: After a result these may change what it is worth: 50 cents are 50, or 0.50; 3 dozen are 3, or 36.
_SCALING = {"cent": "cents", "cents": "cents", "dozen": "dozen", "dozens": "dozen"}
_SILENT_LATEX = frozenset(
    r"\text \mathrm \textbf \mathbf \quad \qquad \end \boxed \mbox \Rightarrow \implies \therefore \because".split()
)
#: Between numbers these mean what the problem says, `3 \\# 4`, or are a dash, `5 \u2013 1`.
_OWN_SIGNS = frozenset("#@~|\u2218\u2217\u2605\u2606\u2295\u2297\u2299\u25b3\u25c7\u2666\u2665\u2660\u2663")
_DASHES = frozenset("\u2013\u2014")
#: A number behind these is a name, `Week 2 = 35 + 35`.
_LABELS = frozenset(
    """week day month year hour night quarter season step part stage phase round game test quiz group team class room row column
    page box bag jar batch case item question problem option plan scenario method player person child worker machine store shop
    house floor train car bus trip route lap shift level section chapter set trial project zone lane pipe tank""".split()
)


class Run(NamedTuple):
    """Tokens in a row that belong to arithmetic, and what stands before and after."""

    tokens: list[Token]
    before: list[Token]
    after: list[Token]


def is_clean_before(run: Run) -> bool:
    """Whether the first side certainly begins here."""
    first = run.tokens[0]
    if first.kind == "operator" and (run.before or first.text != "-"):
        return False
    if not run.before:
        return True
    last = run.before[-1]
    touches = last.end == first.start
    if last.kind == "word":
        return not touches and not _is_label(run) and (is_plain_word(last) or _introduces(run.before))
    if len(run.before) > 1 and _follows_an_operand(run.before[-2], last):
        return False
    if last.text in tuple("^_\\}") or (touches and last.text in tuple("]!|'\"\u00b0#@~")):
        return False
    return not (
        touches and last.text in tuple(",.:;/") and len(run.before) > 1 and _is_glued_before(run.before[-2], last)
    )


def is_clean_after(run: Run) -> bool:
    """Whether the last side certainly ends here."""
    if not run.after:
        return True
    first = run.after[0]
    touches = first.start == run.tokens[-1].end
    if _goes_on(run.after):
        return False
    if first.kind == "word":
        return (not touches or _ends_numbers(first)) and (is_plain_word(first) or _counts(run))
    if first.text in tuple("?^_[{|") or (touches and first.text in tuple("!'\u00b0~#@")):
        return False
    if not (touches and first.text in tuple(",.:;") and len(run.after) > 1):
        return True
    return not _is_glued(first, run.after[1]) or (first.text == "." and _begins_sentence(run.after[1]))


def _ends_numbers(command: Token) -> bool:
    """Whether it is a command of LaTeX that may meet a number, as `\\text` does; behind `355\\boxed` the digits go on."""
    return command.text.startswith("\\") and command.text != "\\boxed"


def _goes_on(after: list[Token]) -> bool:
    """Whether the side does not end here: before a sign of the problem's own and a number, a bold letter, or an operator in the
    next row of an alignment."""
    first, *rest = after
    if first.kind == "newline":
        rest = [token for token in rest if token.text not in ("\\quad", "\\qquad")]
        return bool(rest) and rest[0].kind == "operator"
    if first.text == "\\" and rest:
        first, *rest = rest
    if first.text in _OWN_SIGNS | _DASHES:
        return bool(rest) and rest[0].kind in ("number", "open")
    is_bold = first.text in ("\\mathbf", "\\textbf") and len(rest) > 1 and rest[0].text == "{"
    return is_bold and rest[1].kind == "word" and len(rest[1].text) == 1


def _follows_an_operand(token: Token, sign: Token) -> bool:
    """Whether a sign of the problem's own stands behind a number, name or its own backslash; a dash behind a number."""
    is_number = token.kind in ("number", "close", "percent")
    if sign.text in _DASHES:
        return is_number
    return sign.text in _OWN_SIGNS and (is_number or token.kind == "word" or token.text == "\\")


def _is_label(run: Run) -> bool:
    """Whether the first side is a lone number that is part of a name."""
    is_alone = run.tokens[0].kind == "number" and len(run.tokens) > 1 and run.tokens[1].kind in ("equals", "about")
    return is_alone and run.before[-1].text.lower() in _LABELS


def scaled(run: Run) -> Token | None:
    """The word after a lone number that may change what it is worth, as a token of kind ``percent``, where no other number
    follows in the sentence: `= 3 dozen eggs.`, but not `= 3 dozen eggs and 5 more`."""
    if not run.after or run.after[0].kind != "word" or not _ends_with_lone_number(run):
        return None
    word, *rest = run.after
    if word.text.lower() not in _SCALING or word.start == run.tokens[-1].end:
        return None
    for number, token in enumerate(rest):
        if token.text in (".", ";"):
            break
        if token.kind not in ("word", "other") or token.text.lower() in ("and", "plus", "or"):
            return None
        is_silent = token.text in ("per", "a") or is_plain_word(token) if token.kind == "word" else token.text in ",!"
        if number == 0 and not is_silent:
            return None
    return word._replace(kind="percent", text=_SCALING[word.text.lower()])


def _ends_with_lone_number(run: Run) -> bool:
    last = next((i for i in range(len(run.tokens) - 1, -1, -1) if run.tokens[i].kind in ("equals", "about")), -1)
    return [token.kind for token in run.tokens[last + 1 :]] == ["number"] and "frac" not in run.tokens[-1].text


def _introduces(before: list[Token]) -> bool:
    """Whether the last word says that all the equation is meant: `a total of`, `it's`, `, or`, `And` at a line's start."""
    word, earlier = before[-1].text.lower(), before[:-1]
    if word == "and":
        return not earlier
    if not earlier:
        return False
    last = earlier[-1]
    if word == "s":
        return last.text in ("'", "\u2019") and len(earlier) > 1 and earlier[-2].kind == "word"
    if word == "or":
        return last.text == ","
    if word == "a":
        return last.kind == "word" and is_plain_word(last)
    if word == "by" and any(token.kind == "number" for token in earlier):  # 10 increased by 5 + 3
        return False
    return last.text.lower() in _INTRODUCING.get(word, ())


def _counts(run: Run) -> bool:
    """Whether the word after a lone number says what is counted: `8 of them`, `8 per week`, but not `8 times 5`."""
    word = run.after[0].text
    if not _ends_with_lone_number(run) or word not in _COUNTING:
        return False
    follows = run.after[1] if len(run.after) > 1 else None
    if word == "times" and (follows is None or follows.text in (".", ",", "per")):
        return True
    if word in ("a", "times"):
        return follows is not None and follows.kind == "word" and (is_plain_word(follows) or follows.text == "a")
    return follows is None or follows.kind not in ("number", "open")


def _is_glued_before(first: Token, second: Token) -> bool:
    """Whether what touches the equation belongs to more than it: 3:4 does, and x:4, but not Monday:4."""
    is_title = second.text == ":" and first.kind == "word" and len(first.text) > 2
    return _is_glued(first, second) and not is_title


def _is_glued(first: Token, second: Token) -> bool:
    """Whether a number or a word directly meets the other token."""
    return first.end == second.start and bool({first.kind, second.kind} & {"number", "word"})


def _begins_sentence(word: Token) -> bool:
    """Of a word that a full stop touches, as in `5 + 3 = 8.Then`."""
    return word.kind == "word" and word.text.istitle() and len(word.text) > 1


def is_plain_word(token: Token) -> bool:
    if token.text.startswith("\\"):
        return token.text in _SILENT_LATEX
    return len(token.text) > 1 and token.text.lower() not in _SPEAKING
