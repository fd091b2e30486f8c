"""The ``key=value`` arguments of these scripts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any


def read(arguments: Sequence[str], defaults: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The settings, each of its default's type, and the keys that were given."""
    settings, given = dict(defaults), set()
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in settings:
            sys.exit(f"{argument}: expected one of {', '.join(f'{k}={v}' for k, v in settings.items())}")
        settings[key] = type(settings[key])(value)
        given.add(key)
    return settings, given
