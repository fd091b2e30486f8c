"""Functions that a recipe names: those that ship, by their names, and the user's own. No torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean


def find_function(key: str, name: str, known: Mapping[str, Any]) -> Any:
    """The known function of that name, or the one of ``package.module:function``. UserError: there is none.

    Args:
        key: of the recipe, for the message.
    """
    if name in known:
        return known[name]
    module_name, _, function_name = name.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), function_name) if function_name else None
    except (ModuleNotFoundError, AttributeError):
        function = None
    if not callable(function):
        raise UserError(
            f"{key}={name}: there is none of that name{did_you_mean(name, known)}; write one of {', '.join(known)}, or "
            "package.module:function"
        )
    return function
