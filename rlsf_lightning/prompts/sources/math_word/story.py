"""A word problem while it is told: sentences, the steps of its solution, the question."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction

from rlsf_lightning.prompts.generated import Task
from rlsf_lightning.prompts.sources._words import FIRST_NAMES

Number = int | Fraction

#: How likely a problem has a sentence with a number that its question does not need.
DISTRACTION = 0.35
MOST_STEPS = 5
#: Decimals of a number that comes out even.
MOST_DECIMALS = 2

_DISTRACTORS = (
    "{name} is {number} years old.",
    "It is {number} degrees outside.",
    "The bus to town leaves every {number} minutes.",
    "{name} lives at number {number}.",
    "{name} has {number} cousins.",
    "It has not rained for {number} days.",
    "There are {number} chairs in the room.",
    "{name} walked {number} minutes to get there.",
    "The radio has been on for {number} minutes.",
)
_STEP = ("{label}: {equation}.", "{label}: {equation}", "{label} = {equation}")


class Story:
    """Told by a schema: ``say`` what is given, ``step`` by step what follows, and ``ask`` for the last of it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.name, self.other, self.third = rng.sample(FIRST_NAMES, 3)
        self._told: list[str] = []
        self._given: list[str] = []
        self._steps: list[tuple[str, str]] = []
        self._question = ""
        self._answer: Number = 0

    def number(self, low: int, high: int, multiple: int = 1) -> int:
        """A whole number from ``low`` to ``high``, in steps of ``multiple`` from ``low`` on."""
        return self.rng.randrange(low, high + 1, multiple)

    def maybe(self, probability: float = 0.5) -> bool:
        return self.rng.random() < probability

    def say(self, *wordings: str, **values: object) -> None:
        """One of these sentences; the values that are numbers are what the problem gives."""
        self._told.append(self._worded(wordings, values))

    def step(self, label: str, *parts: Number | str) -> Number:
        """The value of numbers and signs in turn, from left to right: ``step("Total", 3, "*", 4)``."""
        result = Fraction(parts[0])
        for sign, operand in zip(parts[1::2], parts[2::2], strict=True):
            value = Fraction(operand)
            if sign in ("+", "-"):
                result = result + value if sign == "+" else result - value
            else:
                result = result * value if sign == "*" else result / value
        spelled = " ".join(part if isinstance(part, str) else spell(part) for part in parts)
        self._steps.append((label, f"{spelled} = {spell(result)}"))
        return int(result) if result.denominator == 1 else result

    def ask(self, answer: Number, *wordings: str, **values: object) -> None:
        """The question, whose answer is the last step's result."""
        self._question, self._answer = self._worded(wordings, values), answer

    def task(self, schema: str) -> Task | None:
        """The problem; None where it has no step or too many, or a number that is negative or does not come out even."""
        values = [equation.rpartition(" = ")[2] for _, equation in self._steps]
        if not 1 <= len(self._steps) <= MOST_STEPS or not all(is_plain(value) for value in values):
            return None
        told = list(self._told)
        if self.maybe(DISTRACTION):
            sentence = self.rng.choice(_DISTRACTORS).format(name=self.name, number=self.rng.randint(5, 60))
            told.insert(self.rng.randint(0, len(told)), sentence)
        form = self.rng.choice(_STEP)
        lines = [form.format(label=label, equation=equation) for label, equation in self._steps]
        answer = spell(self._answer)
        return Task(
            " ".join([*told, self._question]),
            reference=answer,
            key=" ".join([schema, *self._given, self._question.split()[0]]),
            target="\n".join([*lines, f"#### {answer}"]),
        )

    def _worded(self, wordings: tuple[str, ...], values: dict[str, object]) -> str:
        for value in values.values():
            self._given += [spell(value)] if isinstance(value, int | Fraction) else []
        shown = {key: spell(value) if isinstance(value, int | Fraction) else value for key, value in values.items()}
        names = {"name": self.name, "other": self.other, "third": self.third}
        return self.rng.choice(wordings).format(**names, **shown)


def plus(numbers: Sequence[Number]) -> list[Number | str]:
    """The parts of a sum: the numbers with ``+`` between them."""
    first, *others = numbers
    return [first, *(part for number in others for part in ("+", number))]


def spell(number: Number) -> str:
    """A whole number, or a decimal; a fraction that is no short decimal as ``a/b``."""
    value = Fraction(number)
    if value.denominator == 1:
        return str(value.numerator)
    scaled = value * 10**MOST_DECIMALS
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(abs(scaled.numerator), 10**MOST_DECIMALS)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{MOST_DECIMALS}d}"


def is_plain(spelled: str) -> bool:
    """Whether a number that was spelled is neither negative nor a fraction."""
    return "/" not in spelled and not spelled.startswith("-")
