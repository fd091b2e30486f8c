"""JSON documents of a JSON Schema: certificates, and their confirmation by the standard library's reader and own rules."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.verifiers.grammar.json import JsonReading, Node, Problem, read_json
from rlsf_lightning.symbolic.verifiers.grammar.regex import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.schema import FAMILIES, Judge, canonical
from rlsf_lightning.symbolic.verifiers.grammar.task import Judgement, first_dead, share
from rlsf_lightning.symbolic.verifiers.grammar.violations import KIND_OF, Schema, Violation, findings, node_at

MAX_FINDINGS = 50
_MAX_VIOLATIONS = 2_000
_FAMILY_OF = {keyword: name for name, (keywords, _) in FAMILIES.items() for keyword in keywords} | {"false": "nothing"}


class DocumentTask:
    """A text is accepted when it is JSON that satisfies the schema; white space may stand around it.

    Args:
        schema: what it has to satisfy.
        max_depth: deeper nesting is not accepted.
        max_chars: longer texts are not accepted.
    """

    def __init__(self, schema: Schema, *, max_depth: int, max_chars: int) -> None:
        self.schema, self.max_depth, self.max_chars = schema, max_depth, max_chars

    def judge(self, text: str, fuel: Fuel) -> Judgement:
        if len(text) > self.max_chars:
            return self._too_long(text, fuel)
        reading = read_json(text, self.max_depth)
        broken: list[Violation] = []
        if reading.problems:
            found = []
        else:
            assert reading.root is not None
            violations = self.schema.violations(reading.root.value, fuel)
            broken = list(dict.fromkeys(itertools.islice(violations, _MAX_VIOLATIONS)))
            found = findings(broken[:MAX_FINDINGS], reading.root)
        if not found and not reading.problems:
            return Judgement([], 1.0, None, {})
        dead = first_dead(text, lambda prefix: self._is_dead(prefix, fuel))
        place = len(text) if dead is None else dead
        found = found or _problem_findings(reading, place, len(text))
        witness: dict[str, Any] = {}
        if broken:
            witness["violations"] = [{"path": list(v.path), "keyword": v.keyword} for v in broken[:MAX_FINDINGS]]
        elif (rest := read_json(text[:place], self.max_depth).closing) is not None:
            witness["continuation"] = rest
        total = max(len(found), len(broken))
        if total > MAX_FINDINGS:
            found = [*found[:MAX_FINDINGS], Finding(found[0].kind, f"and {total - MAX_FINDINGS} more findings")]
        return Judgement(found, self._score(text, reading, found, place, witness), place, witness)

    def viable(self, text: str, fuel: Fuel) -> bool | None:
        if self._is_dead(text, fuel):
            return False
        reading = read_json(text, self.max_depth)
        whole = None if reading.closing is None else text + reading.closing
        if whole is None or len(whole) > self.max_chars:
            return None
        closed = read_json(whole, self.max_depth)
        if closed.problems or closed.root is None:
            return None
        return True if next(self.schema.violations(closed.root.value, fuel), None) is None else None

    def confirms(self, certificate: Certificate, text: str, fuel: Fuel) -> bool:
        place = certificate.dead_from
        if certificate.verdict is Verdict.PASS:
            return (
                _strictly(text)[1] is None and len(text) <= self.max_chars and self._truth(text, fuel)[0] is not False
            )
        if place is None or not 0 <= place <= len(text) or not certificate.findings:
            return False
        if self._is_dead(text[:place], fuel) or (place < len(text) and not self._is_dead(text[: place + 1], fuel)):
            return False
        if len(text) > self.max_chars:
            beyond = (Span(self.max_chars, len(text)),)
            return certificate.score == 0 and [(f.kind, f.spans) for f in certificate.findings] == [
                ("too_long", beyond)
            ]
        reading = read_json(text, self.max_depth)
        found = list(certificate.findings)
        if certificate.score != self._score(text, reading, found, place, certificate.witness):
            return False
        if "violations" in certificate.witness:
            return not reading.problems and self._confirms_violations(certificate, text, reading, fuel)
        return self._confirms_problems(certificate, text, reading, place)

    def _is_dead(self, text: str, fuel: Fuel) -> bool:
        """No longer text is accepted: certain."""
        if len(text) > self.max_chars:
            return True
        reading = read_json(text, self.max_depth)
        fuel.burn(1 + len(text) // 10)
        if any(problem.dead < len(text) for problem in reading.problems):
            return True
        judge = Judge(self.schema.schema, fuel, refs_alone=self.schema.refs_alone, open_end=len(text))
        return reading.root is not None and judge.judge(self.schema.schema, reading.root) is False

    def _truth(self, text: str, fuel: Fuel) -> tuple[bool | None, Judge]:
        """What the own rules say of a whole document."""
        root = read_json(text, self.max_depth).root
        assert root is not None
        judge = Judge(self.schema.schema, fuel, refs_alone=self.schema.refs_alone)
        return judge.judge(self.schema.schema, root), judge

    def _score(self, text: str, reading: JsonReading, found: list[Finding], place: int, witness: Any) -> float:
        """Text that is no JSON: half of the share that could stand; else a half, and half of the share of values that
        nothing is said against."""
        if reading.problems:
            return share(place, len(text), witness.get("continuation")) / 2
        assert reading.root is not None
        starts = [node.start for node in _nodes(reading.root)]
        blamed = {span.start for finding in found for span in finding.spans}
        return min(MOST_WITHOUT_PASS, 0.5 + max(0.0, 1 - len(blamed) / len(starts)) / 2)

    def _too_long(self, text: str, fuel: Fuel) -> Judgement:
        message = f"{len(text)} characters; at most {self.max_chars} are read"
        dead = first_dead(text[: self.max_chars + 1], lambda prefix: self._is_dead(prefix, fuel))
        return Judgement([Finding("too_long", message, (Span(self.max_chars, len(text)),))], 0.0, dead, {})

    def _confirms_problems(self, certificate: Certificate, text: str, reading: JsonReading, place: int) -> bool:
        """Python's reader refuses the text, too, and takes the good part with what the witness adds to it."""
        value, error = _strictly(text)
        too_deep = any(finding.kind == "too_deep" for finding in certificate.findings)
        if error is None and not (too_deep and _depth(value) > self.max_depth):
            return False
        problems = [(f.kind, f.spans) for f in _problem_findings(reading, place, len(text))][:MAX_FINDINGS]
        if [(f.kind, f.spans) for f in certificate.findings][:MAX_FINDINGS] != problems:
            return False
        rest = certificate.witness.get("continuation")
        return rest is None or _strictly(text[:place] + rest)[1] is None

    def _confirms_violations(self, certificate: Certificate, text: str, reading: JsonReading, fuel: Fuel) -> bool:
        """Every value that is blamed is the one at its path, and the own rules find it broken in the same way."""
        value, error = _strictly(text)
        truth, judge = self._truth(text, fuel)
        violations, root = certificate.witness["violations"], reading.root
        if error is not None or truth is True or root is None:
            return False
        blamed = certificate.findings[:MAX_FINDINGS]
        if len(violations) != len(blamed) or len(certificate.findings) > MAX_FINDINGS + 1:
            return False
        for violation, finding in zip(violations, blamed, strict=True):
            path, keyword = tuple(violation["path"]), violation["keyword"]
            try:
                there = _at(value, path)
                key, node = node_at(root, path)
            except (LookupError, TypeError, StopIteration, ValueError):
                return False
            if finding.kind != KIND_OF.get(keyword, "excluded") or not finding.spans:
                return False
            if canonical(json.loads(text[node.start : node.end])) != canonical(there):
                return False
            places = {node.start} | ({key.start} if key is not None else set())
            family = _FAMILY_OF.get(keyword)
            if truth is False and family is not None and all((at, family) not in judge.broken for at in places):
                if not (keyword in ("additionalProperties", "propertyNames") and key is not None):
                    return False
            if not all(_belongs(span, finding.kind, key, node) for span in finding.spans):
                return False
        return True


def _problem_findings(reading: JsonReading, dead: int, length: int) -> list[Finding]:
    """What keeps a text from being JSON; before it the place from which on the schema has nothing, if it comes earlier."""
    found = [Finding(p.kind, p.message, _places(p, length)) for p in reading.problems]
    if dead < min(problem.dead for problem in reading.problems):
        message = "nothing that begins so satisfies the schema, whatever follows"
        found.insert(0, Finding("excluded", message, (Span(dead, dead + 1),)))
    return found


def _places(problem: Problem, length: int) -> tuple[Span, ...]:
    """Of what is not closed also the end, where that is missing; the comma before what may not follow one."""
    place, end = Span(problem.start, problem.end), Span(length, length)
    if problem.comma is not None:
        return Span(problem.comma, problem.comma + 1), place
    return (place, end) if problem.kind == "unexpected_end" and place != end else (place,)


def _belongs(span: Span, kind: str, key: Node | None, node: Node) -> bool:
    """Whether a span is one of the places where a violation of this value can show."""
    assert node.end is not None
    if kind in ("missing_property", "missing_item"):
        return span == Span(node.end - 1, node.end)
    whole = [(node.start, node.end)] + ([(key.start, key.end)] if key is not None else [])
    if kind == "extra_item":
        whole += [(item.start, item.end) for _, item in node.children if item is not None]
    return (span.start, span.end) in whole


def _strictly(text: str) -> tuple[Any, Exception | None]:
    """(value, error) of Python's reader, without what it accepts beyond JSON."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)

    def finite(written: str) -> float | int:
        if math.isinf(float(written)):
            raise ValueError("too large a number")
        return float(written) if set(written) & set(".eE") else int(written)

    try:
        return json.loads(
            text, parse_constant=refuse, object_pairs_hook=unique, parse_float=finite, parse_int=finite
        ), None
    except (ValueError, RecursionError) as error:
        return None, error


def _depth(value: Any) -> int:
    """How deep arrays and objects are nested."""
    deepest, level = 0, [value]
    while level := [item for item in level if isinstance(item, list | dict)]:
        deepest += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return deepest


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def _nodes(root: Node) -> list[Node]:
    found = [root]
    for node in found:
        found += [child for _, child in node.children if child is not None]
    return found
