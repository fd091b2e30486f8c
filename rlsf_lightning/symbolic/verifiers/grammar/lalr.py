"""A text under a Lark grammar: its tokens, the first one that cannot be, and whether a beginning can still go on.

Lark makes the LALR table and decides, for every state of the parser, which terminals are tried in which order; both are
followed here with a matcher that never backtracks (``regex``), so the texts that are accepted are exactly those
that ``Lark(grammar, parser="lalr").parse`` accepts. An LALR parser never shifts a token after which nothing could follow
(the viable-prefix property). At the end of a beginning the last token may not be over yet; it counts for all that it can
still become.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.verifiers.grammar.regex import Fuel, OutOfFuelError, Regex

END = "$END"
#: Characters of which samples of terminals are made; the first ones are preferred.
_ALPHABET = "a0 _bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\n\t" + "".join(
    c for c in map(chr, range(33, 127)) if not c.isalnum() and c != "_"
)
_GRAMMARS = 32
#: How many states of the parser a way to the end is looked for in, how deep they may be and how long it may be.
_MAX_TRIED, _MAX_CLOSING = 3_000, 300
#: What it costs to take one token of what follows a token that is left out.
_TAKEN = 10

#: The parser's states, the last one first: (state, the rest).
Stack = tuple[int, Any]


class Token(NamedTuple):
    """``type`` is the terminal's name; ``ignored`` ones are not seen by the parser."""

    type: str
    start: int
    end: int
    ignored: bool


class Reading(NamedTuple):
    """``error``: None if the text is accepted, else one of the kinds of findings, at ``[start, end)``. ``expected``: the
    terminals that may stand there."""

    tokens: tuple[Token, ...]
    error: str | None = None
    start: int = 0
    end: int = 0
    expected: tuple[str, ...] = ()
    #: The terminal that stands there instead, if it is one.
    found: str | None = None


class _Lexer(NamedTuple):
    """What is tried in one state of the parser: terminals in order; fixed words that a terminal's match may turn out to
    be; terminals that are ignored."""

    terminals: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    ignored: frozenset[str]


class _Lexed(NamedTuple):
    """What may stand at a place: a token (``type`` None: none does) or, if the text goes on, others."""

    type: str | None
    end: int
    pending: tuple[str, ...]
    unsure: bool


class Machine:
    """One grammar, ready to read. Raises UserError if Lark cannot make an LALR parser of it."""

    def __init__(self, grammar: str, start: str) -> None:
        self.lark = _lark(grammar, start)
        front = self.lark.parser
        table = front.parser._parse_table
        self._states: dict[int, dict[str, tuple[Any, Any]]] = table.states
        self.bottom: Stack = (table.start_states[start], None)
        self._end_state = table.end_states[start]
        self._regexes = {t.name: _regex(t.name, t.pattern.to_regexp()) for t in self.lark.terminals}
        known: dict[int, _Lexer] = {}
        lexers = front.lexer.lexers
        self._lexers = {state: known.setdefault(id(lexer), _lexer(lexer)) for state, lexer in lexers.items()}
        self._anywhere = _lexer(front.lexer.root_lexer)
        self._samples: dict[str, str | None] = {}

    def read(self, text: str, fuel: Fuel) -> Reading:
        """All tokens, or those before the first mistake."""
        tokens: list[Token] = []
        stack, at = self.bottom, 0
        while at < len(text):
            lexer = self._lexers[stack[0]]
            lexed = self._lex(lexer, text, at, fuel, partial=False)
            if lexed.type is None:
                return self._refused(tokens, stack, text, at, fuel)
            ignored = lexed.type in lexer.ignored
            after = stack if ignored else self.advance(stack, lexed.type)
            if after is None:
                return Reading(tuple(tokens), "unexpected_token", at, lexed.end, self.expected(stack), lexed.type)
            tokens.append(Token(lexed.type, at, lexed.end, ignored))
            stack, at = after, lexed.end
        if self.advance(stack, END) is None:
            return Reading(tuple(tokens), "unexpected_end", at, at, self.expected(stack), END)
        return Reading(tuple(tokens))

    def needless(self, text: str, reading: Reading, most: int, fuel: Fuel) -> list[Token]:
        """The tokens before the mistake that was read, with any one of which left out the rest is accepted: ``most`` of
        them, those next to the mistake. Where the fuel is used up, those that were found with it."""
        stack, before = self.bottom, []
        for token in reading.tokens:
            if not token.ignored:
                before.append((token, stack))
                after = self.advance(stack, token.type)
                assert after is not None
                stack = after
        lexed: dict[tuple[int, int], _Lexed] = {}
        found: list[Token] = []
        try:
            for token, stack in reversed(before):
                if len(found) == most:
                    break
                if self._goes_on(stack, text, token.end, lexed, fuel):
                    found.append(token)
        except OutOfFuelError:
            pass
        return found[::-1]

    def survives(self, prefix: str, fuel: Fuel) -> bool:
        """Whether some longer text may be accepted. False is certain."""
        return next(self._ends(prefix, fuel), None) is not None

    def continuation(self, prefix: str, fuel: Fuel) -> str | None:
        """A text with which ``prefix`` is accepted; None if none was found."""
        gap = next((s for s in map(self.sample, self._anywhere.ignored) if s), "")
        for stack, rest in self._ends(prefix, fuel):
            words = [] if stack is None else self._closing(stack, fuel)
            for space in dict.fromkeys(("", gap, "\n")):
                text = None if words is None else rest + "".join(space + (self.sample(word) or "") for word in words)
                if text is not None and self.read(prefix + text, fuel).error is None:
                    return text
        return None

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
            fixed = [t.pattern.value for t in self.lark.terminals if t.name == terminal and t.pattern.type == "str"]
            made = fixed[0] if fixed else self._regexes[terminal].shortest_rest("", Fuel(200_000), _ALPHABET)
            self._samples[terminal] = made
        return self._samples[terminal]

    def regex(self, terminal: str) -> Regex:
        """What matches this terminal."""
        return self._regexes[terminal]

    def _goes_on(self, stack: Stack, text: str, at: int, lexed: dict[tuple[int, int], _Lexed], fuel: Fuel) -> bool:
        """Whether the parser accepts all that follows a place. ``lexed``: what was found there by lexers before."""
        while at < len(text):
            fuel.burn(_TAKEN)
            lexer = self._lexers[stack[0]]
            known = lexed.get((id(lexer), at))
            if known is None:
                known = lexed[id(lexer), at] = self._lex(lexer, text, at, fuel, partial=False)
            if known.type is None:
                return False
            if known.type not in lexer.ignored:
                after = self.advance(stack, known.type)
                if after is None:
                    return False
                stack = after
            at = known.end
        return self.advance(stack, END) is not None

    def _refused(self, tokens: list[Token], stack: Stack, text: str, at: int, fuel: Fuel) -> Reading:
        """No terminal that may stand here matches: what stands here instead."""
        other = self._lex(self._anywhere, text, at, fuel, partial=False)
        expected = self.expected(stack)
        if other.type is None:
            return Reading(tuple(tokens), "bad_character", at, at + 1, expected)
        return Reading(tuple(tokens), "unexpected_token", at, other.end, expected, other.type)

    def _lex(self, lexer: _Lexer, text: str, at: int, fuel: Fuel, *, partial: bool) -> _Lexed:
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
                return _Lexed(next(words, name), scan.end, tuple(pending), unsure)
        return _Lexed(None, at, tuple(pending), unsure)

    def _ends(self, prefix: str, fuel: Fuel) -> Iterator[tuple[Stack | None, str]]:
        """All states of the parser at the end of a beginning, each with what the last token still needs.

        The state is None where what follows decides how the end of the beginning is read.
        """
        stack, at = self.bottom, 0
        while at < len(prefix):
            lexer = self._lexers[stack[0]]
            lexed = self._lex(lexer, prefix, at, fuel, partial=True)
            for name in lexed.pending:
                yield from self._pending(lexer, stack, name, prefix[at:], fuel)
            if lexed.unsure:
                yield None, ""
            if lexed.type is None:
                return
            after = stack if lexed.type in lexer.ignored else self.advance(stack, lexed.type)
            if after is None:
                return
            stack, at = after, lexed.end
        yield stack, ""

    def _pending(
        self, lexer: _Lexer, stack: Stack, name: str, begun: str, fuel: Fuel
    ) -> Iterator[tuple[Stack | None, str]]:
        """The same for a last token that is not over yet."""
        for word in (*lexer.words.get(name, ()), name):
            if word == name or self._regexes[word].may_cover(begun, fuel):
                after = stack if name in lexer.ignored else self.advance(stack, word)
                rest = None if after is None else self._regexes[word].shortest_rest(begun, fuel, _ALPHABET)
                if after is not None:
                    yield (None, "") if rest is None else (after, rest)

    def _closing(self, stack: Stack, fuel: Fuel) -> list[str] | None:
        """Terminals that lead to the end: those that make the stack small are tried first."""
        tried = {_states_of(stack)}
        if len(min(tried)) > _MAX_CLOSING:  # every open rule needs at least its end
            return None
        queue: list[tuple[int, int, Stack, list[str]]] = [(0, 0, stack, [])]
        while queue and len(tried) < _MAX_TRIED:
            _, _, stack, words = heapq.heappop(queue)
            fuel.burn(20)
            expected = self.expected(stack)
            if END in expected:
                return words
            for name in expected if len(words) < _MAX_CLOSING else ():
                after = self.advance(stack, name)
                assert after is not None
                states = _states_of(after)
                if states not in tried and self.sample(name) is not None:
                    tried.add(states)
                    heapq.heappush(queue, (len(states) + len(words), len(tried), after, [*words, name]))
        return None


@lru_cache(maxsize=_GRAMMARS)
def machine_of(grammar: str, start: str) -> Machine:
    """The grammar's machine. Raises UserError as ``Machine`` does."""
    return Machine(grammar, start)


def _lark(grammar: str, start: str) -> Any:
    try:
        import lark
    except ModuleNotFoundError:
        raise UserError('grammars need lark: pip install "rlsf-lightning[grammar]"') from None
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


def _lexer(lexer: Any) -> _Lexer:
    """What Lark's lexer of a state tries. A fixed word that a pattern also matches is told from it afterwards."""
    terminals = tuple(terminal.name for terminal in lexer.scanner.terminals)
    words = {name: tuple(t.name for t in call.scanner.terminals) for name, call in lexer.callback.items()}
    return _Lexer(terminals, words, lexer.ignore_types)


def _states_of(stack: Stack) -> tuple[int, ...]:
    states = []
    rest: Stack | None = stack
    while rest is not None:
        states.append(rest[0])
        rest = rest[1]
    return tuple(states)
