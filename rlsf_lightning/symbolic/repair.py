"""Repairs: the few edits with which a completion that fails would pass, by the verifier's own verdict.

A verifier that can say what to write instead has a method ``repairs(certificate, prompt, completion)``: edits that make the
completion right, or nearer to it, the likeliest first. Here they are made and judged, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rlsf_lightning.records import Certificate, Edit, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifier import Verifier

#: Changed completions that are judged for one repair, at most.
MAX_TRIED = 48
#: What takes away more than this share of the completion's characters is no repair, but another answer.
MOST_REMOVED = 0.75

#: A stretch of the edited text: of the completion, or of an edit.
_Piece = Span | str


class Repairing:
    """Another verifier, whose certificates of failures say with which edits the completion would pass.

    Whatever else it has is the other verifier's.
    """

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier

    def __getattr__(self, name: str) -> Any:
        if name == "verifier":  # not there yet while a copy is made
            raise AttributeError(name)
        return getattr(self.verifier, name)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The other verifier's certificate, with ``repair`` where one was found."""
        certificate = self.verifier.verify(prompt, completion)
        if not isinstance(certificate, Certificate) or certificate.verdict is not Verdict.FAIL:
            return certificate
        return replace(certificate, repair=find_repair(self.verifier, prompt, completion, certificate))

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the repaired completion passes, and the other verifier bears out the rest."""
        if certificate.repair:
            if max(edit.span.end for edit in certificate.repair) > len(completion):
                return False
            again = self.verifier.verify(prompt, edited(completion, certificate.repair))
            if again.verdict is not Verdict.PASS:
                return False
        second_opinion = getattr(self.verifier, "recheck", None)
        return second_opinion is None or second_opinion(replace(certificate, repair=()), prompt, completion)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text after edits, which are in order and apart."""
    draft = Draft(text)
    draft.change(edits)
    return draft.text


class Draft:
    """A text that is edited again and again, and what was done to it in all."""

    def __init__(self, text: str) -> None:
        self.original = text
        self._pieces: list[_Piece] = [Span(0, len(text))]

    @property
    def text(self) -> str:
        """As it stands now."""
        pieces = (p if isinstance(p, str) else self.original[p.start : p.end] for p in self._pieces)
        return "".join(pieces)

    def change(self, edits: Sequence[Edit]) -> None:
        """Make edits of the text as it stands, which are in order and apart."""
        changed: list[_Piece] = []
        rest, at = self._pieces, 0
        for edit in edits:
            before, rest = _parted(rest, edit.span.start - at)
            _, rest = _parted(rest, edit.span.end - edit.span.start)
            changed += [*before, edit.text]
            at = edit.span.end
        self._pieces = [piece for piece in (*changed, *rest) if _length(piece)]

    @property
    def edits(self) -> tuple[Edit, ...]:
        """From the original to the text as it stands."""
        length = len(self.original)
        edits, text, at = list[Edit](), "", 0
        for piece in (*self._pieces, Span(length, length)):
            if isinstance(piece, str):
                text += piece
                continue
            if text or piece.start > at:
                edits.append(Edit(Span(at, piece.start), text))
            text, at = "", piece.end
        return tuple(edits)


def find_repair(verifier: Any, prompt: Prompt, completion: str, certificate: Certificate) -> tuple[Edit, ...]:
    """Edits with which the completion passes; none where the verifier, which has ``repairs``, knows none, or too much would
    change.

    Greedy: edits after which the certificate says less against the text are kept, and the next ones are looked for there.
    """
    draft, tried = Draft(completion), {completion}
    while certificate.verdict is not Verdict.PASS:
        for edits in verifier.repairs(certificate, prompt, draft.text):
            text = edited(draft.text, edits)
            if text in tried:
                continue
            if len(tried) > MAX_TRIED:
                return ()
            tried.add(text)
            judged = verifier.verify(prompt, text)
            if judged.verdict is Verdict.PASS or _is_nearer(judged, certificate):
                break
        else:
            return ()
        draft.change(edits)
        certificate = judged
    removed = sum(edit.span.end - edit.span.start for edit in draft.edits)
    return draft.edits if removed <= MOST_REMOVED * len(completion) else ()


def _is_nearer(after: Certificate, before: Certificate) -> bool:
    if after.verdict is not Verdict.FAIL or after.score < before.score:
        return False
    return after.score > before.score or len(after.findings) < len(before.findings)


def _parted(pieces: Sequence[_Piece], length: int) -> tuple[list[_Piece], list[_Piece]]:
    """The first ``length`` characters, and the rest."""
    first: list[_Piece] = []
    for number, piece in enumerate(pieces):
        if length <= 0:
            return first, list(pieces[number:])
        if _length(piece) > length:
            behind = pieces[number + 1 :]
            if isinstance(piece, str):
                return [*first, piece[:length]], [piece[length:], *behind]
            middle = piece.start + length
            return [*first, Span(piece.start, middle)], [Span(middle, piece.end), *behind]
        first.append(piece)
        length -= _length(piece)
    return first, []


def _length(piece: _Piece) -> int:
    return len(piece) if isinstance(piece, str) else piece.end - piece.start
