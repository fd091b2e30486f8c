"""From the compiler's errors to the character with which no continuation compiles any more. One-sided: "dead" is certain.

The compiler reads a text from left to right, with three exceptions that are respected here: bodies in a class are
compiled where the class ends, templates where they are used (or at the very end), labels where their function ends.
An error that is not one of these is certain once the tokens that it was found in are complete: a stray character
at once (``stray``); the name itself, with the token after it, for a name that nobody declared; a token where only a semicolon
could stand; in general the end of the statement, since up to there the compiler tries several readings, and complains about the
last one.

Never here: whether a program that compiles can still pass its tests.
"""

from __future__ import annotations

import itertools
import re

from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import CompilerError
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token
from rlsf_lightning.symbolic.verifiers.cpp.viable.stray import stray_from

#: Found at the end of the text, or said of something that is not finished: more text may mend it.
_UNFINISHED = re.compile(
    r"at end of input|unterminated|missing terminating|before end of|not terminated|incomplete|used but never defined"
)
#: Said of a token or a macro, before anything is understood.
_LEXICAL = re.compile(
    r"^(?:stray |missing terminating|unterminated|empty character constant|unable to find numeric|macro \"|pasting "
    r"|exponent has no digits|too many decimal points|invalid (?:digit|suffix|character|new-line)|no digits in "
    r"|hexadecimal floating |adjacent digit separators|digit separator|raw string delimiter|no macro name|extended character"
    r"|incomplete universal|'?\\|.* is not a valid universal|hex escape|octal escape)"
)
#: Judged where the function ends.
_OF_FUNCTION = re.compile(r"label|return type|inconsistent deduction|constexpr")
_NO_MEMBER = re.compile(r"has no member named '([\w$]+)'|'([\w$]+)' is not a member of")
_NO_NAME = re.compile(r"^'([\w$]+)' (?:was not declared in this scope|does not name a type|has not been declared)")
#: What stands before was read to its end.
_UNEXPECTED = re.compile(r"^expected (?:(?:',' or )?';'|initializer) before '([^']+)'")
#: After an unknown name these leave a way out: a label, a qualifier, a call that finds it by its arguments.
_WAYS_OUT = frozenset(("(", ":", "::", "<", "<:", "<<", "<=", "<<=", "<=>", "\\"))
#: No token is longer that begins like these.
_COMPLETE = frozenset(";{}()[],~?")
#: Beside the names of classes, what may stand between a parenthesis and the name that is declared in it.
_OF_DECLARATOR = frozenset(("*", "&", "&&", "const", "volatile", "::"))
_CLASS_KEYS = frozenset(("class", "struct", "union"))


def dead_from(program: Program, errors: list[CompilerError]) -> int | None:
    """Offset of the character with which the text is certainly dead; None: cannot tell.

    ``errors``: all that the compiler reports, in its order. Only the first is used: the others may follow from it. But the
    compiler reads all tokens before it understands any, so that what is wrong with a token comes first, wherever it
    stands: there the first error of another kind counts as well, for what lies before that token.
    """
    lexical = list(itertools.takewhile(lambda error: is_lexical(program, error), errors))
    found = [_from(program, error) for error in lexical]
    first = min((error.place for error in lexical if error.place is not None), default=len(program.text))
    for error in errors[len(lexical) :][:1]:
        at = _from(program, error)
        found.append(at if at is not None and at <= first else None)
    return min((at for at in found if at is not None), default=None)


def is_lexical(program: Program, error: CompilerError) -> bool:
    """Whether it is about a token or a directive, and so comes before all errors that are not."""
    return _LEXICAL.search(error.message) is not None or _directive(program, error) is not None


def missing_header(program: Program, errors: list[CompilerError]) -> int | None:
    """Where the directive begins at which the compiler gave up, so that it said nothing of what stands before."""
    token = _directive(program, errors[0]) if errors and errors[0].kind == "header" else None
    return None if token is None else token.start


def _directive(program: Program, error: CompilerError) -> Token | None:
    index = None if error.place is None else program.index_at(error.place)
    return None if index is None or program.tokens[index].kind != "directive" else program.tokens[index]


def statement_end(program: Program, offset: int) -> int | None:
    """The semicolon or brace that ends the statement around a character."""
    index = _index_from(program, offset)
    return None if index is None else _statement_end(program.tokens, index)


def _index_from(program: Program, offset: int) -> int | None:
    """The token that holds a character, or the first behind it."""
    return next((i for i, token in enumerate(program.tokens) if token.end > offset), None)


def _from(program: Program, error: CompilerError) -> int | None:
    """The same, of one error."""
    if error.place is None or error.on_use or error.kind in ("template", "link"):
        return None
    if _UNFINISHED.search(error.message):
        return None
    index = _index_from(program, error.place)
    if index is None:
        return None
    token = program.tokens[index]
    stray = None if token.kind == "directive" else stray_from(program, error)
    if stray is not None:
        return stray
    if token.kind == "directive":
        at = token.end if error.kind == "header" else None
    else:
        at = _certain_at(program, index, error)
    return at if at is not None and at < len(program.text) and Program(program.text[: at + 1]).is_plain else None


def _certain_at(program: Program, index: int, error: CompilerError) -> int | None:
    """The same, or the text's length where it would be the next character."""
    around = _enclosing(program.tokens[:index])
    for opened in around:
        if _opens_class(program.tokens, opened):
            closing = _closing(program.tokens, opened)
            return None if closing is None else _statement_end(program.tokens, closing + 1)
    if _OF_FUNCTION.search(error.message):
        closing = _closing(program.tokens, around[0]) if around else None
        return None if closing is None else program.tokens[closing].start
    at = _at_tokens(program, index, error)
    return _statement_end(program.tokens, index) if at is None else at


def _at_tokens(program: Program, index: int, error: CompilerError) -> int | None:
    """For errors that a single token shows."""
    tokens = program.tokens
    token, after = tokens[index], tokens[index + 1] if index + 1 < len(tokens) else None
    macros = Program(program.text[: token.start]).macros
    if error.in_macro or token.text in macros:
        return None
    if found := _UNEXPECTED.match(error.message):
        if token.text != found[1] or _in_parentheses(tokens, index):
            return None
        return token.end - 1 if token.text in _COMPLETE else token.end
    member, name = _NO_MEMBER.search(error.message), _NO_NAME.match(error.message)
    if after is None or after.kind == "directive" or after.text in macros:
        return None
    if member and token.text in member.groups() and after.text not in (":", "::"):
        return _begun(after)
    if name and token.text == name[1] and after.text not in _WAYS_OUT and not _may_declare(tokens, index):
        return _begun(after)
    return None


def _in_parentheses(tokens: list[Token], index: int) -> bool:
    """Whether some are open before a token: what semicolons in those of an ``if`` or ``for`` divide, their end shows."""
    depth = 0
    for before in range(index - 1, -1, -1):
        text = tokens[before].text if tokens[before].kind == "other" else ""
        if depth == 0 and text in ("(", "{", "}"):
            return text == "("
        depth += (text == ")") - (text == "(")
    return False


def _may_declare(tokens: list[Token], index: int) -> bool:
    """Whether a name stands where one may be declared in parentheses, as in ``int (*name[2])(int)``."""
    if tokens[index + 1].text not in (")", "["):
        return False
    before = index - 1
    while before > 0 and (tokens[before].text in _OF_DECLARATOR or tokens[before + 1].text == "::"):
        before -= 1
    return before > 0 and tokens[before].text == "("


def _begun(token: Token) -> int:
    """Where it is certain that this token follows, and no longer one or a comment."""
    return token.start if token.text in _COMPLETE or token.kind == "number" else token.end


def _statement_end(tokens: list[Token], index: int) -> int | None:
    """The semicolon or brace that ends the statement around a token, with all that is nested in it."""
    depth = 0
    for at in range(index, len(tokens)):
        text = tokens[at].text if tokens[at].kind == "other" else ""
        if text == "{" and depth == 0 and _after_condition(tokens, at, index):
            return tokens[at].start
        depth += (text == "{") - (text == "}")
        if depth < 0 or (text == ";" and depth == 0):
            return tokens[at].start
    return None


def _after_condition(tokens: list[Token], at: int, index: int) -> bool:
    """Whether the brace opens what an ``if``, ``for``, ``while`` or ``switch`` around or before token ``index`` governs."""
    if at == 0 or tokens[at - 1].text != ")" or at - 1 < index:
        return False
    depth = 0
    for back in range(at - 1, 0, -1):
        depth += (tokens[back].text == ")") - (tokens[back].text == "(")
        if depth == 0:
            return back <= index and tokens[back - 1].text in ("if", "for", "while", "switch")
    return False


def _enclosing(tokens: list[Token]) -> list[int]:
    """The braces that are open after these tokens, outermost first."""
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind == "other" and token.text == "{":
            opened.append(index)
        elif token.kind == "other" and token.text == "}" and opened:
            opened.pop()
    return opened


def _opens_class(tokens: list[Token], brace: int) -> bool:
    """Whether a class key stands between the last statement's end and this brace (a function that returns one does too)."""
    for index in range(brace - 1, -1, -1):
        token = tokens[index]
        if token.text in _CLASS_KEYS and not (index and tokens[index - 1].text in ("<", ",")):  # of a template
            return True
        if token.kind == "directive" or token.text in (";", "{", "}"):
            return False
    return False


def _closing(tokens: list[Token], brace: int) -> int | None:
    """The brace that closes another one."""
    depth = 0
    for index in range(brace, len(tokens)):
        if tokens[index].kind == "other":
            depth += (tokens[index].text == "{") - (tokens[index].text == "}")
            if depth == 0:
                return index
    return None
