"""Golden recordings: every change is reported, and an allowed change hides nothing but itself."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import golden  # noqa: E402
import golden_compare as compare  # noqa: E402
from golden_compare import ABSENT, Change, Difference, Selection  # noqa: E402

from rlsf_lightning.records import Prompt  # noqa: E402

ROW = {
    "id": "0001 wrong",
    "verdict": "fail",
    "score": 0.5,
    "dead_from": 3,
    "findings": [
        {"kind": "syntax", "message": "a bracket is open", "spans": [[0, 1]], "weight": 1.0},
        {"kind": "too_long", "message": "too long", "spans": [[3, 9]], "weight": 1.0},
    ],
    "witness": {"canonical": "CCO"},
    "tool": "RDKit",
    "version": "1",
    "tokens": [
        {"text": "C", "span": [0, 1], "reward": 0.0, "credited": False},
        {"text": "C", "span": [1, 2], "reward": -1.0, "credited": True},
    ],
}
METRICS = "epoch,loss/policy,step\n0,0.25,0\n0,0.125,1\n"


def changed(path: str, value: Any) -> dict[str, Any]:
    """A copy of ROW with another value at ``path``."""
    row: Any = json.loads(json.dumps(ROW))
    *way, last = (int(name) if name.isdigit() else name for name in path.split("."))
    place = row
    for name in way:
        place = place[name]
    place[last] = value
    return row


def found_in(part: str, before: Any, after: Any) -> list[Difference]:
    return list(compare.row_differences(part, {"0001": before}, {"0001": after}))


def allowed(**entry: Any) -> Change:
    return Change.from_entry({"part": "certificates/*", "reason": "on purpose", **entry})


@pytest.mark.parametrize(
    ("path", "value", "field", "kinds"),
    [
        ("verdict", "abstain", "verdict", {"syntax", "too_long"}),
        ("score", 0.25, "score", {"syntax", "too_long"}),
        ("dead_from", None, "dead_from", {"syntax", "too_long"}),
        ("findings.0.kind", "valence", "findings.kind", {"syntax", "valence"}),
        ("findings.1.message", "very long", "findings.message", {"too_long"}),
        ("findings.1.spans", [[4, 9]], "findings.spans", {"too_long"}),
        ("findings.0.weight", 1, "findings.weight", {"syntax"}),
        ("findings", [], "findings", {"syntax", "too_long"}),
        ("witness.canonical", "OCC", "witness.canonical", {"syntax", "too_long"}),
        ("witness", {}, "witness.canonical", {"syntax", "too_long"}),
        ("version", "2", "version", {"syntax", "too_long"}),
        ("tokens.1.reward", -0.5, "tokens.reward", {"syntax", "too_long"}),
        ("tokens.0.reward", -0.0, "tokens.reward", {"syntax", "too_long"}),
        ("extra", 1, "extra", {"syntax", "too_long"}),
    ],
)
def test_every_changed_field_of_a_row_is_found(path: str, value: Any, field: str, kinds: set[str]) -> None:
    (found,) = found_in("certificates/smiles", ROW, changed(path, value))
    assert (found.where, found.field, found.kinds) == ("0001", field, kinds)


def test_a_row_that_is_the_same_does_not_differ_whatever_the_order_of_its_keys() -> None:
    assert not found_in("certificates/smiles", ROW, dict(reversed(ROW.items())))


def test_rows_that_are_missing_new_or_in_another_order_are_found() -> None:
    (gone,) = compare.row_differences("p", {"1": ROW, "2": ROW}, {"1": ROW})
    assert (gone.where, gone.field, gone.before, gone.after) == ("2", "row", "a row", ABSENT)
    (new,) = compare.row_differences("p", {"1": ROW}, {"1": ROW, "2": ROW})
    assert (new.where, new.before, new.after) == ("2", ABSENT, "a row")
    (order,) = compare.row_differences("p", {"1": ROW, "2": ROW}, {"2": ROW, "1": ROW})
    assert order.field == "order of the rows"


def test_findings_of_a_certificate_within_a_sample_tell_their_kind() -> None:
    before = {"step": 0, "certificate": ROW}
    (found,) = found_in("samples/gae", before, {"step": 0, "certificate": changed("findings.1.spans", [])})
    assert (found.field, found.kinds) == ("certificate.findings.spans", {"too_long"})
    (found,) = found_in("samples/gae", before, {"step": 1, "certificate": ROW})
    assert (found.field, found.kinds) == ("step", {"syntax", "too_long"})


@pytest.mark.parametrize(
    ("before", "after"), [(1, 1.0), (1, True), (0.0, -0.0), (0.1, 0.1 + 1e-17 * 2), (None, "null")]
)
def test_values_are_compared_to_the_last_bit(before: Any, after: Any) -> None:
    assert compare.is_same(before, before) and compare.is_same(before, after) is (repr(before) == repr(after))


def recorded(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_changed_metric_and_a_changed_column_are_found(tmp_path: Path) -> None:
    before = recorded(tmp_path, "before.csv", METRICS)
    after = recorded(tmp_path, "after.csv", METRICS.replace("0.125", "0.1250001"))
    (found,) = compare.compare_file("metrics/gae", before, after, [])
    assert (found.where, found.field, found.before, found.after) == ("step 1", "loss/policy", "0.125", "0.1250001")
    after = recorded(tmp_path, "renamed.csv", METRICS.replace("loss/policy", "loss/actor"))
    assert {d.field for d in compare.compare_file("metrics/gae", before, after, [])} == {"loss/policy", "loss/actor"}


def test_a_renamed_column_hides_no_changed_value(tmp_path: Path) -> None:
    before = recorded(tmp_path, "before.csv", METRICS)
    rename = Change.from_entry({"part": "metrics/*", "rename": {"loss/policy": "loss/actor"}, "reason": "its name"})
    text = METRICS.replace("loss/policy", "loss/actor")
    assert not compare.compare_file("metrics/gae", before, recorded(tmp_path, "a.csv", text), [rename])
    wrong = recorded(tmp_path, "b.csv", text.replace("0.125", "0.5"))
    (found,) = compare.compare_file("metrics/gae", before, wrong, [rename])
    assert (found.where, found.field, found.after) == ("step 1", "loss/actor", "0.5")
    assert len(compare.compare_file("other/gae", before, recorded(tmp_path, "a.csv", text), [rename])) == 4


def test_a_rename_that_loses_a_value_is_refused() -> None:
    assert compare.with_keys([{"a": {"a": 1}}], {"a": "b"}) == [{"b": {"b": 1}}]
    with pytest.raises(ValueError, match="merge some of these keys: a, b"):
        compare.with_keys({"a": 1, "b": 2}, {"a": "b"})


def test_a_changed_line_of_a_help_text_is_found_and_allowed_only_as_it_is() -> None:
    (gone, new) = compare.text_differences("help/fit", "a\nlocate: why\nc\n", "a\nexplain: why\nc\n")
    assert (gone.before, new.after) == ("locate: why", "explain: why") and gone.digest == new.digest
    allow = Change.from_entry({"part": "help/fit", "digest": gone.digest, "reason": "another word"})
    assert compare.split([gone, new], [allow]) == ([], [gone, new])
    (newline,) = compare.text_differences("help/fit", "a\n", "a")
    assert (newline.before, newline.after) == ("", ABSENT)
    other = compare.text_differences("help/fit", "a\nlocate: why\nc\n", "a\nexplain: why\nd\n")
    assert compare.split(other, [allow]) == (other, [])


def test_a_renamed_word_of_a_help_text_hides_no_other_line(tmp_path: Path) -> None:
    before = recorded(tmp_path, "before.txt", "locate=true\nlocated credit\n")
    rename = Change.from_entry({"part": "help/*", "rename": {"locate": "explain"}, "reason": "one name for all"})
    after = recorded(tmp_path, "after.txt", "explain=true\nlocated credit\n")
    assert not compare.compare_file("help/certify", before, after, [rename])
    after = recorded(tmp_path, "after.txt", "explain=false\nlocated credit\n")
    assert [d.after for d in compare.compare_file("help/certify", before, after, [rename])] == [ABSENT, "explain=false"]


def test_an_allowed_value_hides_no_other_field_kind_value_or_part() -> None:
    spans = changed("findings.1.spans", [])
    (wanted,) = found_in("certificates/sql", ROW, spans)
    for entry in (
        {"field": "findings.spans"},
        {"field": "findings.spans", "kind": "too_long"},
        {"field": "findings.spans", "kind": "too_long", "before": [[3, 9]], "after": []},
    ):
        assert allowed(**entry).allows(wanted), entry
    for entry in (
        {"field": "findings.message", "kind": "too_long"},
        {"field": "findings.spans", "kind": "syntax"},
        {"field": "findings.spans", "kind": "too_long", "after": [[3, 8]]},
        {"field": "findings.spans", "part": "certificates/smt"},
        {"field": "findings.spans", "part": "samples/*"},
        {"digest": "0a1b2c3d4e5f"},
        {"rename": {"findings.spans": "spans"}},
    ):
        assert not allowed(**entry).allows(wanted), entry
    spans["verdict"] = "abstain"
    unexpected, expected = compare.split(found_in("certificates/sql", ROW, spans), [allowed(field="findings.spans")])
    assert [d.field for d in unexpected] == ["verdict"] and expected == [wanted]


@pytest.mark.parametrize(
    "entry",
    [
        {"part": "help/fit", "reason": "all of it"},
        {"part": "help/fit", "field": "text"},
        {"field": "score", "reason": "everywhere"},
        {"part": "help/fit", "field": "text", "digest": "00", "reason": "two"},
        {"part": "help/fit", "field": "text", "reason": "typo", "befor": 1},
    ],
)
def test_an_allowed_change_says_what_and_why(entry: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an allowed change has"):
        Change.from_entry(entry)


def test_the_allowed_changes_of_the_repository_can_be_read() -> None:
    for change in compare.read_changes():
        assert change.reason


def test_the_report_counts_rows_fields_and_kinds_and_shows_few(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "CHANGES", recorded(tmp_path, "none.yaml", "[]"))
    rows = [{**ROW, "id": f"{n:04}"} for n in range(9)]
    wrong = [{**changed("findings.1.spans", []), "id": f"{n:04}"} for n in range(8)] + rows[8:]
    for folder, written in (("before", rows), ("after", wrong)):
        text = "".join(json.dumps(row) + "\n" for row in written)
        recorded(tmp_path / folder, "certificates/sql.jsonl", text)
    settings = {**golden.SELECTION, "parts": "certificates", "verifiers": "sql"}
    settings |= {"before": str(tmp_path / "before"), "after": str(tmp_path / "after")}
    with pytest.raises(SystemExit, match="1"):
        compare.run(settings)
    printed = capsys.readouterr().out
    assert "certificates/sql: 8 rows differ, first in findings.spans at 0000" in printed
    assert "findings.spans: 8 times in 8 rows (too_long 8)" in printed
    assert printed.count("[[3, 9]] -> []") == compare.EXAMPLES
    compare.run({**settings, "after": str(tmp_path / "before")})
    assert "no unexpected difference" in capsys.readouterr().out
    recorded(tmp_path / "before", "certificates/smt.jsonl", "")
    for part, tree in (("certificates/sql", "0a"), ("certificates/smt", "0b")):
        recorded(tmp_path / "before", compare.stamp_of(part), f"{tree} inputs\n")
    with pytest.raises(SystemExit, match="1"):
        compare.run({**settings, "after": str(tmp_path / "before"), "verifiers": "sql,smt"})
    assert "different states of the code" in capsys.readouterr().out
    (tmp_path / "before" / "certificates" / "smt.jsonl").unlink()
    with pytest.raises(SystemExit, match="1"):
        compare.run({**settings, "verifiers": "smt"})
    assert "file: 1 times" in capsys.readouterr().out, "a missing recording goes unnoticed"


def test_the_selection_takes_some_of_every_kind() -> None:
    chosen = Selection.from_settings({**golden.SELECTION, "parts": "metrics,help", "estimators": "gae", "rows": 3})
    names = compare.parts(chosen)
    assert names == [*(f"help/{name}" for name in compare.HELP), "metrics/gae"] and chosen.rows == 3
    assert compare.files_of("metrics/gae") == ("metrics/gae.csv", "samples/gae.jsonl")
    with pytest.raises(SystemExit, match="verifiers=sqi"):
        Selection.from_settings({**golden.SELECTION, "verifiers": "sqi"})


def test_what_measures_time_is_left_out_and_nothing_else() -> None:
    row = {"id": 1, "verdict": "pass", "seconds": 0.1, "key": "0a", "witness": {"seconds": 3}, "tokens": [{"key": "C"}]}
    kept = json.loads(golden.without_times(json.dumps(row) + "\n"))
    assert kept == {"id": 1, "verdict": "pass", "witness": {"seconds": 3}, "tokens": [{"key": "C"}]}
    sample = {"certificate": {"verdict": "pass", "seconds": 1, "score": 1.0}, "completion": "a\u2028b", "seconds": 2}
    line = json.dumps(sample, ensure_ascii=False)
    assert json.loads(golden.without_times(line)) == {**sample, "certificate": {"verdict": "pass", "score": 1.0}}
    text = "kl,seconds/score,step,verify_wait\n0.5,1.5,0,0.1\n"
    assert golden.without_timed_columns(text) == "kl,step\n0.5,0\n"


def test_a_row_of_the_corpus_keeps_every_fact() -> None:
    prompt = Prompt("1", "make 24", "24", facts={"numbers": [1, 2], "target": 0.5})
    assert golden.row("0001 right", prompt, "1+2") == {
        "id": "0001 right", "prompt": "make 24", "completion": "1+2", "reference": "24", "numbers": [1, 2], "target": 0.5,
    }  # fmt: skip
    for facts in ({"numbers": (1, 2)}, {"id": "7"}, {"most": float("inf")}):
        with pytest.raises(ValueError):
            golden.row("0001 right", Prompt("1", "", facts=facts), "")


@pytest.mark.parametrize("name", ["game24", "sql", "molecule"])
def test_half_of_a_corpus_is_right_and_half_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RLSF_DATA", raising=False)
    rows = list(golden.corpus_rows(name, 12, seed=0))
    words = [re.split("[ ,:]", row["id"], maxsplit=2)[1] for row in rows]
    assert words[:12] == ["right"] * 6 + ["wrong"] * 6 and {"right", "wrong"}.isdisjoint(words[12:])
    assert rows == list(golden.corpus_rows(name, 12, seed=0)), "the same seed makes the same rows"
    assert all(len(row["completion"]) < golden.LONGEST for row in rows)
    assert rows == json.loads(json.dumps(rows))


def test_a_part_that_fails_leaves_no_older_recording_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**golden.RECORD, "to": str(tmp_path), "parts": "help"}
    monkeypatch.setattr(golden.Tree, "at", lambda root, hash_seed: golden.Tree(root, hash_seed, "0a"))
    monkeypatch.setattr(golden.Tree, "command", lambda tree, name, words, folder: f"{name} {words}\n")
    golden.record(settings)
    assert (tmp_path / "help" / "recipe_list.txt").read_text() == "fit ['recipe=list']\n"

    def fail(*arguments: object) -> str:
        raise RuntimeError("exit status 1")

    monkeypatch.setattr(golden.Tree, "command", fail)
    golden.record(settings)  # the same code: nothing is recorded again
    assert (tmp_path / "help" / "fit.txt").exists()
    monkeypatch.setattr(golden.Tree, "at", lambda root, hash_seed: golden.Tree(root, hash_seed, "0b"))
    with pytest.raises(SystemExit, match="not recorded: help/fit"):
        golden.record(settings)
    assert not list((tmp_path / "help").iterdir())
