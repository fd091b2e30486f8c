"""Viability of the prefix of a text under its grammar, and a way to go on.

At the end of a beginning the last token may not be over yet; it counts for all that it can still become.
"""

from __future__ import annotations

from collections.abc import Iterator

from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import ALPHABET, Grammar, Lexer, Stack
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import parse_text
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import TextTask
from rlsf_lightning.symbolic.verifiers.grammar.viable.closing import shortest_closing


def viable_text(prefix: str, task: TextTask, fuel: Fuel) -> bool | None:
    """Whether it, or a text that begins with it, is accepted; None: cannot tell."""
    if is_dead_text(prefix, task, fuel):
        return False
    return True if accepts(prefix, task, fuel) or rest_of_text(prefix, task, fuel) is not None else None


def is_dead_text(prefix: str, task: TextTask, fuel: Fuel) -> bool:
    """Whether no longer text is accepted: certain."""
    begun = _begun(prefix, task)
    if len(task.object_in(prefix)[0]) > task.max_chars:
        return True
    if len(begun) <= task.max_chars and next(_ends(begun, task.grammar, fuel), None) is not None:
        return False
    return not (task.strip and begun != begun.rstrip() and accepts(begun, task, fuel))


def accepts(text: str, task: TextTask, fuel: Fuel) -> bool:
    core, _ = task.object_in(text)
    return len(core) <= task.max_chars and parse_text(core, task.grammar, fuel).error is None


def rest_of_text(prefix: str, task: TextTask, fuel: Fuel) -> str | None:
    """With what ``prefix`` is accepted; None: nothing found."""
    rest = _rest(_begun(prefix, task), task.grammar, fuel)
    return rest if rest is not None and accepts(prefix + rest, task, fuel) else None


def _begun(prefix: str, task: TextTask) -> str:
    """What of the text there is: white space that stands before it, unless the grammar sees that, is left out."""
    return prefix.lstrip() if task.strip else prefix


def _rest(prefix: str, grammar: Grammar, fuel: Fuel) -> str | None:
    """With what the grammar accepts ``prefix``; None: nothing found."""
    for stack, rest in _ends(prefix, grammar, fuel):
        words = [] if stack is None else shortest_closing(stack, grammar, fuel)
        if words is None:
            continue
        for space in dict.fromkeys(("", grammar.gap, "\n")):
            text = rest + "".join(space + (grammar.sample(word) or "") for word in words)
            if parse_text(prefix + text, grammar, fuel).error is None:
                return text
    return None


def _ends(prefix: str, grammar: Grammar, fuel: Fuel) -> Iterator[tuple[Stack | None, str]]:
    """All states of the parser at the end of a beginning, each with what the last token still needs.

    The state is None where what follows decides how the end of the beginning is read.
    """
    stack, at = grammar.bottom, 0
    while at < len(prefix):
        lexer = grammar.lexer_of(stack)
        lexed = grammar.lex(lexer, prefix, at, fuel, partial=True)
        for name in lexed.pending:
            yield from _pending(lexer, stack, name, prefix[at:], grammar, fuel)
        if lexed.unsure:
            yield None, ""
        if lexed.type is None:
            return
        after = stack if lexed.type in lexer.ignored else grammar.advance(stack, lexed.type)
        if after is None:
            return
        stack, at = after, lexed.end
    yield stack, ""


def _pending(
    lexer: Lexer, stack: Stack, name: str, begun: str, grammar: Grammar, fuel: Fuel
) -> Iterator[tuple[Stack | None, str]]:
    """The same for a last token that is not over yet."""
    for word in (*lexer.words.get(name, ()), name):
        if word == name or grammar.regex(word).may_cover(begun, fuel):
            after = stack if name in lexer.ignored else grammar.advance(stack, word)
            rest = None if after is None else grammar.regex(word).shortest_rest(begun, fuel, ALPHABET)
            if after is not None:
                yield (None, "") if rest is None else (after, rest)
