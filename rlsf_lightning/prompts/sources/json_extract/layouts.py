"""Layouts: forms, tables, mails, prose and lines of a log that state the same facts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rlsf_lightning.prompts.sources._words import COMPANIES, FIRST_NAMES, person
from rlsf_lightning.prompts.sources.json_extract.kinds import Field, Kind
from rlsf_lightning.prompts.sources.json_extract.values import Value


class Stated(NamedTuple):
    """A field, the label that this document gives it, and its value."""

    field: Field
    label: str
    value: Value


Layout = Callable[[Kind, Sequence[Stated], random.Random], str]


def form(kind: Kind, stated: Sequence[Stated], rng: random.Random) -> str:
    """A line a field; lists perhaps over several."""
    mark = rng.choice([": ", ": ", " = ", " - ", ":\t", " .... ", " | "])
    bullet, upper = rng.choice(["", "", "- ", "* "]), rng.random() < 0.15
    lines = [rng.choice(kind.titles.split("|")), rng.choice(["", "---"])] if rng.random() < 0.7 else []
    for _, label, value in stated:
        label = label.upper() if upper else label
        if len(value.parts) > 1 and rng.random() < 0.6:
            lines += [f"{bullet}{label}{mark.rstrip()}", *(f"    {part}" for part in value.parts)]
        else:
            lines.append(f"{bullet}{label}{mark}{value.text}")
    return "\n".join(lines)


def table(kind: Kind, stated: Sequence[Stated], rng: random.Random) -> str:
    """Two columns, or a head with one row."""
    title = rng.choice(kind.titles.split("|"))
    rows = [(label, value.text) for _, label, value in stated]
    if rng.random() < 0.35:
        head, row = zip(*rows, strict=True)
        cut = rng.choice([" | ", "\t", " ; "])
        return f"{title}\n{cut.join(head)}\n{cut.join(row)}"
    if rng.random() < 0.5:
        return "\n".join([f"| {title} | |", "|---|---|", *(f"| {label} | {text} |" for label, text in rows)])
    width = max(len(label) for label, _ in rows) + 2
    return "\n".join([title, *(f"{label:<{width}}{text}" for label, text in rows)])


def sentences(stated: Sequence[Stated], rng: random.Random) -> list[str]:
    """A sentence a field."""
    told = []
    for field, label, value in stated:
        said = field.denies if value.json is False else field.says
        choices = [choice for choice in said.split("|") if choice]
        if not choices or (value.json is not True and value.json is not False and rng.random() < 0.2):
            told.append(f"{label}: {value.text}.")
        else:
            told.append(rng.choice(choices).format(value.text))
    return [sentence.replace("..", ".") for sentence in told]


def prose(kind: Kind, stated: Sequence[Stated], rng: random.Random) -> str:
    """Sentences in paragraphs."""
    told = [rng.choice(kind.openings.split("|")), *sentences(stated, rng)]
    if len(told) > 6:
        at = rng.randint(3, len(told) - 3)
        return f"{' '.join(told[:at])}\n\n{' '.join(told[at:])}"
    return " ".join(told)


def mail(kind: Kind, stated: Sequence[Stated], rng: random.Random) -> str:
    """A mail whose body is prose, a form, or some of both."""
    lines = []
    if rng.random() < 0.6:
        lines = [f"Subject: {rng.choice(kind.titles.split('|'))}", ""]
    lines += [
        f"{rng.choice(['Hello', 'Dear', 'Hi'])} {rng.choice([rng.choice(FIRST_NAMES), 'all', 'colleagues'])},",
        "",
    ]
    lines += [rng.choice(kind.openings.split("|"))]
    at = rng.choice([0, len(stated), rng.randint(0, len(stated))])
    if stated[:at]:
        lines += [" ".join(sentences(stated[:at], rng))]
    if stated[at:]:
        mark = rng.choice([": ", " - "])
        lines += ["", *(f"{label}{mark}{value.text}" for _, label, value in stated[at:])]
    lines += [
        "",
        rng.choice(["Best wishes,", "Kind regards", "Thanks,"]),
        rng.choice([person(rng), rng.choice(COMPANIES)]),
    ]
    return "\n".join(lines)


def log(kind: Kind, stated: Sequence[Stated], rng: random.Random) -> str:
    """All in one line."""
    cut, mark = rng.choice(["; ", " | ", " // "]), rng.choice(["=", ": "])
    told = [f"{label.lower()}{mark}{value.text}" for _, label, value in stated]
    return f"[{rng.choice(kind.titles.split('|')).lower()}] {cut.join(told)}"


LAYOUTS: tuple[Layout, ...] = (form, table, prose, mail, log)
