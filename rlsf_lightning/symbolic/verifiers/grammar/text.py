"""Texts of a Lark grammar: certificates, and their confirmation by an Earley recogniser, which knows no LALR table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.lalr import END, Machine, Reading, Token
from rlsf_lightning.symbolic.verifiers.grammar.regex import Fuel, OutOfFuelError
from rlsf_lightning.symbolic.verifiers.grammar.task import Judgement, first_dead, share

_MAX_EXPECTED = 30
#: Tokens that are marked because the text is accepted without one of them, and the work to find them.
_MAX_NEEDLESS, _NEEDLESS_STEPS = 8, 200_000


class TextTask:
    """A text is accepted by the grammar.

    Args:
        machine: the grammar.
        strip: white space around the text does not belong to it.
        max_chars: longer texts are not accepted.
    """

    def __init__(self, machine: Machine, *, strip: bool, max_chars: int) -> None:
        self.machine, self.strip, self.max_chars = machine, strip, max_chars

    def judge(self, text: str, fuel: Fuel) -> Judgement:
        core, offset = self._core(text)
        if len(core) > self.max_chars:
            return self._too_long(text, offset, fuel)
        reading = self.machine.read(core, fuel)
        if reading.error is None:
            return Judgement([], 1.0, None, {"tokens": len(reading.tokens)})
        dead = first_dead(text, lambda prefix: self._is_dead(prefix, fuel))
        place = len(text) if dead is None else dead
        rest = self._rest(text[:place], fuel)
        witness: dict[str, Any] = {"expected": list(reading.expected[:_MAX_EXPECTED])}
        if rest is not None:
            witness["continuation"] = rest
        needless = self._needless(reading, core)
        if needless:
            witness["without"] = [[offset + token.start, offset + token.end] for token in needless]
        score = share(max(0, min(place - offset, len(core))), len(core), rest)
        return Judgement([self._finding(reading, core, offset, needless)], score, place, witness)

    def viable(self, text: str, fuel: Fuel) -> bool | None:
        if self._is_dead(text, fuel):
            return False
        if self._accepts(text, fuel):
            return True
        return None if self._rest(text, fuel) is None else True

    def confirms(self, certificate: Certificate, text: str, fuel: Fuel) -> bool:
        core, offset = self._core(text)
        if len(core) > self.max_chars:
            return self._confirms_length(certificate, text, fuel)
        reading = self.machine.read(core, fuel)
        types = [token.type for token in reading.tokens if not token.ignored]
        expected = expected_after(self.machine.lark.rules, self.machine.lark.options.start[0], types, fuel)
        if certificate.verdict is Verdict.PASS:
            whole = reading.error is None and expected is not None and END in expected
            return (
                whole and certificate.witness == {"tokens": len(reading.tokens)} and self._covers(reading, core, fuel)
            )
        if reading.error is None or expected is None or not set(reading.expected) <= expected:
            return False
        if reading.found in expected and reading.found in self._allowed(types):
            return False
        needless = self._confirmed_needless(reading, core, offset, certificate.witness.get("without", []), fuel)
        if needless is None or certificate.findings != (self._finding(reading, core, offset, needless),):
            return False
        if certificate.witness.get("expected") != list(reading.expected[:_MAX_EXPECTED]):
            return False
        place, rest = certificate.dead_from, certificate.witness.get("continuation")
        if place is None or not 0 <= place <= len(text) or self._is_dead(text[:place], fuel):
            return False
        if place < len(text) and not self._is_dead(text[: place + 1], fuel):
            return False
        if rest is not None and not self._derives(text[:place] + rest, fuel):
            return False
        return certificate.score == share(max(0, min(place - offset, len(core))), len(core), rest)

    def _core(self, text: str) -> tuple[str, int]:
        if not self.strip:
            return text, 0
        return text.strip(), len(text) - len(text.lstrip()) if text.strip() else 0

    def _accepts(self, text: str, fuel: Fuel) -> bool:
        core = self._core(text)[0]
        return len(core) <= self.max_chars and self.machine.read(core, fuel).error is None

    def _rest(self, text: str, fuel: Fuel) -> str | None:
        """With what the text is accepted; None: nothing found."""
        rest = self.machine.continuation(text.lstrip() if self.strip else text, fuel)
        return rest if rest is not None and self._accepts(text + rest, fuel) else None

    def _is_dead(self, text: str, fuel: Fuel) -> bool:
        """No longer text is accepted: certain."""
        begun = text.lstrip() if self.strip else text
        if len(begun.rstrip() if self.strip else begun) > self.max_chars:
            return True
        if len(begun) <= self.max_chars and self.machine.survives(begun, fuel):
            return False
        return not (self.strip and begun != begun.rstrip() and self._accepts(begun, fuel))

    def _needless(self, reading: Reading, core: str) -> list[Token]:
        """A parser sees many mistakes only later: the tokens before it without any one of which the text is accepted."""
        fuel = Fuel(_NEEDLESS_STEPS)
        found = self.machine.needless(core, reading, _MAX_NEEDLESS, fuel)
        fuel = Fuel(_NEEDLESS_STEPS)
        return [token for token in found if any(self._accepted(other, fuel) for other in _without(core, token))]

    def _accepted(self, text: str, fuel: Fuel) -> bool:
        try:
            return self._accepts(text, fuel)
        except OutOfFuelError:
            return False

    def _confirmed_needless(
        self, reading: Reading, core: str, offset: int, places: Any, fuel: Fuel
    ) -> list[Token] | None:
        """The tokens at these places, if the rules derive the text without any one of them; None if not."""
        tokens = {(offset + token.start, offset + token.end): token for token in reading.tokens if not token.ignored}
        if not isinstance(places, list) or [list(place) for place in tokens if list(place) in places] != places:
            return None
        found = [tokens[start, end] for start, end in places]
        right = (any(self._derives(other, fuel) for other in _without(core, token)) for token in found)
        return found if all(right) else None

    def _finding(self, reading: Reading, core: str, offset: int, needless: Sequence[Token]) -> Finding:
        names = [name if name != END else "the end" for name in reading.expected]
        wanted = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "nothing"
        found = ascii(core[reading.start : reading.end])[:40] if reading.start < len(core) else "the end"
        places = [(reading.start, reading.end)]
        if reading.error == "unexpected_token":  # the token before it may be the wrong one as well
            places = [(token.start, token.end) for token in reading.tokens if not token.ignored][-1:] + places
        places += [(token.start, token.end) for token in needless if (token.start, token.end) not in places]
        spans = tuple(Span(offset + start, offset + end) for start, end in places)
        message = f"{found} stands where the grammar has {wanted}"[:300]
        if needless:
            words = dict.fromkeys(ascii(core[token.start : token.end])[:40] for token in needless)
            message += f"; without the marked {' or '.join(words)} the rest is accepted"
        return Finding(reading.error or "", message, spans)

    def _too_long(self, text: str, offset: int, fuel: Fuel) -> Judgement:
        core = self._core(text)[0]
        message = f"{len(core)} characters; at most {self.max_chars} are read"
        # The prefix dies at the limit at the latest, or at what follows the blanks behind it.
        limit = offset + self.max_chars
        ahead = text[limit:]
        reach = text[: limit + len(ahead) - len(ahead.lstrip()) + 1]
        dead = first_dead(reach, lambda prefix: self._is_dead(prefix, fuel))
        return Judgement([Finding("too_long", message, (Span(limit, offset + len(core)),))], 0.0, dead, {})

    def _confirms_length(self, certificate: Certificate, text: str, fuel: Fuel) -> bool:
        core, offset = self._core(text)
        spans = (Span(offset + self.max_chars, offset + len(core)),)
        place = certificate.dead_from
        return (
            certificate.verdict is Verdict.FAIL
            and [(f.kind, f.spans) for f in certificate.findings] == [("too_long", spans)]
            and certificate.score == 0.0
            and place is not None
            and not self._is_dead(text[:place], fuel)
            and self._is_dead(text[: place + 1], fuel)
        )

    def _allowed(self, types: list[str]) -> set[str]:
        """What Lark's own parser takes after these; fewer than the rules allow, where it had to resolve a conflict."""
        from lark import Token

        parser = self.machine.lark.parse_interactive("")
        for name in types:
            parser.feed_token(Token(name, ""))
        return set(parser.accepts())

    def _covers(self, reading: Reading, core: str, fuel: Fuel) -> bool:
        """The tokens lie end to end over the text, each of them one that its terminal matches."""
        at = 0
        for token in reading.tokens:
            if token.start != at or not self.machine.regex(token.type).covers(core[at : token.end], fuel):
                return False
            at = token.end
        return at == len(core)

    def _derives(self, text: str, fuel: Fuel) -> bool:
        reading = self.machine.read(self._core(text)[0], fuel)
        types = [token.type for token in reading.tokens if not token.ignored]
        expected = expected_after(self.machine.lark.rules, self.machine.lark.options.start[0], types, fuel)
        return reading.error is None and expected is not None and END in expected


def _without(text: str, token: Token) -> list[str]:
    """The text with that token left out: with nothing, a blank or a new line in its place."""
    return [text[: token.start] + space + text[token.end :] for space in ("", " ", "\n")]


def expected_after(rules: Sequence[Any], start: str, types: Sequence[str], fuel: Fuel) -> set[str] | None:
    """The terminals that a grammar allows after these (``END``: they are a sentence); None if they are no beginning.

    Earley's recogniser (1970, https://doi.org/10.1145/362007.362035) with Aycock and Horspool's treatment of empty rules.
    """
    by_origin: dict[str, list[tuple[str, ...]]] = {}
    terminals: set[str] = set()
    for rule in rules:
        by_origin.setdefault(rule.origin.name, []).append(tuple(symbol.name for symbol in rule.expansion))
        terminals |= {symbol.name for symbol in rule.expansion if symbol.is_term}
    empty = _nullable(by_origin)
    #: Items (origin, right side, how much of it is read, where it began), for every place between terminals.
    columns: list[dict[tuple[str, tuple[str, ...], int, int], None]] = [{}]
    columns[0] = {("$", (start,), 0, 0): None}
    for place in range(len(types) + 1):
        column = columns[place]
        if not column:
            return None
        columns.append({})
        waiting: dict[str, list[tuple[str, tuple[str, ...], int, int]]] = {}
        pending = list(column)
        for item in pending:
            origin, right, read, began = item
            new: list[tuple[str, tuple[str, ...], int, int]] = []
            if read == len(right):
                parents = waiting.get(origin, []) if began == place else _waiting(columns[began], origin)
                new = [(o, r, k + 1, b) for o, r, k, b in parents]
            elif right[read] in terminals:
                if place < len(types) and types[place] == right[read]:
                    columns[place + 1][(origin, right, read + 1, began)] = None
            else:
                waiting.setdefault(right[read], []).append(item)
                new = [(right[read], side, 0, place) for side in by_origin.get(right[read], [])]
                if right[read] in empty:
                    new.append((origin, right, read + 1, began))
            fuel.burn(2 + len(new))
            for fresh in new:
                if fresh not in column:
                    column[fresh] = None
                    pending.append(fresh)
    last = columns[len(types)]
    expected = {right[read] for _, right, read, _ in last if read < len(right) and right[read] in terminals}
    return expected | ({END} if ("$", (start,), 1, 0) in last else set())


def _waiting(column: Any, symbol: str) -> list[Any]:
    return [item for item in column if item[2] < len(item[1]) and item[1][item[2]] == symbol]


def _nullable(by_origin: dict[str, list[tuple[str, ...]]]) -> set[str]:
    """The symbols that may stand for nothing."""
    empty: set[str] = set()
    while True:
        more = {name for name, sides in by_origin.items() if any(empty.issuperset(side) for side in sides)}
        if more <= empty:
            return empty
        empty |= more
