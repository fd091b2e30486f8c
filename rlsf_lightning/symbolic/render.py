"""A certificate on a terminal: carets under the completion, and the reward of every token. Its size is bounded.

Nothing of the completion reaches the terminal as it is: control characters, direction marks and everything that is not
ASCII are shown escaped, with the carets still under what they mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rlsf_lightning.records import Certificate, Edit, Span

#: Columns in which the completion is shown; a longer one goes on in the next row.
WIDTH = 100
#: Rows of the completion at most: those with something to point at come first.
MAX_ROWS = 8
#: Findings, and tokens, that are listed at most.
MAX_LINES = 40
MAX_MESSAGE = 200

Token = tuple[str, Span, float]


class _Row(NamedTuple):
    """A stretch of the completion: its first character, its escaped text, and the column of each character and the end."""

    start: int
    text: str
    columns: list[int]

    @property
    def end(self) -> int:
        return self.start + len(self.columns) - 1


class _Note(NamedTuple):
    """Something to say about places of the completion."""

    spans: tuple[Span, ...]
    mark: str
    text: str


def render(completion: str, certificate: Certificate, tokens: Sequence[Token] | None = None) -> str:
    """The verdict, the completion with a line of carets for every finding and for the first dead character, and tokens.

    ``tokens``: (text, span, reward) of each, the end token with an empty text. Of a long completion the rows are shown
    that findings point at.
    """
    tool = f"{certificate.tool} {certificate.version}".strip()
    lines = [f"{certificate.verdict.value.upper()}  score {certificate.score:.3f}  ({tool})"]
    notes = _notes(completion, certificate)
    rows = _rows(completion)
    pointed_at = [i for i, row in enumerate(rows) if any(_carets(row, note, completion) for note in notes)]
    shown = pointed_at[:MAX_ROWS] or [0]
    told: set[int] = set()
    for at, before in zip(shown, [-1, *shown], strict=False):
        lines += ["  ..."] if at > before + 1 else []
        lines.append(f"  {rows[at].text}".rstrip())
        for number, note in enumerate(notes):
            carets = _carets(rows[at], note, completion)
            if carets:
                lines.append(f"  {carets}  {'(the same)' if number in told else note.text}")
                told.add(number)
    lines += ["  ..."] if shown[-1] < len(rows) - 1 else []
    for number, note in enumerate(notes):
        if number not in told:
            lines.append(f"  (at {note.spans[0].start}) {note.text}" if note.spans else f"  (the whole) {note.text}")
    left_out = len(certificate.findings) - MAX_LINES
    lines += [f"  and {left_out} more findings"] if left_out > 0 else []
    if certificate.repair:
        lines += [
            "  would pass with:",
            *(f"    {_change(completion, edit)}" for edit in certificate.repair[:MAX_LINES]),
        ]
    return "\n".join(lines + ([] if tokens is None else _token_lines(tokens)))


def _notes(completion: str, certificate: Certificate) -> list[_Note]:
    notes = [
        _Note(finding.spans, "^", f"{finding.kind}: {_escaped(finding.message[:MAX_MESSAGE])}")
        for finding in certificate.findings[:MAX_LINES]
    ]
    error = certificate.witness.get("error")
    if error is not None:
        notes.append(_Note((), "", _escaped(str(error)[:MAX_MESSAGE])))
    at = certificate.dead_from
    if at is not None:
        is_end = at >= len(completion)
        text = "the end: stopping here was wrong" if is_end else "first dead character"
        notes.append(_Note((Span(at, at + 1),), "!", text))
    return notes


def _change(completion: str, edit: Edit) -> str:
    start, end = edit.span.start, edit.span.end
    old, new = (_escaped(text[:MAX_MESSAGE]) for text in (completion[start:end], edit.text))
    return f"[{start}, {end}) '{old}' -> '{new}'"


def _rows(completion: str) -> list[_Row]:
    rows: list[_Row] = []
    start, cells, columns = 0, list[str](), [0]
    for i, character in enumerate(completion):
        cell = _escaped(character)
        if columns[-1] + len(cell) > WIDTH:
            rows.append(_Row(start, "".join(cells), columns))
            start, cells, columns = i, [], [0]
        cells.append(cell)
        columns.append(columns[-1] + len(cell))
    return [*rows, _Row(start, "".join(cells), columns)]


def _carets(row: _Row, note: _Note, completion: str) -> str:
    """The marks under a row; empty if the note has no place in it. The end of the text is a place of the last row."""
    is_last = row.end == len(completion)
    columns = []
    for span in note.spans:
        end = max(span.end, span.start + 1)  # an empty span is a place too
        if span.start < row.end and end > row.start:
            first, last = (row.columns[min(max(at, row.start), row.end) - row.start] for at in (span.start, end))
            columns.append((first, last))
        elif is_last and span.start >= row.end:
            columns.append((row.columns[-1], row.columns[-1] + 1))
    line = [" "] * max((last for _, last in columns), default=0)
    for first, last in columns:
        line[first:last] = note.mark * (last - first)
    return "".join(line)


def _escaped(text: str) -> str:
    return "".join(character if " " <= character <= "~" else ascii(character)[1:-1] for character in text)


def _token_lines(tokens: Sequence[Token]) -> list[str]:
    """Tokens with their rewards; of many, those that have one."""
    rows: Iterable[Token] = tokens
    if len(tokens) > MAX_LINES:
        rows = [token for token in tokens if token[2] != 0.0][:MAX_LINES] or tokens[-1:]
    shown = [(_escaped(text)[:WIDTH] or "<end>", reward) for text, _, reward in rows]
    width = max((len(text) for text, _ in shown), default=0)
    lines = [f"  {text:<{width}}  {reward:+.3f}" for text, reward in shown]
    left_out = len(tokens) - len(shown)
    return ["", "  token rewards", *lines, *([f"  {left_out} more tokens"] if left_out else [])]
