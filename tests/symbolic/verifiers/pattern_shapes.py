"""The tree of a pattern in one line, for the tests of ``grammar/regex/syntax.py``; run as a script by other versions of Python.

python3.13 pattern_shapes.py PATH_OF_SYNTAX_PY < patterns.json > shapes.json
"""

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any

#: A node of one character is shown as those of these that it matches.
CHARACTERS = "abB1_ \n"
#: An assertion is shown as the places of this text at which it holds.
TEXT = "a b\n"


def shape(nodes: Any, syntax: ModuleType) -> str:
    """The nodes one after the other: sets of characters, ways, repetitions, assertions."""
    return " ".join(_shape(node, syntax) for node in nodes)


def _shape(node: Any, syntax: ModuleType) -> str:
    if isinstance(node, syntax.Character):
        return repr("".join(character for character in CHARACTERS if node.matches(character)))
    if isinstance(node, syntax.Branch):
        return f"either({' | '.join(shape(way, syntax) for way in node.ways)})"
    if isinstance(node, syntax.Repeat):
        most = "" if node.most is None else node.most
        return f"{'most' if node.is_greedy else 'least'}{{{node.least},{most}}}({shape(node.part, syntax)})"
    if isinstance(node, syntax.Look):
        name = f"{'' if node.is_positive else 'not_'}{'ahead' if node.is_ahead else f'behind_{node.width}'}"
        return f"{name}({shape(node.part, syntax)})"
    places = [at for at in range(len(TEXT) + 1) if node.holds(TEXT, at, len(TEXT))]
    return f"at{places}{' looks_ahead' * node.looks_ahead}{' looks_behind_newline' * node.looks_behind_newline}"


def main() -> None:
    spec = importlib.util.spec_from_file_location("syntax", sys.argv[1])
    assert spec is not None and spec.loader is not None
    syntax = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(syntax)
    print(json.dumps({pattern: shape(syntax.parse_pattern(pattern).nodes, syntax) for pattern in json.load(sys.stdin)}))


if __name__ == "__main__":
    main()
