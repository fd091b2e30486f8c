"""The benchmarks of the verifiers: every corpus keeps its contract, and what the scripts count is counted rightly."""

import itertools
import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import corpora  # noqa: E402
import edits  # noqa: E402
import hostile  # noqa: E402
import localisation  # noqa: E402
import verifier_throughput  # noqa: E402
import verifiers_common as common  # noqa: E402
import viability  # noqa: E402
from corpora import Case, Injected  # noqa: E402

from rlsf_lightning.errors import UserError  # noqa: E402
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict  # noqa: E402

COUNT = 10
#: Corpora whose every item costs seconds.
SLOW = {"cpp", "iupac_name"}
NAMES = sorted(path.stem for path in (BENCHMARKS / "corpora").glob("*.py") if path.stem != "__init__")
EACH = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in NAMES]
FAIL = Certificate(Verdict.FAIL, (Finding("wrong", "", (Span(2, 4),)),), 0.25, 3, {"value": 7})


def bench(name: str, monkeypatch: pytest.MonkeyPatch, **settings: object) -> common.Bench:
    """Without real data, which is not everywhere."""
    monkeypatch.delenv("RLSF_DATA", raising=False)
    defaults = {"verifiers": name, "seed": 1, **settings}
    try:
        return common.bench_of(name, defaults, set(defaults))
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", EACH)
def test_a_corpus_keeps_its_contract(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Correct objects pass in all spellings, injected mistakes fail."""
    tried = bench(name, monkeypatch)
    corpus, verify = tried.corpus, tried.verifier.verify
    cases = corpus.correct(COUNT, random.Random(1))
    assert len(cases) == COUNT
    for case in cases:
        assert verify(case.prompt, case.completion).verdict is Verdict.PASS, case
        corpus.bare(case)
    for text in itertools.islice(corpus.spellings(cases[0], random.Random(2)), 5):
        assert verify(cases[0].prompt, text).verdict is Verdict.PASS, text
    made = list(common.injections(tried, cases, COUNT, random.Random(3)))
    assert len(made) == COUNT
    for case, injected in made:
        assert injected.completion != case.completion and injected.edit
        assert injected.place.end <= len(injected.completion), injected
        assert verify(case.prompt, injected.completion).verdict is Verdict.FAIL, injected
    assert corpus.hostile() and all(isinstance(case, Case) for case in corpus.hostile())
    if hasattr(tried.verifier, "viable"):
        assert callable(corpus.exhaustive)


@pytest.mark.parametrize("script", [localisation, viability, verifier_throughput])
def test_scripts_measure_and_write_what_they_found(
    script: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RLSF_DATA", raising=False)
    small = {"count": 12, "rechecked": 12, "prefixes": 120, "objects": 12, "wrong": 8, "completions": 20, "warm_up": 2}
    monkeypatch.setattr(corpora.corpus("game24"), "exhaustive", lambda verifier, rng: (7, 0))
    arguments = ["verifiers=game24", f"results={tmp_path}"]
    arguments += [f"{key}={value}" for key, value in small.items() if key in script.DEFAULTS]  # type: ignore[attr-defined]
    theme = script.__name__  # type: ignore[attr-defined]
    common.run(theme, arguments, script.DEFAULTS, script.measure, script.COLUMNS, script.ABOUT)  # type: ignore[attr-defined]
    (path,) = tmp_path.glob(f"{theme}_*.json")
    found = json.loads(path.read_text())["game24"]
    assert found["configuration"]["settings"]["seed"] == 0
    assert "| game24 |" in path.with_suffix(".md").read_text()
    if script is localisation:
        assert found["correct"] == 12 and found["injected"]["injected"] == 12 and found["recheck"]["certificates"] == 24
    if script is viability:
        assert (found["prefixes"], found["called_dead"], found["wrong"]) == (120, 0, 8)
    if script is verifier_throughput:
        assert found["all"]["completions"] == 20 and found["all"]["ms"] > 0


@pytest.mark.slow
def test_hostile_completions_are_verified_twice_in_guarded_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = hostile.measure(bench("game24", monkeypatch, fuzzed=20, limit=20.0, megabytes=1024))
    assert found["inputs"] == found["hostile"] + 20 == sum(found["verdicts"].values())
    wanted = {
        "crashes": 0,
        "raised": 0,
        "over_limit": 0,
        "unequal": 0,
        "foreign": {},
        "files_left": [],
        "processes_left": [],
    }
    assert {key: found[key] for key in wanted} == wanted and found["leaks"] == 0


BAD = '''
import os, socket, subprocess, sys, time
from pathlib import Path
from rlsf_lightning.records import Certificate, Verdict


class VERIFIER:
    """Does what it should not."""

    kinds = frozenset()

    def verify(self, prompt, completion):
        getattr(self, f"do_{completion}", lambda: None)()
        witness = {"seen": self.seen} if hasattr(self, "seen") and completion == "read" else {}
        return Certificate(Verdict.PASS, score=1.0, witness=witness)

    def do_read(self):
        self.seen = Path("secret.txt").read_text()

    def do_write(self):
        Path("written.txt").write_text("x")

    def do_crash(self):
        os.abort()

    def do_raise(self):
        raise ValueError

    def do_differ(self):
        raise SystemError(str(os.getpid()))

    def do_start(self):
        subprocess.Popen(["sleep", "1000"], start_new_session=True)

    def do_connect(self):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 9))

    def do_linger(self):
        time.sleep(0.4)
'''
BAD_CORPUS = """
from corpora import Case, Injected
from rlsf_lightning.records import Prompt, Span
OPTIONS = {}
LIMIT = 0.3


def correct(count, rng):
    return [Case(Prompt("p", ""), "fine")] * count


def inject(case, rng):
    return Injected("other", Span(0, 1), "e")


def hostile():
    return [Case(Prompt("p", ""), text) for text in
            ("read", "write", "crash", "raise", "differ", "start", "connect", "linger")]
"""


def test_the_guard_sees_what_a_bad_verifier_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a process that reads, writes, crashes, raises, starts programs, connects and lingers."""
    (tmp_path / "bad_verifier.py").write_text(BAD)
    (tmp_path / "bad.py").write_text(BAD_CORPUS)
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nsys.path.insert(0, {str(BENCHMARKS)!r})\nimport corpora\ncorpora.__path__.append({str(tmp_path)!r})\n"
        "import rlsf_lightning.symbolic.loader as v\nv.find_verifier = lambda name: __import__('bad_verifier').VERIFIER\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(corpora, "__path__", [*corpora.__path__, str(tmp_path)])
    import bad_verifier  # type: ignore[import-not-found]

    tried = common.Bench(
        "bad", corpora.corpus("bad"), bad_verifier.VERIFIER(), {"seed": 1, "fuzzed": 0, "limit": 9.0, "megabytes": 1024}
    )
    found = hostile.measure(tried)
    assert (found["crashes"], found["raised"], found["over_limit"], found["leaks"]) == (2, 4, 2, 2)
    assert found["unequal"] + found["abstained_once"] == 1  # what tells the number of its process
    seen = " ".join(found["foreign"])
    assert "open for reading" in seen and "secret.txt" in seen and "open for writing" in seen
    assert "subprocess.Popen sleep" in seen and "socket.connect" in seen
    assert [Path(path).name for path in found["files_left"]] == ["written.txt"] * 2
    assert len(found["processes_left"]) == 2


def test_places() -> None:
    """An empty span stands for its neighbours; what was left out is where the nearest characters are."""
    assert common.extent(Span(3, 3), 5) == Span(2, 4) and common.extent(Span(5, 5), 5) == Span(4, 5)
    assert common.extent(Span(1, 2), 5) == Span(1, 2)
    assert edits.replaced("a + b", (2, 3), "-", "e") == Injected("a - b", Span(2, 3), "e")
    assert edits.replaced("a + b", (2, 3), "", "e") == Injected("a  b", Span(0, 4), "e")
    assert edits.replaced("a +", (2, 3), "", "e").place == Span(0, 2)
    injected = Injected("abcdefgh", Span(3, 5), "e")
    assert localisation.is_hit(FAIL, injected)
    assert not localisation.is_hit(FAIL, replace(injected, place=Span(4, 6)))
    assert localisation.is_hit(
        replace(FAIL, findings=(Finding("x", "", (Span(6, 6),)),)), replace(injected, place=Span(6, 7))
    )
    assert localisation.blamed_share(FAIL, 8) == 0.25
    assert localisation.blamed_share(replace(FAIL, findings=(Finding("x", ""),)), 8) is None
    twice = (Finding("x", "", (Span(0, 2), Span(1, 4))), Finding("y", "", (Span(3, 4),)))
    assert localisation.blamed_share(replace(FAIL, findings=twice), 8) == 0.5


def test_tampered_certificates_differ_in_one_thing_each() -> None:
    for seed in range(20):
        changed = common.tampered(FAIL, 8, random.Random(seed))
        assert set(changed) == {"verdict", "score", "span", "dead_from", "witness"}
        assert changed["verdict"].verdict is Verdict.PASS
        assert changed["span"].findings[0].spans == (Span(3, 5),)
        assert changed["dead_from"].dead_from in (2, 4) and changed["score"].score == pytest.approx(0.35)
        assert changed["witness"].witness == {"value": 8}
    passed = Certificate(Verdict.PASS, score=1.0, witness={"a": [{"b": "x"}]})
    changed = common.tampered(passed, 8, random.Random(0))
    assert set(changed) == {"verdict", "witness"} and changed["witness"].witness == {"a": [{"b": "x\u2620"}]}
    assert common.tampered(Certificate(Verdict.ABSTAIN), 8, random.Random(0)) == {}


def test_settings_are_typed_and_checked() -> None:
    settings, given = common.settings_of(["count=5", "seed=3"], {"count": 10, "limit": 1.0})
    assert settings == {"verifiers": "all", "seed": 3, "count": 5, "limit": 1.0} and given == {"count", "seed"}
    with pytest.raises(SystemExit, match="count=10"):
        common.settings_of(["cuont=5"], {"count": 10})


def test_odd_answers_for_prefixes_are_noticed() -> None:
    seen: dict[str, int] = {"asked": 0}
    assert viability._odd(FAIL, [True, True, None, None, False, False], seen) == []
    assert viability._odd(FAIL, [True, True, None, False, False, False], seen) == ["dies elsewhere"]
    assert viability._odd(FAIL, [True, True, True, True, False, None], seen) == ["not monotone"]
    assert seen["asked"] == 3
    assert viability._in_span(FAIL, "abcdefgh") and not viability._in_span(replace(FAIL, dead_from=4), "abcdefgh")
    assert viability._shared(Case(Prompt("p", ""), "abcd"), Injected("abxd", Span(2, 3), "e")) == 2


def test_mutants_are_the_same_with_the_same_seed_and_many_of_them_are_new() -> None:
    texts = [edits.mutated("SELECT a FROM t", ["abc", "def"], random.Random(seed)) for seed in range(200)]
    assert texts == [edits.mutated("SELECT a FROM t", ["abc", "def"], random.Random(seed)) for seed in range(200)]
    assert len(set(texts)) > 150 and max(map(len, texts)) < 50_000


def test_the_time_of_a_process_that_was_left_by_its_parent_counts() -> None:
    """As what runs in a sandbox is: the program around it does not wait for it."""
    spin = f"{sys.executable} -S -c 'import time\nwhile time.process_time() < 0.3: pass\nprint(1)'"
    with common.adopting():
        before = verifier_throughput.processor_seconds()
        subprocess.run(["sh", "-c", f"({spin} &) ; sleep 0"], stdout=subprocess.PIPE, check=True)  # until it is closed
        time.sleep(0.05)
        verifier_throughput.reap()
        assert verifier_throughput.processor_seconds() - before > 0.29
