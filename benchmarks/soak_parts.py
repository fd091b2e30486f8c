"""What a run of soak.py trains on: names and programs in turns, and one verifier for both.

``prompts`` is the source, ``Both`` the verifier. A policy that was not taught to write programs writes none that compile, so
beside each of its answers the verifier judges the reference with one character changed, to keep the compiler, the sandbox
and the tests at work; the policy is told its own verdict alone.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

from rlsf_lightning.prompts.sources import chem_naming, pseudocode_cpp
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.verifiers.cpp import CppVerifier
from rlsf_lightning.symbolic.verifiers.iupac_name import IupacNameVerifier

PAIRS = 500


def prompts(split: str) -> Iterator[Prompt]:
    """A name, a program, a name, ..., PAIRS of them."""
    pairs = zip(chem_naming.prompts(split), pseudocode_cpp.prompts(split), strict=False)
    for name, program in itertools.islice(pairs, PAIRS):
        yield replace(name, text=f"{name.text}\nName:")
        yield replace(program, text=f"{program.text}\nC++:\n")


class Both:
    """``cpp`` where a prompt has tests, ``iupac_name`` elsewhere."""

    kinds = CppVerifier.kinds | IupacNameVerifier.kinds
    invalid_kinds = CppVerifier.invalid_kinds | IupacNameVerifier.invalid_kinds

    def __init__(self) -> None:
        self.cpp, self.names = CppVerifier(), IupacNameVerifier(explain=False)
        self.rng = random.Random(0)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        if "tests" not in prompt.facts:
            self.names.verify(prompt, self.damaged(prompt.target or "ethane"))
            return self.names.verify(prompt, completion)
        self.cpp.verify(prompt, self.damaged(prompt.reference or "int main() {}"))
        return self.cpp.verify(prompt, completion)

    def damaged(self, text: str) -> str:
        """One character is another one of the text."""
        at = self.rng.randrange(len(text))
        return text[:at] + self.rng.choice(text) + text[at + 1 :]


VERIFIER = Both
