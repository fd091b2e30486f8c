"""A verifier of answers: it judges the answer in a completion, and its certificates speak of the whole completion."""

from __future__ import annotations

from dataclasses import replace

from rlsf_lightning._version import __version__
from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.answers.find import AnswerFinder, Found, common_start
from rlsf_lightning.symbolic.answers.settings import AnswerSettings
from rlsf_lightning.symbolic.certificates import abstained, first_dead, repeats
from rlsf_lightning.symbolic.repair import edited
from rlsf_lightning.symbolic.verifier import Verifier

#: The finding on a completion in which no answer stands.
NO_ANSWER = "no_answer"
#: Extractors for which an answer can be written behind any text: where one answer passes, every such text is viable.
_CAN_FOLLOW = frozenset(("whole", "fence", "tag", "after"))


class Answered:
    """Another verifier, asked about the answer alone; FAIL with the finding ``no_answer`` where there is none.

    ``dead_from`` is the answer's where that is final (see ``find``). Where another one may follow it is not known: a text
    that may still pass is not dead.

    Args:
        verifier: judges answers.
        name: its name, for certificates on completions that it never sees.
    """

    def __init__(self, verifier: Verifier, name: str, settings: AnswerSettings) -> None:
        self.verifier, self.name, self.settings = verifier, name, settings
        self.finder = AnswerFinder(settings)
        self.kinds = frozenset(verifier.kinds) | {NO_ANSWER}
        self.invalid_kinds = frozenset(getattr(verifier, "invalid_kinds", ())) | {NO_ANSWER}
        self.metrics = getattr(verifier, "metrics", "generic")

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate of the answer, in the characters of ``completion``. Raises UserError for wrong facts."""
        return self._judge(prompt, completion)[0]

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether some continuation passes: False where no answer does, or where a final one is dead."""
        text = self.settings.prefix + prefix
        try:
            found = self.finder.find(text)
        except ToolFailed:
            found = None
        if found is not None and found.is_final and text.strip():
            return self._answer_viable(prompt, text, found)
        any_passes = self._viable(prompt, "")
        return any_passes if any_passes is False or self.settings.extract[0] in _CAN_FOLLOW else None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second run says the same, and the verifier bears out what it says of the answer."""
        again, inner, answer = self._judge(prompt, completion)
        if not repeats(certificate, again) or inner is None:
            return repeats(certificate, again)
        second_opinion = getattr(self.verifier, "recheck", None)
        return second_opinion is None or second_opinion(inner, prompt, answer)

    def _viable(self, prompt: Prompt, prefix: str) -> bool | None:
        viable = getattr(self.verifier, "viable", None)
        return None if viable is None else viable(prompt, prefix)

    def _answer_viable(self, prompt: Prompt, text: str, found: Found) -> bool | None:
        """The same of a text whose answer is final: it has ended, or goes on, or both may be."""
        answer, rest = text[found.span.start : found.span.end], text[found.span.start :]
        has_ended = self._closing_tag(text, found) is not None
        is_viable = False if has_ended else self._viable(prompt, rest)
        if is_viable is not False or (not has_ended and answer == rest):
            return is_viable
        verdict = self.verifier.verify(prompt, answer).verdict
        return None if verdict is Verdict.ABSTAIN else verdict is Verdict.PASS

    def _judge(self, prompt: Prompt, completion: str) -> tuple[Certificate, Certificate | None, str]:
        """The completion's certificate, and the answer's with the answer, where there is one."""
        text = self.settings.prefix + completion
        try:
            found = self.finder.find(text)
        except ToolFailed as failure:
            return self._own(abstained(str(failure))), None, ""
        if found is None:
            return self._own(self._no_answer(prompt, completion)), None, ""
        answer = text[found.span.start : found.span.end]
        certificate = self.verifier.verify(prompt, answer)
        if not isinstance(certificate, Certificate):
            return certificate, None, ""  # told by whoever asked
        moved = self._moved(prompt, certificate, text, found)
        if moved.repair and self.verify(prompt, edited(completion, moved.repair)).verdict is not Verdict.PASS:
            moved = replace(moved, repair=())  # with the edits another answer is found
        return moved, certificate, answer

    def _own(self, certificate: Certificate) -> Certificate:
        return replace(certificate, tool=self.name, version=__version__)

    def _no_answer(self, prompt: Prompt, completion: str) -> Certificate:
        end = Span(len(completion), len(completion))
        finding = Finding(NO_ANSWER, f"no answer (answer.extract={', '.join(self.settings.extract)})", (end,))
        dead_from = len(completion) if self.viable(prompt, completion) else None
        return Certificate(Verdict.FAIL, (finding,), dead_from=dead_from, answer=end)

    def _moved(self, prompt: Prompt, certificate: Certificate, text: str, found: Found) -> Certificate:
        """The answer's certificate as one of the completion, which is the text without ``data.answer_prefix``."""
        before, length = len(self.settings.prefix), len(text) - len(self.settings.prefix)

        def place(at: int) -> int:
            return min(max(at - before, 0), length)

        start = found.span.start

        def moved(span: Span) -> Span:
            return Span(place(span.start + start), place(span.end + start))

        findings = tuple(replace(f, spans=tuple(map(moved, f.spans))) for f in certificate.findings)
        dead_from = None
        if certificate.dead_from is not None and found.is_final:
            dead_from = place(self._first_dead(prompt, certificate.dead_from + start, text, found))
        judged = Span(place(start), place(found.span.end))
        # Where the prefix would have to be another one, there is no repair.
        is_within = all(edit.span.start + start >= before for edit in certificate.repair)
        repair = tuple(replace(edit, span=moved(edit.span)) for edit in certificate.repair) if is_within else ()
        return replace(certificate, findings=findings, dead_from=dead_from, answer=judged, repair=repair)

    def _first_dead(self, prompt: Prompt, at: int, text: str, found: Found) -> int:
        """Where the text dies whose final answer dies at ``at``."""
        start, end = found.span.start, found.span.end
        if found.extractor == "whole":  # what it begins with might have become thinking
            lead = len(text) - len(text.lstrip())
            return max(at, lead + self.finder.begun_thinking(text)) if start == 0 else at
        if at < end:
            begun, behind = self._what_may_close(text, at, found)
            answer = text[start:begun].strip()
            return behind if behind > at and self.verifier.verify(prompt, answer).verdict is Verdict.PASS else at
        closing = self._closing_tag(text, found)
        # The answer is given with the last character of its closing tag; until then it goes on, if it can.
        most = len(text) if closing is None else closing + len(self.settings.tags[1]) - 1
        longest = first_dead(text[end:most], lambda more: self._viable(prompt, text[start:end] + more) is not False)
        return end + longest

    def _what_may_close(self, text: str, at: int, found: Found) -> tuple[int, int]:
        """The stretch around ``at`` that may be the closing tag, or blanks before it; an empty one where there is none."""
        closing, end = self.settings.tags[1], found.span.end
        begun = text.rfind(closing[0], found.span.start, at + 1)
        if begun >= 0 and begun + common_start(closing, text, begun) > at:
            return begun, min(begun + common_start(closing, text, begun), end)
        behind = at
        while behind < end and text[behind].isspace():
            behind += 1
        return at, min(behind + (common_start(closing, text, behind) if behind > at else 0), end)

    def _closing_tag(self, text: str, found: Found) -> int | None:
        """Where the tag stands that closes the answer."""
        at = text.find(self.settings.tags[1], found.span.end) if found.extractor == "tag" else -1
        return None if at < 0 else at
