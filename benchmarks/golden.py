"""Golden recordings: a refactoring must not change what the commands print or write.

    RLSF_DATA=folder python benchmarks/golden.py corpus to=golden/corpus [verifiers=all] [objects=500] [seed=0]
    python benchmarks/golden.py record corpus=golden/corpus to=golden/before tree=../before [parts=all] [verifiers=all]
    python benchmarks/golden.py record corpus=golden/corpus to=golden/after
    python benchmarks/golden.py compare before=golden/before after=golden/after

A tree is driven through its public commands only, so the same script records any layout of the code. ``corpus`` writes the
inputs of ``certify``; ``record`` stores certificates, training metrics and samples, an evaluation and the help texts;
``compare`` is exact. ``parts=certificates,help``, ``verifiers=sql,smt``, ``estimators=gae,vine`` and ``rows=150`` (the first
of each corpus) select what is recorded or compared. Parts already recorded from the same code and corpus are skipped, and an
interrupted ``certify`` is resumed. ``compare`` exits with 1 on any difference that golden_changes.yaml does not allow. Two
recordings of one tree, the second with ``hash_seed=3``, show what depends on the order of sets, the time or the load.

Not covered: running times; ``recheck`` and ``viable``, which no command exposes; training on a GPU.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import arguments
import golden_compare
from golden_compare import Selection

CORPUS = {"to": "golden/corpus", "verifiers": "all", "objects": 500, "seed": 0}
SELECTION = {"parts": "all", "verifiers": "all", "estimators": "all", "rows": 0}
RECORD = {
    "corpus": "golden/corpus", "to": "golden/after", "tree": str(Path(__file__).parents[1]), "hash_seed": 0, **SELECTION
}  # fmt: skip
COMPARE = {"before": "golden/before", "after": "golden/after", **SELECTION}

#: Longer hostile completions are left out: every token of a completion is recorded.
LONGEST = 20_000
#: Seconds after which a command is killed.
COMMAND_TIMEOUT = 4 * 3600
#: Worker processes of slow verifiers; the others have one, which protects the recording from crashes.
WORKERS = {"cpp": 2}
#: Seconds per completion, generous so that no verdict depends on the machine's load.
VERIFIER_TIMEOUT = 120
FIT = [
    "rollout.batch_size=4", "rollout.samples_per_prompt=4", "rollout.max_new_tokens=32", "evaluation.split=null",
    "trainer.max_epochs=1", "trainer.limit_train_batches=10", "trainer.accelerator=cpu", "seed=0", "run_dir=run",
]  # fmt: skip
EVALUATE = ["split=test", "format=json", "output=answers.jsonl", "evaluation.limit=40", "evaluation.samples=2"]
#: Prefixes of the metrics that measure time.
TIMED = ("seconds/", "verify_wait")
FOLDERS = ("rlsf_lightning", "callbacks", "recipes")


@dataclass(frozen=True)
class Tree:
    """A checkout whose commands are run."""

    root: Path
    #: Python's, which decides the order of sets.
    hash_seed: int
    #: Identifies its code, recipes, callbacks and embedded policy, and the hash seed.
    digest: str

    @classmethod
    def at(cls, root: Path, hash_seed: int) -> Tree:
        """Exits if Python would import the package from elsewhere."""
        digest = hashlib.blake2b(f"{hash_seed}".encode(), digest_size=16)
        for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
        tree = cls(root, hash_seed, digest.hexdigest())
        with tempfile.TemporaryDirectory() as folder:
            asked = [sys.executable, "-c", "import rlsf_lightning; print(rlsf_lightning.__file__)"]
            found = tree._run(asked, Path(folder)).strip()
        if not Path(found).is_relative_to(root):
            sys.exit(f"tree={root}: Python imports rlsf_lightning from {found}")
        return tree

    def command(self, name: str, words: Sequence[str], folder: Path) -> str:
        """Standard output of a command run in ``folder``. Raises RuntimeError with the end of its stderr if it fails."""
        return self._run([sys.executable, "-m", f"rlsf_lightning.{name}", *words], folder).replace(str(self.root), ".")

    def _run(self, command: Sequence[str], folder: Path) -> str:
        settings = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "COLUMNS": "120"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("RLSF_")}
        environment = {**kept, **settings, "PYTHONPATH": str(self.root), "PYTHONHASHSEED": str(self.hash_seed)}
        with subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                stdout, stderr = process.communicate(timeout=COMMAND_TIMEOUT)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # its workers, too
                raise
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}: {stderr[-500:]}")
        return stdout


@dataclass(frozen=True)
class Part:
    """One unit of recording, named as in the comparison."""

    name: str
    #: Identifies its inputs other than the tree.
    inputs: str
    #: (temporary working directory) -> the texts of its files.
    make: Callable[[Path], tuple[str, ...]]


def write_corpus(settings: dict[str, Any]) -> None:
    """Write one file of ``certify`` inputs per verifier."""
    import corpora

    folder = Path(settings["to"])
    for name in corpora.names() if settings["verifiers"] == "all" else settings["verifiers"].split(","):
        start = time.perf_counter()
        lines = [json.dumps(row, allow_nan=False) for row in corpus_rows(name, settings["objects"], settings["seed"])]
        _write(folder / f"{name}.jsonl", "\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} rows in {time.perf_counter() - start:.0f} s", flush=True)


def corpus_rows(name: str, objects: int, seed: int) -> Iterator[dict[str, Any]]:
    """``objects`` rows, half right (every other one respelt) and half with one mistake, then the hostile completions."""
    import verifiers_common as common

    bench = common.bench_of(name, {"seed": seed, "objects": objects}, {"objects"})
    cases = bench.corpus.correct(objects // 2, bench.rng("correct"))
    numbers = itertools.count(1)
    for at, case in enumerate(cases):
        spellings = bench.corpus.spellings(case, bench.rng(f"spelling {at}"))
        other = next(itertools.islice(spellings, at % 5, None), None) if at % 2 else None
        text = case.completion if other is None else other
        yield row(f"{next(numbers):04} right", case.prompt, text)
    wrong = 0
    for case, injected in common.injections(bench, cases, objects - len(cases), bench.rng("inject")):
        wrong += 1
        yield row(f"{next(numbers):04} wrong, {injected.edit}", case.prompt, injected.completion)
    if len(cases) + wrong < objects:
        sys.exit(f"{name}: only {len(cases)} right and {wrong} wrong objects of {objects}")
    for case in bench.corpus.hostile():
        if len(case.completion) < LONGEST:
            yield row(f"{next(numbers):04} {case.name}", case.prompt, case.completion)


def row(row_id: str, prompt: Any, completion: str) -> dict[str, Any]:
    """An input row of ``certify``. Raises ValueError if JSON would change a fact, or a fact shadows another field."""
    facts = dict(prompt.facts)
    own = {"id": row_id, "prompt": prompt.text, "completion": completion, "reference": prompt.reference}
    if facts.keys() & own.keys() or json.loads(json.dumps(facts, allow_nan=False)) != facts:
        raise ValueError(f"{row_id}: these facts do not survive as JSON: {facts}")
    return own | facts


def parts_of(tree: Tree, corpus: Path, selection: Selection, to: Path) -> Iterator[Part]:
    """How the selected parts are recorded."""
    for part in golden_compare.parts(selection):
        kind, _, name = part.partition("/")
        if kind == "help":
            yield Part(part, "", partial(_help, tree, name))
        elif kind == "metrics":
            words = ["recipe=chem_iupac", f"algorithm.advantage={name}", *FIT]
            yield Part(part, " ".join(words), partial(_metrics, tree, words))
        elif kind == "evaluate":
            words = ["recipe=chem_iupac", "trainer.accelerator=cpu", *EVALUATE]
            yield Part(part, " ".join(words), partial(_evaluate, tree, words))
        else:
            rows = list(itertools.islice(_lines(corpus / f"{name}.jsonl"), selection.rows or None))
            inputs = hashlib.blake2b("".join(rows).encode(), digest_size=16).hexdigest()
            unfinished = to / ".unfinished" / f"{name}_{inputs[:12]}_{tree.digest[:12]}"
            yield Part(part, inputs, partial(_certificates, tree, name, rows, unfinished))


def _help(tree: Tree, command: str, folder: Path) -> tuple[str, ...]:
    words = ["fit", "recipe=list"] if command == "recipe_list" else [command, "--help"]
    return (tree.command(words[0], words[1:], folder),)


def _metrics(tree: Tree, words: list[str], folder: Path) -> tuple[str, ...]:
    tree.command("fit", words, folder)
    samples = without_times((folder / "run" / "samples.jsonl").read_text(encoding="utf-8"))
    metrics = without_timed_columns((folder / "run" / "metrics.csv").read_text(encoding="utf-8"))
    return metrics, samples


def _evaluate(tree: Tree, words: list[str], folder: Path) -> tuple[str, ...]:
    report = json.loads(tree.command("evaluate", words, folder))
    answers = without_times((folder / "answers.jsonl").read_text(encoding="utf-8"))
    return json.dumps(report, indent=1) + "\n", answers


def _certificates(tree: Tree, name: str, rows: list[str], unfinished: Path, folder: Path) -> tuple[str, ...]:
    """``certify`` writes to the folder ``unfinished``, so that an interrupted run can be resumed.

    Tokenizers reject lone surrogates: rows with one are certified without rewards.
    """
    unfinished.mkdir(parents=True, exist_ok=True)
    words = [f"verifier={name}", f"workers={WORKERS.get(name, 1)}", f"verifier.timeout={VERIFIER_TIMEOUT}", "seed=0"]
    text = ""
    for rewards in ("true", "false"):
        few = [row for row in rows if (rewards == "true") == _has_tokens(json.loads(row)["completion"])]
        if few:
            source, target = folder / f"rows_{rewards}.jsonl", unfinished.resolve() / f"rewards_{rewards}.jsonl"
            source.write_text("".join(few), encoding="utf-8")
            tree.command("certify", [*words, f"input={source}", f"output={target}", f"rewards={rewards}"], folder)
            text += without_times(target.read_text(encoding="utf-8"))
    shutil.rmtree(unfinished)
    return (text,)


def _has_tokens(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def without_times(lines: str) -> str:
    """JSON lines without the time each certificate took and without ``certify``'s row keys, which hash the settings."""
    return "".join(json.dumps(_without_times(json.loads(line))) + "\n" for line in lines.split("\n") if line)


def _without_times(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_times(each) for each in value]
    if not isinstance(value, dict):
        return value
    is_certificate = {"verdict", "seconds"} <= value.keys()
    left_out = {"seconds", "key"} if is_certificate else set()
    return {
        key: each if key == "witness" else _without_times(each) for key, each in value.items() if key not in left_out
    }


def without_timed_columns(text: str) -> str:
    """The text of a metrics.csv without the columns that measure time."""
    rows = list(csv.DictReader(io.StringIO(text)))
    kept = [name for name in rows[0] if not name.startswith(TIMED)]
    target = io.StringIO()
    writer = csv.DictWriter(target, kept, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def record(settings: dict[str, Any]) -> None:
    """Record the selected parts. A failing part does not stop the others; the exit status is 1 then."""
    tree, to = Tree.at(Path(settings["tree"]).resolve(), settings["hash_seed"]), Path(settings["to"])
    failed = []
    for part in parts_of(tree, Path(settings["corpus"]), Selection.from_settings(settings), to):
        stamp, files = to / golden_compare.stamp_of(part.name), golden_compare.files_of(part.name)
        current = f"{tree.digest} {part.inputs}\n"
        if stamp.is_file() and stamp.read_text() == current:
            print(f"{part.name}: up to date", flush=True)
            continue
        for path in (stamp, *(to / file for file in files)):
            path.unlink(missing_ok=True)  # a recording of other code must not pass for this one's if this fails
        start = time.perf_counter()
        try:
            with tempfile.TemporaryDirectory() as folder:
                texts = part.make(Path(folder))
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            failed.append(part.name)
            print(f"{part.name}: failed: {error}", flush=True)
            continue
        for file, text in zip(files, texts, strict=True):
            _write(to / file, text)
        _write(stamp, current)
        print(f"{part.name}: {time.perf_counter() - start:.1f} s", flush=True)
    if failed:
        sys.exit(f"not recorded: {', '.join(failed)}")


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        sys.exit(f"{path}: no such file; create it with `golden.py corpus to={path.parent}`")
    with path.open(encoding="utf-8") as file:
        yield from file


def _write(path: Path, text: str) -> None:
    """Atomic write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_file = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial_file.write_text(text, encoding="utf-8")
    partial_file.replace(path)


def main(words: Sequence[str]) -> None:
    commands: dict[str, tuple[Callable[[dict[str, Any]], None], dict[str, Any]]] = {
        "corpus": (write_corpus, CORPUS),
        "record": (record, RECORD),
        "compare": (golden_compare.run, COMPARE),
    }
    if not words or words[0] not in commands:
        sys.exit(__doc__)
    command, defaults = commands[words[0]]
    command(arguments.read(words[1:], defaults)[0])


if __name__ == "__main__":
    main(sys.argv[1:])
