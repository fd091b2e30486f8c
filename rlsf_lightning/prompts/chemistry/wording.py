"""Sentences that state facts of a molecule: every fact is one clause, and the wording is drawn at random."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

Fact = Mapping[str, Any]

_NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()
_ELEMENTS = {
    **{"B": "boron", "Br": "bromine", "C": "carbon", "Cl": "chlorine", "F": "fluorine", "I": "iodine", "N": "nitrogen"},
    **{"O": "oxygen", "P": "phosphorus", "S": "sulfur", "Se": "selenium", "Si": "silicon"},
}
_OPENERS = ("The molecule", "This molecule", "The compound", "This compound")
_HAS = ("has", "contains", "bears", "carries")


def description(rng: random.Random, facts: Sequence[Fact]) -> str:
    """English sentences that state all of the facts, in random order and words."""
    shuffled = list(facts)
    rng.shuffle(shuffled)
    is_spelt = rng.random() < 0.5
    clauses = [_clause(rng, fact, is_spelt) for fact in shuffled]
    sentences, subject = [], rng.choice(_OPENERS)
    while clauses:
        taken = rng.randint(1, 3)
        sentences.append(f"{subject} {rng.choice(_HAS)} {_listed(clauses[:taken])}.")
        clauses, subject = clauses[taken:], "It"
    return " ".join(sentences)


def _clause(rng: random.Random, fact: Fact, is_spelt: bool) -> str:
    """One fact as the object of a sentence."""
    if "formula" in fact:
        return f"the {rng.choice(('formula', 'molecular formula', 'composition'))} {fact['formula']}"
    if fact.get("property") == "molecular_weight":
        low, high = fact["min"], fact["max"]
        return rng.choice((f"a molecular weight from {low} to {high}", f"a molar mass between {low} and {high} g/mol"))
    if fact.get("property") == "rings" and fact["count"] == 0:
        return "no rings"
    noun = _noun(fact)
    if "count" in fact:
        exactly = "" if fact["count"] == 0 else rng.choice(("exactly ", "just ", ""))
        return exactly + _counted(fact["count"], noun, is_spelt)
    if "min" in fact:
        return f"{rng.choice(('at least', 'no fewer than'))} {_counted(fact['min'], noun, is_spelt)}"
    return f"{'an' if noun[0][0] in 'aeio' else 'a'} {noun[0]}"


def _noun(fact: Fact) -> tuple[str, str]:
    """Singular and plural."""
    if "functional_group" in fact:
        return f"{fact['functional_group']} group", f"{fact['functional_group']} groups"
    if "ring" in fact:
        return f"{fact['ring']} ring", f"{fact['ring']} rings"
    if "element" in fact:
        name = _ELEMENTS[fact["element"]]
        return f"{name} atom", f"{name} atoms"
    return {"rings": ("ring in all", "rings in all"), "heavy_atoms": ("heavy atom", "heavy atoms")}[fact["property"]]


def _counted(number: int, noun: tuple[str, str], is_spelt: bool) -> str:
    is_word = number == 0 or (is_spelt and number < len(_NUMBERS))
    return f"{_NUMBERS[number] if is_word else number} {noun[number != 1]}"


def _listed(clauses: Sequence[str]) -> str:
    *front, last = clauses
    return f"{', '.join(front)} and {last}" if front else last
