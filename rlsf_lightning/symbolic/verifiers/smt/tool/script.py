"""The script for z3: the task and the completion's commands, and how z3's answers are read.

Names stand for themselves as numbers in these scripts; models come back under the names of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.verifiers.smt.language.reader import Node
from rlsf_lightning.symbolic.verifiers.smt.language.terms import (
    Command,
    Symbol,
    declaration_text,
    definition_text,
    text_of,
)
from rlsf_lightning.symbolic.verifiers.smt.task import Property, Task

CHECK = "(check-sat)"
_IDENT = re.compile(r"\bv[0-9]+\b")
#: A literal of Bool, Int, Real or a bit-vector, as z3 writes values.
_LITERAL = re.compile(
    r"true|false|[0-9.]+|#[bx][0-9a-fA-F]+|\(- [0-9.]+\)|\(/ [0-9.]+ [0-9.]+\)|\(- \(/ [0-9.]+ [0-9.]+\)\)"
)


def meanings(task: Task, commands: Sequence[Command], swap: Mapping[int, str] | None = None) -> str:
    """Every name of the task and of the completion, for after ``task.before``: what is not defined is declared."""
    defined = {command.symbol.ident for command in commands if command.symbol is not None}
    texts = [declaration_text(symbol) for symbol in task.to_define if symbol.ident not in defined]
    for command in commands:
        if command.symbol is not None and command.term is not None:
            texts.append(definition_text(command.symbol, text_of(command.term, swap)))
        elif command.term is None:
            texts.append(command.text)
    return "".join(texts) + task.after


def asserted(commands: Iterable[Command], swap: Mapping[int, str] | None = None) -> str:
    """The assertions among the commands."""
    return "".join(f"(assert {text_of(c.term, swap)})" for c in commands if c.name == "assert" and c.term is not None)


def required(task: Task) -> str:
    """All properties, asserted."""
    return "".join(f"(assert {text_of(property.term)})" for property in task.properties)


def denied(property: Property) -> str:
    """What a counterexample makes true."""
    return f"(assert (not {text_of(property.term)}))"


def within(text: str, *, asking: str = CHECK) -> str:
    """The text and a question, leaving nothing behind."""
    return f"(push){text}{asking}(pop)\n"


def words_of(answers: list[Node]) -> list[str]:
    """The answers as text."""
    return [node.text for node in answers]


def settled(answers: list[Node], count: int) -> list[str]:
    """The answers of this many checks. Raises ToolFailed where z3 gave up."""
    words = [node.text for node in answers if node.kind == "symbol"]
    if len(words) != count or any(word not in ("sat", "unsat") for word in words):
        raise ToolFailed("z3 came to no end within its limits")
    return words


def is_readable(node: Node) -> bool:
    """Whether a value is a literal that can be written again."""
    return _LITERAL.fullmatch(" ".join(node.text.split())) is not None


def model_of(answers: list[Node]) -> dict[str, Node]:
    """The definitions of z3's model, by number."""
    lists = [node for node in answers if node.kind == "list"]
    found = lists[-1].items if lists else []
    return {node.items[1].text: node for node in found if node.head == "define-fun" and len(node.items) == 5}


def fixed(model: Mapping[str, Node], symbols: Iterable[Symbol]) -> str:
    """The constants at their values, where these can be written."""
    return "".join(
        f"(assert (= {symbol.ident} {model[symbol.ident].items[4].text}))"
        for symbol in symbols
        if not symbol.parameters and symbol.ident in model and is_readable(model[symbol.ident].items[4])
    )


def named(model: Mapping[str, Node], symbols: Iterable[Symbol], room: int) -> dict[str, str]:
    """The model as JSON: values of constants, definitions of functions, under the names of the text, while there is room."""
    names = {symbol.ident: symbol.text for symbol in symbols}
    shown: dict[str, str] = {}
    for symbol in symbols:
        node = model.get(symbol.ident)
        if node is None:
            continue
        text = " ".join((node if symbol.parameters else node.items[4]).text.split())
        text = _IDENT.sub(lambda match: names.get(match.group(), match.group()), text)
        room -= len(text) + len(symbol.name)
        if room >= 0:
            shown[symbol.name] = text
    return shown
