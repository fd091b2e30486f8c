"""Violations from the errors of ``jsonschema``: those of the branch that comes nearest, where a schema has branches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: Characters of a message that are shown.
SHOWN = 160


@dataclass(frozen=True)
class Violation:
    """``path``: the keys and indices that lead to the value that is broken; ``keyword``: what it breaks."""

    path: tuple[str | int, ...]
    keyword: str
    message: str
    #: Of an array, the items that are too many.
    items: tuple[int, ...] = ()
    #: The package's own error, with the schema that holds here. Two that say the same are one violation.
    error: Any = field(default=None, compare=False, repr=False)


def violations_of(error: Any) -> Iterator[Violation]:
    """The errors of the branch that comes nearest, where an error has branches."""
    if error.context and error.validator in ("anyOf", "oneOf"):
        branches: dict[Any, list[Any]] = {}
        for inner in error.context:  # a branch that is false has no path of its own
            branches.setdefault(inner.schema_path[0] if inner.schema_path else None, []).append(inner)
        best = min(branches.values(), key=lambda errors: (-max(len(e.path) for e in errors), len(errors)))
        same = [e for errors in branches.values() for e in errors if not e.path]
        if not (all(not e.path for e in best) and len(same) == len(error.context)):
            for inner in best:
                yield from violations_of(inner)
            return
    path, keyword = tuple(error.absolute_path), error.validator or "false"
    message = error.message if len(error.message) < SHOWN else f"{keyword} does not hold"
    if keyword == "not" and error.validator_value == {}:
        message = "nothing can stand here"
    items = getattr(error, "items", ())
    if keyword in ("items", "additionalItems") and error.validator_value is False:
        first = error.schema.get("prefixItems", error.schema["items"])
        items = tuple(range(len(first) if isinstance(first, list) else 0, len(error.instance)))
    yield Violation(path, keyword, message, items, error)
