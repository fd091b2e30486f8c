"""Strict JSON by the standard library's reader, without what that accepts beyond JSON."""

from __future__ import annotations

import json
import math
from typing import Any


def read_strictly(text: str) -> tuple[Any, Exception | None]:
    """(value, why it is no JSON)."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)

    def finite(written: str) -> float:
        if math.isinf(float(written)):
            raise ValueError("too large a number")
        return float(written)

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique, parse_float=finite), None
    except (ValueError, RecursionError) as error:
        return None, error


def depth_of(value: Any) -> int:
    """How deep arrays and objects are nested."""
    deepest, level = 0, [value]
    while level := [item for item in level if isinstance(item, list | dict)]:
        deepest += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return deepest
