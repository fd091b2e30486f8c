"""Statements that may be missing in a program: a variable that is never read in, changed or printed asks for one.

As in ``changes`` the likeliest come first, and nothing is known of whether they compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variable, Variables, tokens_text

#: Statements of one sort.
MOST = 160
#: Statements of the program that are at most as long are tried elsewhere too.
_SHORT = 30
_MOST_NAMES = 4
_KEPT = frozenset("return break continue else case default using typedef goto".split())


def missing_statements(program: Program, variables: Variables, expected: str) -> tuple[list[Change], list[Change]]:
    """The likely statements and the others. ``expected``: the output of the test that fails."""
    gaps = _gaps(program, variables)
    likely = [
        *islice(_readings(program, variables, gaps), MOST),
        *islice(_in_empty_blocks(program, variables, gaps, expected), MOST),
        *islice(_steps(program, variables, gaps), MOST),
        *islice(_printings(program, variables, gaps), MOST),
    ]
    others = islice(_others(program, variables, gaps), 2 * MOST)
    return list(dict.fromkeys(likely)), list(dict.fromkeys(others))


def _gaps(program: Program, variables: Variables) -> list[int]:
    """The tokens before which a statement may stand."""
    tokens, gaps, inside = program.tokens, [], 0
    for at, token in enumerate(tokens):
        before = tokens_text(tokens, at - 1)
        if (
            at
            and inside == 0
            and before in (";", "{", "}")
            and token.text not in ("else", "while", "case", "default")
            and variables.in_function(at)
        ):
            gaps.append(at)
        inside += (token.text in ("(", "[") and token.kind == "other") - (
            token.text in (")", "]") and token.kind == "other"
        )
    return gaps


def _insert(program: Program, at: int, statement: str) -> Change:
    """A statement before a token, behind the one before it."""
    end = program.tokens[at - 1].end
    return Change(Span(end, end), f" {statement}")


def _readings(program: Program, variables: Variables, gaps: Sequence[int]) -> Iterator[Change]:
    """``cin >> x;`` for what never gets a value, from its declaration to its first use."""
    unset = [one for one in variables.all if not one.is_given and _is_unset(variables, one)]
    scalars = [one for one in unset if one.shape[1] == 0][:_MOST_NAMES]
    for first in range(len(scalars)):
        for last in range(len(scalars), first, -1):
            some = scalars[first:last]
            statement = "cin >> " + " >> ".join(one.name for one in some) + ";"
            for at in _before_use(variables, some, gaps):
                yield _insert(program, at, statement)
    for row in [one for one in unset if one.shape[1] == 1][:2]:
        for at in _before_use(variables, [row], gaps):
            for size in [one for one in variables.at(at) if one.is_number][:3]:
                for start, test in ((0, "<"), (1, "<=")):
                    name = f"{row.name}[i_]"
                    yield _insert(program, at, f"for (int i_ = {start}; i_ {test} {size.name}; i_++) cin >> {name};")


def _is_unset(variables: Variables, variable: Variable) -> bool:
    """Whether a variable is used, and nothing ever gives it a value."""
    uses = variables.uses[variable]
    return bool(uses) and not any(variables.is_written(at) for at in uses)


def _before_use(variables: Variables, some: Sequence[Variable], gaps: Sequence[int]) -> list[int]:
    first = min(variables.uses[one][0] for one in some)
    last = max(one.after for one in some)
    return [at for at in gaps if last < at <= first and all(at < one.end for one in some)][-4:]


def _in_empty_blocks(program: Program, variables: Variables, gaps: Sequence[int], expected: str) -> Iterator[Change]:
    """What may stand where there is nothing: the output, or a short statement that stands elsewhere."""
    tokens = program.tokens
    empty = [at for at in gaps if tokens[at].text == "}" and tokens[at - 1].text == "{"]
    known = _short_statements(program, variables) if empty else []
    for at in empty:
        for statement in [*_outputs(expected), *_steps_of(variables, at), *known]:
            yield _insert(program, at, statement)


def _outputs(expected: str) -> list[str]:
    words = expected.split()
    if len(words) != 1 or not words[0].isascii() or not words[0].replace("-", "").isalnum() or len(words[0]) > 20:
        return []
    return [f'cout << "{words[0]}";']


def _steps(program: Program, variables: Variables, gaps: Sequence[int]) -> Iterator[Change]:
    """``x++;`` and the like for what is used and never changes after its first value."""
    for variable in variables.all:
        if variable.is_constant or not variable.is_number or not _is_unset(variables, variable):
            continue
        is_global = not variables.in_function(variable.declared)
        if not variable.is_given and not is_global:
            continue
        name = variable.name
        for at in reversed([at for at in gaps if variable.after < at < variable.end]):
            others = [one.name for one in variables.at(at) if one.is_number and one.name != name][:3]
            others += _elements(program, variables, at)[:2]
            for statement in (
                f"{name}++;",
                *(f"{name} += {other};" for other in others),
                *(f"{name} = {other};" for other in others),
                f"{name}--;",
                *(f"{name} = max({name}, {other});" for other in others),
            ):
                yield _insert(program, at, statement)


def _elements(program: Program, variables: Variables, at: int) -> list[str]:
    """Elements of rows as the program writes them elsewhere, of which every variable is seen at a token."""
    seen, found = set(variables.at(at)), dict[str, None]()
    for row in variables.all:
        for use in variables.uses[row] if row in seen and row.shape == ("number", 1) else ():
            end = variables.closing.get(use + 1, use)
            named = [variables.of(inside) for inside in range(use + 2, end)]
            if tokens_text(program.tokens, use + 1) == "[" and all(one is None or one in seen for one in named):
                found.setdefault(program.text[program.tokens[use].start : program.tokens[end].end])
    return [text for text in found if len(text) <= _SHORT]


def _steps_of(variables: Variables, at: int) -> list[str]:
    return [f"{one.name}++;" for one in variables.at(at) if one.is_number and not one.is_constant][:4]


def _printings(program: Program, variables: Variables, gaps: Sequence[int]) -> Iterator[Change]:
    """``cout << x`` for what is changed and never used otherwise."""
    for variable in variables.all:
        uses = variables.uses[variable]
        if variable.shape[1] or not uses or not all(variables.is_written(at) for at in uses):
            continue
        for at in [at for at in gaps if uses[-1] < at < variable.end][:4]:
            yield _insert(program, at, f"cout << {variable.name} << endl;")


def _others(program: Program, variables: Variables, gaps: Sequence[int]) -> Iterator[Change]:
    """Short statements of the program at other places; steps of what changes elsewhere; leaving a loop or the program."""
    tokens = program.tokens
    known = _short_statements(program, variables)
    rows = [one for one in variables.all if one.shape[1] == 1]
    numbers = [one for one in variables.all if one.is_number]
    for at in gaps:
        seen = {one.name for one in variables.at(at)}
        for statement in known:
            yield _insert(program, at, statement)
        for name in [one.name for one in variables.at(at) if one.is_number and not one.is_constant][:5]:
            for statement in (f"{name}++;", f"{name} = 0;", f"{name}--;", f"{name} = 1;"):
                yield _insert(program, at, statement)
        if tokens[at].text == "}":
            for statement in ("break;", "return 0;", "cout << endl;"):
                yield _insert(program, at, statement)
        for row in [one for one in rows if one.name in seen]:
            yield _insert(program, at, f"sort(begin({row.name}), end({row.name}));")
            for size in [one.name for one in numbers if one.name in seen][:2]:
                yield _insert(program, at, f"sort({row.name}, {row.name} + {size});")
                yield _insert(program, at, f"sort({row.name} + 1, {row.name} + {size} + 1);")


def _short_statements(program: Program, variables: Variables) -> list[str]:
    """Statements without a block that the program has already, each once."""
    tokens, found, begin = program.tokens, dict[str, None](), 0
    for at, token in enumerate(tokens):
        if token.text in ("{", "}") or token.kind == "directive":
            begin = at + 1
        elif token.text == ";":
            text = program.text[tokens[begin].start : token.end] if begin < at else ""
            word = tokens[begin].text
            if text and len(text) <= _SHORT and "\n" not in text and word not in _KEPT and variables.in_function(at):
                if variables.of(begin) is not None or word in ("cin", "cout", "++", "--"):
                    found.setdefault(text)
            begin = at + 1
        elif token.text == ")" and tokens_text(tokens, at + 1) not in (";", ")", ",", "[", "."):
            begin = at + 1  # behind the condition of a statement, perhaps
    return list(found)
