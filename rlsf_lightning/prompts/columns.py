"""From a row of a file to a prompt: which columns are its text, answer, target and facts, and what they are made into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlsf_lightning.config.template import filled, names_in
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.readers import Row, Spelt
from rlsf_lightning.records import Prompt
from rlsf_lightning.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Data

_TYPES: Mapping[str, Callable[[str], Any]] = {"int": int, "float": float, "text": str, "json": json.loads}
_EXAMPLE = 'numbers: {column: Puzzles, split: " ", type: int}, or target: {value: 24}'


@dataclass(frozen=True)
class Fact:
    """What one fact is: a constant, or a column, cut at ``split`` and converted."""

    name: str
    column: str | None = None
    value: Any = None
    split: str | None = None
    type: str | None = None

    def of(self, row: Row, place: str) -> Any:
        """The fact of a row. UserError: the cell is not of its type."""
        if self.column is None:
            return self.value
        cell = row.cells.get(self.column)
        if self.type is None and self.split is None:
            return as_json(cell)
        text = as_text(as_json(cell))
        try:
            convert = _TYPES[self.type or "text"]
            if self.split is None:
                return convert(text.strip())
            return [convert(part.strip()) for part in text.split(self.split or None) if part.strip()]
        except ValueError:
            kind = f"{self.type}, cut at {self.split!r}" if self.split is not None else self.type
            raise UserError(
                f"{place}: `{self.column}` is {text[:60]!r}, not {kind}; see data.columns.facts.{self.name}"
            ) from None


def facts_of(spec: Any) -> list[Fact]:
    """``data.columns.facts``: a list of columns, or a mapping of facts. UserError for anything else."""
    if isinstance(spec, Mapping):
        return [_fact(str(name), how) for name, how in spec.items()]
    if isinstance(spec, str) or not all(isinstance(name, str) for name in spec or ()):
        raise UserError(f"data.columns.facts={spec}: expects a list of columns, or a mapping such as {_EXAMPLE}")
    return [Fact(name, column=name) for name in spec or ()]


def _fact(name: str, how: Any) -> Fact:
    if isinstance(how, str):
        return Fact(name, column=how)
    told = f"data.columns.facts.{name}={how}"
    if not isinstance(how, Mapping) or ("column" in how) == ("value" in how):
        raise UserError(f"{told}: expects a column, or such as {_EXAMPLE}")
    for key in how:
        if key not in ("column", "value", "split", "type"):
            raise UserError(
                f"{told}: no key `{key}`{did_you_mean(str(key), ['column', 'value', 'split', 'type'])}; {_EXAMPLE}"
            )
    kind = how.get("type")
    if kind is not None and kind not in _TYPES:
        raise UserError(f"{told}: type expects one of {', '.join(_TYPES)}{did_you_mean(str(kind), list(_TYPES))}")
    return Fact(name, **how)


class RowReader:
    """Makes prompts of the rows of a file. UserError: settings that cannot be."""

    def __init__(self, data: Data) -> None:
        self.columns, self.template = data.columns, data.template
        self.facts = facts_of(data.columns.facts)
        made = {"prompt", *(fact.name for fact in self.facts)}
        self.shown = [name for name in names_in(data.template) if name not in made]
        for name in self.shown:
            if name in (self.columns.reference, self.columns.target) and name != self.columns.prompt:
                raise UserError(
                    f"data.template: {{{name}}} is the answer, which the model would be shown; remove it from the template"
                )
        self.split_column, self.split_by = data.split_column, data.split_by

    def check(self, told: str, row: Row) -> None:
        """Raise UserError unless the row has every column. ``told``: the file, as messages begin with it."""
        seen = [str(name) for name in row.cells]
        for key, column in self._wanted():
            if column in row.cells or (key == "prompt" and not self._names_prompt()):
                continue
            near = (nearest(column, seen) or ["NAME"])[0]
            line = {"facts": f"set data.columns.facts=[{near}]", "template": f"write {{{near}}} in data.template"}
            line |= {key: f"set data.{key}={near}" for key in ("split_column", "split_by")}
            none = " (data.columns.reference=null where there are no answers)" if key == "reference" else ""
            what = "column or fact" if key == "template" else "column"
            raise UserError(
                f"{told}: no {what} `{column}`{did_you_mean(column, seen)}\ncolumns: {', '.join(seen)}\n"
                f"{line.get(key, f'set data.columns.{key}={near}')}{none}"
            )
        self.text(told, row)
        for answer in (self.columns.reference, self.columns.target):
            if answer is not None:
                cell(told, row, answer)

    def _wanted(self) -> Iterator[tuple[str, str]]:
        """Every column that is read, with the key that asks for it."""
        yield "prompt", self.columns.prompt
        yield from (
            (key, value) for key in ("reference", "target") if (value := getattr(self.columns, key)) is not None
        )
        yield from (("facts", fact.column) for fact in self.facts if fact.column is not None)
        yield from (("template", name) for name in self.shown)
        own = {"split_column": self.split_column, "split_by": self.split_by}
        yield from ((key, name) for key, name in own.items() if name is not None)

    def _names_prompt(self) -> bool:
        return "prompt" in names_in(self.template)

    def text(self, told: str, row: Row) -> str:
        """The prompt: of its column, or where there is none and the template does not ask for it, the filled template."""
        if self.columns.prompt in row.cells or self._names_prompt():
            return cell(told, row, self.columns.prompt)
        facts = {fact.name: fact for fact in self.facts}
        return filled(
            self.template,
            lambda name: as_text(facts[name].of(row, told) if name in facts else as_json(row.cells.get(name))),
        )

    def empty_column(self, told: str, row: Row) -> str:
        """The column for which a row becomes no prompt."""
        answers = (self.columns.reference, self.columns.target)
        return next((one for one in answers if one is not None and not cell(told, row, one)), self.columns.prompt)

    def prompt(self, identity: str, told: str, row: Row) -> Prompt | None:
        """The prompt of a row; None where it has an empty cell in the place of its text or answer."""
        text = self.text(told, row)
        reference, target = (
            None if column is None else cell(told, row, column)
            for column in (self.columns.reference, self.columns.target)
        )
        if not text or reference == "" or target == "":
            return None
        place = f"{told}: {row.place}"
        return Prompt(
            identity,
            text,
            reference=reference,
            target=target,
            facts={fact.name: fact.of(row, place) for fact in self.facts},
            columns={name: as_json(row.cells.get(name)) for name in self.shown},
        )


def cell(told: str, row: Row, column: str) -> str:
    """The cell as text, empty where there is none."""
    value = row.cells.get(column)
    if isinstance(value, list | dict | bytes):
        raise UserError(f"{told}: {row.place}: `{column}` holds a {type(value).__name__}, not text")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


def as_json(value: Any) -> Any:
    """A cell as JSON would give it: in a file of JSON rows the numbers, which were kept as they are spelt, are numbers."""
    if isinstance(value, dict):
        return {name: as_json(below) for name, below in value.items()}
    if isinstance(value, list):
        return [as_json(below) for below in value]
    return value.number if isinstance(value, Spelt) else value


def as_text(value: Any) -> str:
    """A cell or fact in a template: text as it stands, nothing for nothing, anything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def fill_template(template: str, prompt: Prompt) -> str:
    """``data.template`` with the prompt, its facts and its columns in it. UserError: it names something else."""

    def value_of(name: str) -> str:
        if name == "prompt":
            return prompt.text
        known = {**prompt.facts, **prompt.columns}
        if name not in known:
            names = ["prompt", *known]
            raise UserError(
                f"data.template: no column or fact `{name}`{did_you_mean(name, names)} (there are {', '.join(names)}; "
                f"for literal braces write {{{{{name}}}}})"
            )
        return as_text(known[name])

    return filled(template, value_of)
