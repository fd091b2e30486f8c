"""A certificate on a terminal: caret lines under the completion, and the reward of every token. Its size is bounded."""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Certificate, Finding, Span

#: Columns of the completion that are shown at most; a longer one is cut around the first place that matters.
WIDTH = 100
#: Lines for findings and for tokens at most.
MAX_LINES = 40

Token = tuple[str, Span, float]


def render(completion: str, certificate: Certificate, tokens: Sequence[Token] | None = None) -> str:
    """The completion with carets under each finding's spans, the first dead character, and a line for every token.

    ``tokens``: (text, span, reward). Control characters and what is not ASCII are shown escaped, so that nothing of the
    completion reaches the terminal as a command, and carets stay under what they mean.
    """
    head = f"{certificate.verdict.value.upper()}  score {certificate.score:.3f}  ({certificate.tool} {certificate.version})"
    first, last = _window(completion, certificate)
    cells = _cells(completion[first:last])
    columns = [0]
    for cell in cells:
        columns.append(columns[-1] + len(cell))
    before, after = "..." if first else "", "..." if last < len(completion) else ""
    lines = [head, f"  {before}{''.join(cells)}{after}"]

    def carets(spans: Sequence[Span], mark: str) -> str:
        row = [" "] * (columns[-1] + 1)
        for span in spans:
            start, end = (min(max(place, first), last) - first for place in (span.start, span.end))
            for column in range(columns[start], max(columns[end], columns[start] + 1)):
                row[column] = mark
        return f"  {' ' * len(before)}{''.join(row).rstrip()}"

    for finding in certificate.findings[:MAX_LINES]:
        text = f"{finding.kind}: {_escaped(finding.message)}"
        seen = [span for span in finding.spans if span.start <= last and span.end >= first]
        lines.append(f"{carets(seen, '^')}  {text}" if seen else f"  {_place(finding)}{text}")
    if len(certificate.findings) > MAX_LINES:
        lines.append(f"  and {len(certificate.findings) - MAX_LINES} more findings")
    if certificate.dead_from is not None:
        what = (
            "the end: stopping here was wrong" if certificate.dead_from >= len(completion) else "first dead character"
        )
        place = Span(certificate.dead_from, certificate.dead_from + 1)
        if first <= place.start <= last:
            lines.append(f"{carets([place], '!')}  {what}")
        else:
            lines.append(f"  (at {place.start}) {what}")
    if tokens is not None:
        lines += _token_lines(tokens)
    return "\n".join(lines)


def _window(completion: str, certificate: Certificate) -> tuple[int, int]:
    """The range of characters that is shown."""
    if len(completion) <= WIDTH:
        return 0, len(completion)
    places = [span.start for finding in certificate.findings for span in finding.spans]
    places += [] if certificate.dead_from is None else [certificate.dead_from]
    first = max(0, min(min(places, default=0) - WIDTH // 2, len(completion) - WIDTH))
    return first, first + WIDTH


def _cells(text: str) -> list[str]:
    return [character if " " <= character <= "~" else ascii(character)[1:-1] for character in text]


def _escaped(text: str) -> str:
    return "".join(_cells(text))


def _place(finding: Finding) -> str:
    return f"(at {finding.spans[0].start}) " if finding.spans else "(the whole) "


def _token_lines(tokens: Sequence[Token]) -> list[str]:
    """Tokens with their rewards; in a long completion only those that have one."""
    rows = list(tokens)
    if len(rows) > MAX_LINES:
        rows = [token for token in rows if token[2] != 0.0][:MAX_LINES] or rows[-1:]
    shown = [_escaped(text[:WIDTH]) or "<end>" for text, _, _ in rows]
    width = max((len(text) for text in shown), default=0)
    lines = [f"  {text:<{width}}  {reward:+.3f}" for text, (_, _, reward) in zip(shown, rows, strict=True)]
    left_out = len(tokens) - len(rows)
    return ["", "  token rewards", *lines, *([f"  {left_out} more tokens"] if left_out else [])]
