"""Compares two recordings of ``golden.py`` exactly, except for the intended changes listed in golden_changes.yaml.

State an intended change as narrowly as possible, so that it cannot hide others. An entry has a ``part`` (a glob pattern such
as certificates/*), a ``reason``, and one of

    rename: {old: new}        columns, JSON keys, or words of a help text: renamed in the old recording before comparing
    field: findings.spans     a field whose value changed (glob pattern). Optional: kind: too_long, only in findings of this
                              kind, or, for fields outside a finding, in rows with such a finding; before: and after:, only
                              these values
    digest: 0a1b2c3d4e5f      a reworded help text: the digest printed with the difference
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
#: Examples printed per field.
EXAMPLES = 5
_MATCHED = ("part", "field", "kind", "before", "after", "digest")
_WIDEST = 240


@dataclass(frozen=True)
class Selection:
    """What to record or compare; an empty set selects everything."""

    parts: frozenset[str]
    verifiers: frozenset[str]
    estimators: frozenset[str]
    #: The first rows of each corpus; 0: all.
    rows: int = 0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Selection:
        """Exits on an unknown name."""
        chosen = []
        for key, known in (("parts", KINDS), ("verifiers", VERIFIERS), ("estimators", ESTIMATORS)):
            names = frozenset[str]() if settings[key] == "all" else frozenset(settings[key].split(","))
            if names - set(known):
                sys.exit(f"{key}={settings[key]}: expected all, or some of {', '.join(known)}")
            chosen.append(names)
        parts, verifiers, estimators = chosen
        return cls(parts, verifiers, estimators, settings["rows"])

    def of(self, kind: str, names: Sequence[str]) -> list[str]:
        """The selected ones of ``names``, which are parts of one kind."""
        if self.parts and kind not in self.parts:
            return []
        few = {"metrics": self.estimators, "certificates": self.verifiers}.get(kind)
        return [name for name in names if not few or name in few]


@dataclass(frozen=True)
class Difference:
    """One value that differs between the recordings."""

    part: str
    #: The row or the training step.
    where: str
    #: A column, or a dotted path of JSON keys.
    field: str
    before: Any
    after: Any
    #: Kind of the finding that holds the value (two if the kind differs); outside a finding, all kinds of the row.
    kinds: frozenset[str] = frozenset()
    #: Of help texts: hash of the whole diff.
    digest: str = ""


@dataclass
class Change:
    """An allowed change."""

    part: str
    reason: str
    rename: Mapping[str, str] = dataclasses.field(default_factory=dict)
    field: str | None = None
    kind: str | None = None
    digest: str | None = None
    #: Required values of ``before`` and ``after``.
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    used: int = 0

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Change:
        """Raises ValueError for an entry that is unknown in form, too broad or without a reason."""
        unknown = entry.keys() - {"part", "reason", "rename", *_MATCHED}
        if unknown or not entry.get("part") or not str(entry.get("reason", "")).strip():
            raise ValueError(
                f"an allowed change has a part, a reason and some of rename, {', '.join(_MATCHED[1:])}: {dict(entry)}"
            )
        if sum(key in entry for key in ("rename", "field", "digest")) != 1:
            raise ValueError(f"an allowed change has one of rename, field and digest: {dict(entry)}")
        values = {key: entry[key] for key in ("before", "after") if key in entry}
        rest = {key: entry[key] for key in ("part", "reason", "rename", "field", "kind", "digest") if key in entry}
        return cls(**rest, values=values)

    def allows(self, difference: Difference) -> bool:
        """Whether the difference meets every condition of this entry."""
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
    """Raises ValueError for a malformed entry."""
    return [Change.from_entry(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []]


def is_same(before: Any, after: Any) -> bool:
    """Bitwise equality of JSON values: 1, 1.0 and true differ, as do 0.0 and -0.0; the order of keys does not matter."""
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)


def value_differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any, frozenset[str]]]:
    """Yields (path, before, after, kinds of the enclosing finding) for each difference between two JSON values.

    Lists of objects are compared item by item if they are equally long, other lists as a whole.
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
    """Compare rows by name. A row is a JSON object; certificates may be the row itself or its ``certificate``."""
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
    """The findings of a row and of the certificate in it."""
    if isinstance(value, dict):
        if _are_mappings(value.get("findings")):
            yield from (finding for finding in value["findings"] if "kind" in finding)
        yield from _findings(value.get("certificate"))


def text_differences(part: str, before: str, after: str) -> list[Difference]:
    """One difference per removed or added line, all with the digest of the whole diff."""
    lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0))[2:]
    digest = hashlib.blake2b("\n".join(lines).encode(), digest_size=6).hexdigest()
    changed = (line for line in lines if line[0] in "+-")
    return [
        Difference(part, "", "text", line[1:], ABSENT, digest=digest)
        if line[0] == "-"
        else Difference(part, "", "text", ABSENT, line[1:], digest=digest)
        for line in changed
    ]


def with_words(text: str, names: Mapping[str, str]) -> str:
    """Rename whole words."""
    for old, new in names.items():
        text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new.replace("\\", r"\\"), text)
    return text


def with_keys(value: Any, names: Mapping[str, str]) -> Any:
    """Rename keys at any depth. Raises ValueError if two keys would collide, as one value would be lost."""
    if isinstance(value, list):
        return [with_keys(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {names.get(key, key): with_keys(each, names) for key, each in value.items()}
    if len(changed) < len(value):
        raise ValueError(f"{dict(names)} would merge some of these keys: {', '.join(value)}")
    return changed


def compare_file(part: str, before: Path, after: Path, changes: Sequence[Change], rows: int = 0) -> list[Difference]:
    """Compare two files of one part after applying the renames. A missing file is a difference, too."""
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
    """The rows of a file by training step or id."""
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


def parts(selection: Selection) -> list[str]:
    """The names of the selected parts, quick ones first."""
    names = [f"help/{name}" for name in selection.of("help", HELP)]
    names += [f"metrics/{name}" for name in selection.of("metrics", ESTIMATORS)]
    names += selection.of("evaluate", ("evaluate",))
    return names + [f"certificates/{name}" for name in selection.of("certificates", VERIFIERS)]


def files_of(part: str) -> tuple[str, ...]:
    """What is recorded of a part."""
    kind, _, name = part.partition("/")
    return {
        "help": (f"{part}.txt",),
        "metrics": (f"{part}.csv", f"samples/{name}.jsonl"),
        "evaluate": ("evaluate.json", "evaluate.jsonl"),
        "certificates": (f"{part}.jsonl",),
    }[kind]


def stamp_of(part: str) -> str:
    """The file that holds the digests of the tree and of the inputs that a part was recorded from."""
    return f".stamps/{part.replace('/', '_')}"


def trees_of(folder: Path, names: Iterable[str]) -> set[str]:
    """The digests of the trees that parts were recorded from."""
    stamps = [folder / stamp_of(name) for name in names]
    return {_text(stamp).split()[0] for stamp in stamps if stamp.is_file()}


def split(differences: Iterable[Difference], changes: Sequence[Change]) -> tuple[list[Difference], list[Difference]]:
    """The unexpected differences and the allowed ones; the entries count what they allowed."""
    unexpected: list[Difference] = []
    expected: list[Difference] = []
    for difference in differences:
        found = next((change for change in changes if change.allows(difference)), None)
        (unexpected if found is None else expected).append(difference)
        if found is not None:
            found.used += 1
    return unexpected, expected


def described(differences: Sequence[Difference]) -> Iterator[str]:
    """The report's lines: per part the number of rows that differ, per field the count and the first examples."""
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
    """Print a report; exit with 1 if there are unexpected differences, or ``after`` mixes several states of the code."""
    selection, changes = Selection.from_settings(settings), read_changes()
    before, after = Path(settings["before"]), Path(settings["after"])
    names = [name for part in parts(selection) for name in files_of(part)]
    differences: list[Difference] = []
    for name in names:
        part = name.rpartition(".")[0]
        found = compare_file(part, before / name, after / name, changes, selection.rows)
        differences += [replace(d, where=f"{name} {d.where}") if part == "evaluate" else d for d in found]
    unexpected, expected = split(differences, changes)
    print("\n".join(described(unexpected)) or "no unexpected difference")
    for change in changes:
        count = "files renamed" if change.rename else "differences allowed"
        print(f"{change.part}: {change.used} {count}: {change.reason}")
    print(f"{len(names)} files, {len(unexpected)} unexpected and {len(expected)} allowed differences")
    is_mixed = len(trees_of(after, parts(selection))) > 1
    if is_mixed:
        print(f"after={after}: recorded from different states of the code; record it again")
    if unexpected or is_mixed:
        sys.exit(1)
