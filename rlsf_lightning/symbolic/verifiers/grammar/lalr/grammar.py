"""An LALR grammar: its parse table, the contextual lexer of each state, and a sample of each terminal.

Lark makes the LALR table and decides, for every state of the parser, which terminals are tried in which order; both are
followed here with a matcher that never backtracks (``regex``), so the texts that are accepted are exactly those
that ``Lark(grammar, parser="lalr").parse`` accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError, install_hint
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.regex.matcher import Regex

#: The terminal at the end of every text.
END = "$END"
#: Characters of which samples of terminals are made; the first ones are preferred.
ALPHABET = "a0 _bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\n\t" + "".join(
    c for c in map(chr, range(33, 127)) if not c.isalnum() and c != "_"
)
_GRAMMARS = 32

#: The parser's states, the last one first: (state, the rest).
Stack = tuple[int, Any]


class Lexer(NamedTuple):
    """What is tried in one state of the parser: terminals in order; fixed words that a terminal's match may turn out to
    be; terminals that are ignored."""

    terminals: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    ignored: frozenset[str]


class Lexed(NamedTuple):
    """What may stand at a place: a token (``type`` None: none does) or, if the text goes on, others."""

    type: str | None
    end: int
    pending: tuple[str, ...]
    unsure: bool


class Grammar:
    """Raises UserError if Lark cannot make an LALR parser of the text."""

    def __init__(self, text: str, start: str) -> None:
        self._lark = _lark(text, start)
        front = self._lark.parser
        table = front.parser._parse_table
        self._states: dict[int, dict[str, tuple[Any, Any]]] = table.states
        self.bottom: Stack = (table.start_states[start], None)
        self._end_state = table.end_states[start]
        self._regexes = {t.name: _regex(t.name, t.pattern.to_regexp()) for t in self._lark.terminals}
        known: dict[int, Lexer] = {}
        lexers = front.lexer.lexers
        self._lexers = {state: known.setdefault(id(lexer), _lexer(lexer)) for state, lexer in lexers.items()}
        #: Of all terminals, in whatever state.
        self.root_lexer = _lexer(front.lexer.root_lexer)
        self._samples: dict[str, str | None] = {}
        self.start = start

    @property
    def rules(self) -> Sequence[Any]:
        """Lark's rules, with ``origin`` and ``expansion``."""
        rules: Sequence[Any] = self._lark.rules
        return rules

    def lexer_of(self, stack: Stack) -> Lexer:
        """The lexer of the parser's state."""
        return self._lexers[stack[0]]

    def advance(self, stack: Stack, terminal: str) -> Stack | None:
        """The parser after this terminal; None if it cannot stand here. After ``END`` it has accepted."""
        while True:
            action = self._states[stack[0]].get(terminal)
            if action is None:
                return None
            if action[0].name == "Shift":
                return (action[1], stack)
            for _ in action[1].expansion:
                stack = stack[1]
            stack = (self._states[stack[0]][action[1].origin.name][1], stack)
            if terminal == END and stack[0] == self._end_state:
                return stack

    def expected(self, stack: Stack) -> tuple[str, ...]:
        """All terminals that can stand here, in alphabetical order."""
        names = (name for name in self._states[stack[0]] if name == END or name in self._regexes)
        return tuple(sorted(name for name in names if self.advance(stack, name) is not None))

    def sample(self, terminal: str) -> str | None:
        """A short text of this terminal."""
        if terminal not in self._samples:
            fixed = [t.pattern.value for t in self._lark.terminals if t.name == terminal and t.pattern.type == "str"]
            made = fixed[0] if fixed else self._regexes[terminal].shortest_rest("", Fuel(200_000), ALPHABET)
            self._samples[terminal] = made
        return self._samples[terminal]

    @property
    def gap(self) -> str:
        """The shortest text that is ignored; empty if nothing is."""
        samples = filter(None, map(self.sample, self.root_lexer.ignored))
        # Of those of one length the first: a set has another order in each process.
        return min(samples, key=lambda text: (len(text), text), default="")

    def regex(self, terminal: str) -> Regex:
        """What matches this terminal."""
        return self._regexes[terminal]

    def accepted_after(self, terminals: Sequence[str]) -> set[str]:
        """What Lark's own parser takes after these; fewer than the rules allow, where it had to resolve a conflict."""
        from lark import Token

        parser = self._lark.parse_interactive("")
        for name in terminals:
            parser.feed_token(Token(name, ""))
        return set(parser.accepts())

    def lex(self, lexer: Lexer, text: str, at: int, fuel: Fuel, *, partial: bool) -> Lexed:
        """The token at a place; ``partial``: the text may go on behind its end."""
        pending: list[str] = []
        unsure = False
        for name in lexer.terminals:
            scan = self._regexes[name].scan(text, at, len(text), fuel, partial=partial)
            unsure = unsure or scan.unsure
            if scan.alive and partial:
                pending.append(name)
            if scan.end is not None:
                found = text[at : scan.end]
                words = (word for word in lexer.words.get(name, ()) if self._regexes[word].covers(found, fuel))
                return Lexed(next(words, name), scan.end, tuple(pending), unsure)
        return Lexed(None, at, tuple(pending), unsure)


@lru_cache(maxsize=_GRAMMARS)
def grammar_of(text: str, start: str) -> Grammar:
    """The grammar that a text describes. Raises UserError as ``Grammar`` does."""
    return Grammar(text, start)


def _lark(grammar: str, start: str) -> Any:
    try:
        import lark
    except ModuleNotFoundError:
        raise UserError(f"grammars need lark: {install_hint('grammar')}") from None
    try:
        return lark.Lark(grammar, start=start, parser="lalr", lexer="contextual")
    except (lark.exceptions.LarkError, AssertionError, OSError, RecursionError) as error:
        message = " ".join(str(error).split())[:300]
        raise UserError(f"the grammar is none that Lark can make an LALR parser of: {message}") from None


def _regex(name: str, pattern: str) -> Regex:
    try:
        return Regex(pattern)
    except ValueError as error:
        raise UserError(f"the grammar's terminal {name}: {pattern[:100]}: {error}") from None


def _lexer(lexer: Any) -> Lexer:
    """What Lark's lexer of a state tries. A fixed word that a pattern also matches is told from it afterwards."""
    terminals = tuple(terminal.name for terminal in lexer.scanner.terminals)
    words = {name: tuple(t.name for t in call.scanner.terminals) for name, call in lexer.callback.items()}
    return Lexer(terminals, words, lexer.ignore_types)
