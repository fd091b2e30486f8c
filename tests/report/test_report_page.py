"""The page: nothing that a model or a file says becomes more of it than text."""

import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from injections import INJECTIONS
from report_cases import METRICS, certificate, measured, record, run_folder, summary

pytest.importorskip("plotly")
from rlsf_lightning.report import page
from rlsf_lightning.report.read import read_run
from rlsf_lightning.report.text import json_for_html, visible


@pytest.fixture(autouse=True)
def _small_library(monkeypatch):
    monkeypatch.setattr(page, "_library", lambda: ("var Plotly;", ["guard"]))


class Outline(HTMLParser):
    """Tags with their attributes, and the text of the JSON block."""

    def __init__(self, html):
        super().__init__()
        self.tags = Counter()
        self.attributes = set()
        self.data, self.is_data = "", False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.is_data = ("id", "data") in attrs

    def handle_data(self, data):
        if self.is_data:
            self.data += data

    def handle_endtag(self, tag):
        self.is_data = False


def hostile_run(folder, texts):
    """A run in which every text comes in as completion, prompt, reference, id, kind, message, reason, metric and name."""
    records = []
    for number, text in enumerate(texts):
        judged = certificate(
            "fail", (f"kind {number}", "told", [[0, 1]]), ("syntax", text, [[0, 2], [1, 9**9]]), dead=0
        )
        records.append(record(text, judged, step=number, prompt=text, reference=text, id=text))
        records.append(record("CC", certificate("fail", (text, text, [[0, 1]]), dead=0), step=number))
        records.append(record("CC", certificate("abstain", witness={"error": text}), step=number))
    metrics = [*METRICS, *({"step": str(20 + i), "epoch": "0", f"reward/{i}": "1"} for i, _ in enumerate(texts))]
    found = run_folder(folder, records, hostile_summary(texts), metrics)
    names = ",".join('"' + f"loss/{t[:200]}".replace('"', '""') + '"' for t in texts[:40])
    with (found / "metrics.csv").open("w", encoding="utf-8", errors="replace") as file:
        file.write(f"step,{names}\n0,{','.join('1' for _ in texts[:40])}\n")
    return found


def hostile_summary(texts):
    names = [f"metric {t[:100]}" for t in texts[:30]]
    return {
        **summary(),
        "n": texts[0],
        "split": texts[0],
        "steps": texts[0],
        "before": dict.fromkeys(names, measured(0.5)),
        "after": dict.fromkeys(names, measured(0.5)),
        "difference": {name: {"delta": 0.0, "low": -1.0, "high": 1.0, "word": texts[0]} for name in names},
    }


def test_there_are_enough_injections():
    assert len(set(INJECTIONS)) >= 200


def test_no_injection_adds_a_tag_or_an_attribute(tmp_path):
    ours = Outline(page.render(read_run(hostile_run(tmp_path / "hostile", INJECTIONS))))
    plain = [f"plain{i}" for i in range(len(INJECTIONS))]
    theirs = Outline(page.render(read_run(hostile_run(tmp_path / "plain", plain))))
    assert ours.attributes == theirs.attributes
    # Numbers of rows and options differ, as texts that look alike are one kind; what carries code or addresses does not.
    assert set(ours.tags) == set(theirs.tags)
    for tag in ("script", "style", "link", "meta", "a", "form", "article", "base", "img", "svg", "iframe", "body"):
        assert ours.tags[tag] == theirs.tags[tag], tag
    assert not {name for _, name in ours.attributes if name.startswith("on") or name == "style"}
    assert len({sample["step"] for sample in json.loads(ours.data)["samples"]}) == len(INJECTIONS)


@pytest.mark.parametrize("text", INJECTIONS[::7])
def test_the_data_block_gives_back_the_text_and_nothing_ends_it(text):
    block = json_for_html({"text": text})
    assert json.loads(block) == {"text": text}
    assert block.isascii() and not set("<>&") & set(block)


def test_the_policy_allows_nothing_but_the_own_script_and_style(tmp_path):
    html = page.render(read_run(run_folder(tmp_path / "run", [record("CC", certificate("pass"))])))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    policy = policy.replace("&#39;", "'")
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.keys() == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert directives["default-src"] == directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["img-src"] == "data:"
    for name, count in (("script-src", 2), ("style-src", 1)):
        assert len(re.fullmatch(r"('sha256-[A-Za-z0-9+/=]{44}' ?)+", directives[name])[0].split()) == count
    assert "http" not in re.sub(r"http-equiv", "", html)


def test_the_script_makes_no_markup_of_strings():
    script = (page.TEMPLATES / "report.js").read_text()
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "DOMParser",
        ".href",
    ):
        assert way not in script


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("\x00\x1b", "⟨U+0000⟩⟨U+001B⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("a\u2028b", "a⟨U+2028⟩b"),
        ("line\n\tline", "line\n\tline"),
        ("naïve 分子 😀", "naïve 分子 😀"),
    ],
)
def test_what_cannot_be_seen_is_written_as_its_number(text, shown):
    assert visible(text) == shown


def test_files_that_are_no_utf8_and_no_json_are_counted_and_left_out(tmp_path):
    folder = run_folder(
        tmp_path / "run", [record("CC"), "{", "[" * 100_000, '{"step": 1}', '{"step": -1, "completion": ""}']
    )
    with (folder / "samples.jsonl").open("ab") as file:
        file.write(
            b'{"step": 2, "completion": "\xff\xfe"}\n{"step": 3, "completion": "NaN", "advantages": [NaN, 1e999]}\n{"ste'
        )
    html = page.render(read_run(folder))
    assert "3 of 3 logged completions" in html and "5 lines of samples.jsonl cannot be read" in html


@pytest.mark.slow
def test_a_page_of_ten_thousand_samples_is_below_ten_megabytes(tmp_path):
    text = "CC(=O)Oc1ccccc1C(=O)OC2CCCC"
    judged = certificate("fail", ("unclosed_ring", "ring 2 is opened and not closed", [[22, 23]]), dead=26)
    folder = run_folder(tmp_path / "run", [record(text, judged, step=i // 8) for i in range(10_000)])
    html = page.render(read_run(folder))
    samples = json.loads(Outline(html).data)["samples"]
    assert len(html.encode()) < 5_000_000  # the library adds 4.8
    assert "Older ones are thinned out" in html and "of 10000 logged completions" in html
    steps = [sample["step"] for sample in samples]
    assert steps == sorted(steps) and steps[0] < 10 and steps[-1] == 1249 and steps.count(1249) == 8
