"""A verifier to copy: the completion is an anagram of the letters that its prompt gives."""

from collections import Counter

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span
from rlsf_lightning.symbolic.certificates import failed, first_dead, issued, passed, too_long


class Anagram:
    """PASS when the completion has the letters of the fact ``letters``, each as often, and nothing else.

    Args:
        max_chars: longer completions are not read.
    """

    kinds = frozenset(("too_long", "wrong_letter", "missing_letter"))
    invalid_kinds = frozenset(("too_long",))

    def __init__(self, max_chars: int = 200) -> None:
        self.max_chars = max_chars

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate. Raises UserError for wrong facts, never for the completion."""
        letters = self._letters_of(prompt)
        return issued("anagram", "1", lambda: self._judge(letters, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool:
        """Whether ``prefix``, or some text that begins with it, passes."""
        return has_no_wrong_letter(prefix, self._letters_of(prompt))

    def _judge(self, letters: str, completion: str) -> Certificate:
        dead_from = first_dead(completion, lambda prefix: has_no_wrong_letter(prefix, letters))
        if len(completion) > self.max_chars:
            return failed([too_long(completion, self.max_chars)], dead_from=dead_from)
        findings, left = list[Finding](), Counter(letters)
        for at, letter in enumerate(completion):
            if left[letter]:
                left[letter] -= 1
            else:
                findings.append(Finding("wrong_letter", f"no {letter!r} is left", (Span(at, at + 1),)))
        missing = "".join(left.elements())
        if missing:
            findings.append(Finding("missing_letter", f"{missing} is missing"))
        if not findings:
            return passed()
        return failed(findings, score=0.9 * (1 - len(missing) / len(letters)), dead_from=dead_from)

    def _letters_of(self, prompt: Prompt) -> str:
        letters = prompt.facts.get("letters")
        if not isinstance(letters, str) or not 1 <= len(letters) <= self.max_chars:
            raise UserError(f'anagram: the fact `letters` is {letters!r}; write "letters": "listen"')
        return letters


def has_no_wrong_letter(text: str, letters: str) -> bool:
    return not Counter(text) - Counter(letters)


VERIFIER = Anagram
