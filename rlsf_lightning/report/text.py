"""Text that a model or a stranger wrote, made harmless to read: no invisible characters, no end beyond a bound."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

#: Characters of a completion, prompt or reference that are shown.
MOST = 4000
#: Characters of a name, kind or message.
MOST_OF_A_LINE = 300
#: Categories that show nothing or change what stands beside them: controls, formats (bidi), surrogates, separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """The text with every character that cannot be seen written as its number; line feeds stay, tabs too."""
    return "".join(
        f"⟨U+{ord(c):04X}⟩" if c not in "\n\t" and unicodedata.category(c) in _INVISIBLE else c for c in text
    )


def line(value: Any, most: int = MOST_OF_A_LINE) -> str:
    """A name or message on one line, visible and bounded."""
    text = str(value)
    shown = visible(" ".join(text[:most].split()))
    return shown if len(text) <= most else f"{shown} …"


def block(value: Any, most: int = MOST) -> str:
    """A prompt or a reference with its lines, visible and bounded; says what it leaves out."""
    text = str(value)
    left = len(text) - most
    return visible(text[:most]) + (f" … ({left} more characters)" if left > 0 else "")


def json_for_html(value: Any) -> str:
    """JSON that ends no ``<script>`` block: ASCII alone, no ``<``, ``>`` and ``&``. ValueError: a number is not finite."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
