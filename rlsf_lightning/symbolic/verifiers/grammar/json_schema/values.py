"""JSON values under a schema: equality, exact multiples, and patterns."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rlsf_lightning.symbolic.verifiers.grammar.json_schema.ecma import to_python
from rlsf_lightning.symbolic.verifiers.grammar.regex.matcher import Regex


@lru_cache(maxsize=256)
def pattern(text: str) -> Regex:
    """A pattern of a schema, as ECMA-262 has it where Python differs: ``$`` is the very end, digits are those of ASCII.

    Raises ValueError for what is no pattern, or not covered.
    """
    return Regex(to_python(text), re.ASCII, dollar_is_end=True)


def canonical(value: Any) -> str:
    """Equal for equal JSON values and only for those: 1 is 1.0, the order of keys does not count, true is not 1."""
    return json.dumps(_plain(value), sort_keys=True)


def equal_to(value: Any) -> dict[str, Any]:
    """A schema that this value alone satisfies, which speaks of each of its fields for itself."""
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {name: equal_to(item) for name, item in value.items()},
            "required": list(value),
            "additionalProperties": False,
        }
    if isinstance(value, list):
        items = {"prefixItems": [equal_to(item) for item in value]} if value else {}
        return {"type": "array", **items, "items": False, "minItems": len(value)}
    return {"const": value}


def is_multiple(value: int | float, step: int | float) -> bool:
    """Exact, as the numbers are written: 0.3 is a multiple of 0.1."""
    return Fraction(repr(value)) % Fraction(repr(step)) == 0


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value
