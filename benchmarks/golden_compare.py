"""Two recordings of ``golden.py``, compared value by value, less what golden_changes.yaml allows.

An allowed change is as narrow as it can be said, so that nothing hides behind it. Each has the ``part`` that it is about (a
pattern, such as certificates/*), a ``reason``, and one of

    rename: {old: new}        names of columns and keys, and words of a help text, which are replaced before comparing
    field: findings.spans     a changed value; with kind: too_long where a finding of that kind is changed (for a field that is
                              no finding's: where the row has one), and with before: and after: the very values
    digest: 0a1b2c3d4e5f      a changed help text, by the digest that is printed with the difference
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

CHANGES = Path(__file__).with_name("golden_changes.yaml")
VERIFIERS = ("smiles", "molecule", "reaction", "iupac_name", "grammar", "sql", "smt", "game24", "math", "cpp")
ESTIMATORS = tuple("prefix_tree viable_prefix rloo grpo dr_grpo reward_to_go reinforce_pp vine gae etpo".split())
HELP = ("fit", "sft", "evaluate", "certify", "export", "recipe_list")
KINDS = ("help", "metrics", "evaluate", "certificates")
ABSENT = "(absent)"
#: Differences of a sort that are printed.
EXAMPLES = 5
_MATCHED = ("part", "field", "kind", "before", "after", "digest")
_WIDEST = 240


@dataclass(frozen=True)
class Selection:
    """Which parts are meant; an empty set: all."""

    parts: frozenset[str]
    verifiers: frozenset[str]
    estimators: frozenset[str]
    #: Of each corpus; 0: all.
    rows: int = 0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Selection:
        """Exits where a name is not known."""
        chosen = []
        for key, known in (("parts", KINDS), ("verifiers", VERIFIERS), ("estimators", ESTIMATORS)):
            names = frozenset[str]() if settings[key] == "all" else frozenset(settings[key].split(","))
            if names - set(known):
                sys.exit(f"{key}={settings[key]}: expected all, or some of {', '.join(known)}")
            chosen.append(names)
        parts, verifiers, estimators = chosen
        return cls(parts, verifiers, estimators, settings["rows"])

    def of(self, kind: str, names: Sequence[str]) -> list[str]:
        """Those of a kind of part that are meant."""
        if self.parts and kind not in self.parts:
            return []
        few = {"metrics": self.estimators, "certificates": self.verifiers}.get(kind)
        return [name for name in names if not few or name in few]


@dataclass(frozen=True)
class Difference:
    """One value that is another one after the change."""

    part: str
    #: The row, step or line.
    where: str
    #: Names of keys or of a column, with dots between them.
    field: str
    before: Any
    after: Any
    #: Kinds of the finding that the value is of, or of all findings of the row.
    kinds: frozenset[str] = frozenset()
    #: Of a text: of all that is changed in it.
    digest: str = ""


@dataclass
class Change:
    """An entry of the list of allowed changes."""

    part: str
    reason: str
    rename: Mapping[str, str] = dataclasses.field(default_factory=dict)
    field: str | None = None
    kind: str | None = None
    digest: str | None = None
    #: JSON values; what is not there may be anything.
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    used: int = 0

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Change:
        """Raises ValueError for an entry that allows more than it says, or gives no reason."""
        unknown = entry.keys() - {"part", "reason", "rename", *_MATCHED}
        if unknown or not entry.get("part") or not str(entry.get("reason", "")).strip():
            raise ValueError(
                f"an allowed change has part, reason and {', '.join(_MATCHED[1:])} or rename: {dict(entry)}"
            )
        if sum(key in entry for key in ("rename", "field", "digest")) != 1:
            raise ValueError(f"an allowed change has one of rename, field and digest: {dict(entry)}")
        values = {key: entry[key] for key in ("before", "after") if key in entry}
        rest = {key: entry[key] for key in ("part", "reason", "rename", "field", "kind", "digest") if key in entry}
        return cls(**rest, values=values)

    def allows(self, difference: Difference) -> bool:
        """Whether every thing that the entry says is so."""
        if self.rename or not fnmatchcase(difference.part, self.part):
            return False
        if self.digest is not None:
            return difference.digest == self.digest
        return (
            fnmatchcase(difference.field, str(self.field))
            and not difference.digest
            and (self.kind is None or self.kind in difference.kinds)
            and all(is_same(getattr(difference, name), value) for name, value in self.values.items())
        )


def read_changes(path: Path = CHANGES) -> list[Change]:
    """Raises ValueError for an entry that is none."""
    return [Change.from_entry(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []]


def is_same(before: Any, after: Any) -> bool:
    """To the last bit: 1, 1.0 and true are three values, and so are 0.0 and -0.0. The order of keys is none."""
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)


def value_differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any, frozenset[str]]]:
    """(field, before, after, kinds of the finding that it is in) of all that differs in two JSON values.

    Lists of as many mappings are gone through; of others the whole is the value.
    """
    if is_same(before, after):
        return
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(key, before.get(key, ABSENT), after.get(key, ABSENT)) for key in {**before, **after}]
    elif _are_mappings(before) and _are_mappings(after) and len(before) == len(after):
        pairs = [("", *pair) for pair in zip(before, after, strict=True)]
    if not pairs:
        yield path, before, after, frozenset()
    for key, one, other in pairs:
        kinds = frozenset(found["kind"] for found in (one, other) if isinstance(found, dict) and "kind" in found)
        for inner, was, now, own in value_differences(one, other, ".".join(filter(None, (path, key)))):
            yield inner, was, now, own or kinds


def _are_mappings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def row_differences(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Of rows by their names. A row is a mapping, perhaps with findings or with a certificate that has some."""
    if before.keys() == after.keys() and list(before) != list(after):
        yield Difference(part, "", "order of the rows", list(before), list(after))
    for where in {**before, **after}:
        one, other = before.get(where), after.get(where)
        if one is None or other is None:
            yield Difference(
                part, where, "row", ABSENT if one is None else "a row", ABSENT if other is None else "a row"
            )
            continue
        kinds = frozenset(finding["kind"] for row in (one, other) for finding in _findings(row))
        for path, was, now, own in value_differences(one, other):
            yield Difference(part, where, path, was, now, own or kinds)


def _findings(value: Any) -> Iterator[dict[str, Any]]:
    """Of a row, and of the certificates in it."""
    if isinstance(value, dict):
        if _are_mappings(value.get("findings")):
            yield from (finding for finding in value["findings"] if "kind" in finding)
        yield from _findings(value.get("certificate"))


def text_differences(part: str, before: str, after: str) -> list[Difference]:
    """One for every line that is gone or new, in their order, all with one digest."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    digest = hashlib.blake2b("\n".join(lines).encode(), digest_size=6).hexdigest()
    changed = (line for line in lines if line[0] in "+-")
    return [
        Difference(part, "", "text", line[1:], ABSENT, digest=digest)
        if line[0] == "-"
        else Difference(part, "", "text", ABSENT, line[1:], digest=digest)
        for line in changed
    ]


def with_words(text: str, names: Mapping[str, str]) -> str:
    """With other words, where they stand by themselves."""
    for old, new in names.items():
        text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new.replace("\\", r"\\"), text)
    return text


def with_keys(value: Any, names: Mapping[str, str]) -> Any:
    """With other keys in all mappings. Raises ValueError where two would become one."""
    if isinstance(value, list):
        return [with_keys(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {names.get(key, key): with_keys(each, names) for key, each in value.items()}
    if len(changed) < len(value):
        raise ValueError(f"{dict(names)} gives two of these the same name: {', '.join(value)}")
    return changed


def compare_file(part: str, before: Path, after: Path, changes: Sequence[Change], rows: int = 0) -> list[Difference]:
    """Of two files of one part, after the renames. A file that is missing is a difference."""
    missing = [name for name, path in (("before", before), ("after", after)) if not path.is_file()]
    if missing:
        there = {"before": "a file", "after": "a file"} | dict.fromkeys(missing, ABSENT)
        return [Difference(part, before.name, "file", there["before"], there["after"])]
    names: dict[str, str] = {}
    for change in changes:
        if change.rename and fnmatchcase(part, change.part):
            names.update(change.rename)
            change.used += 1
    if before.suffix == ".txt":
        return text_differences(part, with_words(_text(before), names), _text(after))
    one, other = (_rows(path, rows if part.startswith("certificates/") else 0) for path in (before, after))
    return list(row_differences(part, {key: with_keys(row, names) for key, row in one.items()}, other))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _rows(path: Path, count: int) -> dict[str, Any]:
    """Of a file: step or id -> row."""
    if path.suffix == ".json":
        return {"": json.loads(_text(path))}
    if path.suffix == ".csv":
        return {f"step {row['step']}": row for row in csv.DictReader(_text(path).splitlines())}
    rows: dict[str, Any] = {}
    lines = _text(path).splitlines()
    for number, line in enumerate(lines[:count] if count else lines):
        row = json.loads(line)
        rows[f"step {row['step']}, line {number + 1}" if "step" in row else str(row.get("id", number + 1))] = row
    return rows


def files(selection: Selection) -> Iterator[tuple[str, str]]:
    """(part, file) of all that is recorded."""
    for name in selection.of("help", HELP):
        yield f"help/{name}", f"help/{name}.txt"
    for name in selection.of("metrics", ESTIMATORS):
        yield f"metrics/{name}", f"metrics/{name}.csv"
        yield f"samples/{name}", f"samples/{name}.jsonl"
    for name in selection.of("evaluate", ("evaluate.json", "evaluate.jsonl")):
        yield "evaluate", name
    for name in selection.of("certificates", VERIFIERS):
        yield f"certificates/{name}", f"certificates/{name}.jsonl"


def split(differences: Iterable[Difference], changes: Sequence[Change]) -> tuple[list[Difference], list[Difference]]:
    """Those that are not explained, and those that are, whose entries count them."""
    unexplained: list[Difference] = []
    explained: list[Difference] = []
    for difference in differences:
        found = next((change for change in changes if change.allows(difference)), None)
        (unexplained if found is None else explained).append(difference)
        if found is not None:
            found.used += 1
    return unexplained, explained


def described(differences: Sequence[Difference]) -> Iterator[str]:
    """Lines for a terminal: of each part how many rows differ and by what, with the first ones of every sort."""
    by_part: dict[str, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_part[difference.part].append(difference)
    for part, found in by_part.items():
        if found[0].digest:
            yield f"{part}: the text differs (digest: {found[0].digest})"
            yield from (
                f"    {'-' if d.after == ABSENT else '+'} {d.before if d.after == ABSENT else d.after}" for d in found
            )
            continue
        first = f"first in {found[0].field} at {found[0].where or 'the whole'}"
        yield f"{part}: {len({d.where for d in found})} rows differ, {first}"
        for name, count in Counter(d.field for d in found).most_common():
            alike = [d for d in found if d.field == name]
            kinds = Counter(kind for d in alike for kind in d.kinds).most_common(EXAMPLES)
            with_kinds = f" ({', '.join(f'{kind} {number}' for kind, number in kinds)})" if kinds else ""
            yield f"  {name}: {count} times in {len({d.where for d in alike})} rows{with_kinds}"
            yield from (f"    {d.where}: {_short(d.before)} -> {_short(d.after)}" for d in alike[:EXAMPLES])


def _short(value: Any) -> str:
    text = value if value == ABSENT else json.dumps(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST // 2]} ... {text[-_WIDEST // 2 :]}"


def run(settings: Mapping[str, Any]) -> None:
    """Print all differences; exit with 1 where some are not explained."""
    selection, changes = Selection.from_settings(settings), read_changes()
    before, after = Path(settings["before"]), Path(settings["after"])
    differences: list[Difference] = []
    for part, name in files(selection):
        found = compare_file(part, before / name, after / name, changes, selection.rows)
        differences += [replace(d, where=f"{name} {d.where}") if part == "evaluate" else d for d in found]
    unexplained, explained = split(differences, changes)
    print("\n".join(described(unexplained)) or "no difference that is not explained")
    for change in changes:
        what = "renamed in" if change.rename else "allowed:"
        print(f"{change.part}: {what} {change.used}: {change.reason}")
    print(
        f"{len(list(files(selection)))} files, {len(unexplained)} differences, and {len(explained)} that are explained"
    )
    if unexplained:
        sys.exit(1)
