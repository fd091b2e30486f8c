"""Does a restructured tree behave as before? What its commands print and write is recorded, and compared exactly.

    RLSF_DATA=folder python benchmarks/golden.py corpus to=golden/corpus [verifiers=all] [objects=500] [seed=0]
    python benchmarks/golden.py record corpus=golden/corpus to=golden/before tree=../before [parts=all] [verifiers=all]
    python benchmarks/golden.py record corpus=golden/corpus to=golden/after
    python benchmarks/golden.py compare before=golden/before after=golden/after

Both trees are driven through their commands alone, so this one script records code of any layout. ``parts=`` takes some of
certificates, metrics, evaluate and help; ``verifiers=sql,smt`` and ``estimators=gae,vine`` take some of theirs, and
``rows=150`` the first rows of a corpus. A part that was recorded from the same code and corpus is kept; an audit that was
stopped goes on. The exit status of ``compare`` is 1 where anything differs that golden_changes.yaml does not explain.

Leaves out: how long anything takes; recheck and viable, which no command shows; training on a GPU.
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
RECORD = {"corpus": "golden/corpus", "to": "golden/after", "tree": str(Path(__file__).parents[1]), **SELECTION}
COMPARE = {"before": "golden/before", "after": "golden/after", **SELECTION}

#: A hostile completion is kept up to this many characters: every token of it is recorded.
LONGEST = 20_000
#: Seconds after which a command is stopped: nothing here needs as many.
PATIENCE = 4 * 3600
#: Slow ones, of which rows are verified side by side.
WORKERS = {"cpp": 2}
#: Seconds a completion: so many that what is recorded does not depend on what else the machine is doing.
TIMEOUT = 120
FIT = [
    "rollout.batch_size=4", "rollout.samples_per_prompt=4", "rollout.max_new_tokens=32", "evaluation.split=null",
    "trainer.max_epochs=1", "trainer.limit_train_batches=10", "trainer.accelerator=cpu", "seed=0", "run_dir=run",
]  # fmt: skip
EVALUATE = ["split=test", "format=json", "output=answers.jsonl", "evaluation.limit=40", "evaluation.samples=2"]
#: Metrics that measure time.
TIMED = ("seconds/", "verify_wait")
FOLDERS = ("rlsf_lightning", "callbacks", "recipes")


@dataclass(frozen=True)
class Tree:
    """A checkout that is driven through its commands."""

    root: Path
    #: Of all that its commands do: code, recipes, and the policy that is shipped.
    digest: str

    @classmethod
    def at(cls, root: Path) -> Tree:
        """Exits where Python would not take the package from there."""
        digest = hashlib.blake2b(digest_size=16)
        for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
        tree = cls(root, digest.hexdigest())
        with tempfile.TemporaryDirectory() as folder:
            asked = [sys.executable, "-c", "import rlsf_lightning; print(rlsf_lightning.__file__)"]
            found = tree._run(asked, Path(folder)).strip()
        if not Path(found).is_relative_to(root):
            sys.exit(f"tree={root}: Python takes rlsf_lightning from {found}")
        return tree

    def command(self, name: str, words: Sequence[str], folder: Path) -> str:
        """What a command prints, run in ``folder``. Raises RuntimeError with the end of what it says where it fails."""
        return self._run([sys.executable, "-m", f"rlsf_lightning.{name}", *words], folder).replace(str(self.root), ".")

    def _run(self, command: Sequence[str], folder: Path) -> str:
        settings = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "COLUMNS": "120"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("RLSF_")}
        environment = {**kept, **settings, "PYTHONPATH": str(self.root)}
        with subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                printed, said = process.communicate(timeout=PATIENCE)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # with its workers
                raise
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}: {said[-500:]}")
        return printed


@dataclass(frozen=True)
class Part:
    """One thing to record, under the name by which it is compared."""

    name: str
    #: What it depends on besides the tree.
    made_from: str
    #: Temporary folder -> file name -> text.
    make: Callable[[Path], dict[str, str]]


def write_corpus(settings: dict[str, Any]) -> None:
    """Objects that pass, half of them in another spelling, objects with one mistake, and what has made a tool fail."""
    import corpora

    folder = Path(settings["to"])
    for name in corpora.names() if settings["verifiers"] == "all" else settings["verifiers"].split(","):
        start = time.perf_counter()
        lines = [json.dumps(row, allow_nan=False) for row in corpus_rows(name, settings["objects"], settings["seed"])]
        _write(folder / f"{name}.jsonl", "\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} rows in {time.perf_counter() - start:.0f} s", flush=True)


def corpus_rows(name: str, objects: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows as ``certify`` reads them."""
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
    """Facts stand beside the own fields, as ``certify`` wants them; none may be changed by being written."""
    facts = dict(prompt.facts)
    own = {"id": row_id, "prompt": prompt.text, "completion": completion, "reference": prompt.reference}
    if facts.keys() & own.keys() or json.loads(json.dumps(facts, allow_nan=False)) != facts:
        raise ValueError(f"{row_id}: these facts cannot be a row of JSON: {facts}")
    return own | facts


def parts_of(tree: Tree, corpus: Path, selection: Selection, to: Path) -> Iterator[Part]:
    """All that is asked for, the quick ones first."""
    for command in selection.of("help", golden_compare.HELP):
        yield Part(f"help/{command}", "", partial(_help, tree, command))
    for estimator in selection.of("metrics", golden_compare.ESTIMATORS):
        words = ["recipe=chem_iupac", f"algorithm.advantage={estimator}", *FIT]
        yield Part(f"metrics/{estimator}", " ".join(words), partial(_metrics, tree, estimator, words))
    if selection.of("evaluate", ("evaluate",)):
        words = ["recipe=chem_iupac", "trainer.accelerator=cpu", *EVALUATE]
        yield Part("evaluate", " ".join(words), partial(_evaluate, tree, words))
    for name in selection.of("certificates", golden_compare.VERIFIERS):
        rows = list(itertools.islice(_lines(corpus / f"{name}.jsonl"), selection.rows or None))
        made_from = hashlib.blake2b("".join(rows).encode(), digest_size=16).hexdigest()
        unfinished = to / ".unfinished" / f"{name}_{made_from[:12]}_{tree.digest[:12]}"
        yield Part(f"certificates/{name}", made_from, partial(_certificates, tree, name, rows, unfinished))


def _help(tree: Tree, command: str, folder: Path) -> dict[str, str]:
    words = ["fit", "recipe=list"] if command == "recipe_list" else [command, "--help"]
    return {f"help/{command}.txt": tree.command(words[0], words[1:], folder)}


def _metrics(tree: Tree, estimator: str, words: list[str], folder: Path) -> dict[str, str]:
    tree.command("fit", words, folder)
    samples = without_times((folder / "run" / "samples.jsonl").read_text(encoding="utf-8"))
    metrics = without_timed_columns((folder / "run" / "metrics.csv").read_text(encoding="utf-8"))
    return {f"samples/{estimator}.jsonl": samples, f"metrics/{estimator}.csv": metrics}


def _evaluate(tree: Tree, words: list[str], folder: Path) -> dict[str, str]:
    report = json.loads(tree.command("evaluate", words, folder))
    answers = without_times((folder / "answers.jsonl").read_text(encoding="utf-8"))
    return {"evaluate.jsonl": answers, "evaluate.json": json.dumps(report, indent=1) + "\n"}


def _certificates(tree: Tree, name: str, rows: list[str], unfinished: Path, folder: Path) -> dict[str, str]:
    """The audit is written to ``unfinished``, from where ``certify`` goes on if it is stopped.

    Half a surrogate pair has no tokens: rows that have one are certified without rewards.
    """
    unfinished.mkdir(parents=True, exist_ok=True)
    words = [f"verifier={name}", f"workers={WORKERS.get(name, 1)}", f"verifier.timeout={TIMEOUT}", "seed=0"]
    text = ""
    for rewards in ("true", "false"):
        few = [row for row in rows if (rewards == "true") == _has_tokens(json.loads(row)["completion"])]
        if few:
            source, target = folder / f"rows_{rewards}.jsonl", unfinished.resolve() / f"rewards_{rewards}.jsonl"
            source.write_text("".join(few), encoding="utf-8")
            tree.command("certify", [*words, f"input={source}", f"output={target}", f"rewards={rewards}"], folder)
            text += without_times(target.read_text(encoding="utf-8"))
    shutil.rmtree(unfinished)
    return {f"certificates/{name}.jsonl": text}


def _has_tokens(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def without_times(lines: str) -> str:
    """JSON lines without the seconds that certificates took, and the keys by which an audit knows its rows."""
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
    """metrics.csv without what measures time."""
    rows = list(csv.DictReader(io.StringIO(text)))
    kept = [name for name in rows[0] if not name.startswith(TIMED)]
    target = io.StringIO()
    writer = csv.DictWriter(target, kept, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def record(settings: dict[str, Any]) -> None:
    """Every part by itself; those that fail are told at the end."""
    tree, to = Tree.at(Path(settings["tree"]).resolve()), Path(settings["to"])
    failed = []
    for part in parts_of(tree, Path(settings["corpus"]), Selection.from_settings(settings), to):
        stamp = to / ".made_from" / part.name.replace("/", "_")
        made_from = f"{tree.digest} {part.made_from}\n"
        if stamp.is_file() and stamp.read_text() == made_from:
            print(f"{part.name}: is there", flush=True)
            continue
        start = time.perf_counter()
        try:
            with tempfile.TemporaryDirectory() as folder:
                files = part.make(Path(folder))
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            failed.append(part.name)
            print(f"{part.name}: failed: {error}", flush=True)
            continue
        stamp.unlink(missing_ok=True)
        for name, text in files.items():
            _write(to / name, text)
        _write(stamp, made_from)
        print(f"{part.name}: {time.perf_counter() - start:.1f} s", flush=True)
    if failed:
        sys.exit(f"not recorded: {', '.join(failed)}")


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        sys.exit(f"{path}: no such file; `golden.py corpus to={path.parent}` writes it")
    with path.open(encoding="utf-8") as file:
        yield from file


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
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
