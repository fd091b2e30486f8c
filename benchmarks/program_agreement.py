"""Do programs do what their tests say, and does the verifier say so? Asked of g++ alone, without the verifier and its sandbox.

    python benchmarks/program_agreement.py [count=2000] [split=train] [batch=100] [sanitize=0] [seed=0]
        [judged=0] [workers=1,2] [explain=1] [results=benchmarks/results]

The tests of ``pseudocode_cpp`` come from an interpreter; here the compiler has its say. Programs are compiled ``batch`` at a
time, each in a namespace of its own, which takes a tenth of the time. ``sanitize=1``: with the address and undefined behaviour
sanitizers, which end a program at the first thing that the standard leaves undefined.

``judged``: so many texts such as a policy writes, of as many prompts: 30 % the program, 40 % with a token edited, 15 %
unfinished, 15 % garbage. Each is compiled by a g++ of its own and run on its tests; the verifier, as a pool with each number
of workers, must say the same. Programs a second are measured on the way.
Exit status 1: some test, or some verdict, disagrees.

``judged`` writes benchmarks/results/program_agreement_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import arguments
import edits
import generators

from rlsf_lightning.prompts.sources.pseudocode_cpp import prompts
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.verifiers.cpp.check import INVALID_KINDS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import HEADERS

DEFAULTS = {
    "count": 2000, "split": "train", "batch": 100, "sanitize": 0, "seed": 0,
    "judged": 0, "workers": "1,2", "explain": 1, "results": str(Path(__file__).parent / "results"),
}  # fmt: skip
_FLAGS = {False: ["-O1", "-w"], True: ["-O1", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]}
_PLAIN = ["g++", "-std=gnu++17", *_FLAGS[False]]
#: Seconds of processor time, and of the clock, that a test may use: the verifier's.
_TEST_SECONDS, _WALL_SECONDS = 2, 15
#: Characters of a text, and of what is said of it, that the results show.
MAX_SHOWN = 600
#: Settings that the page names.
_NAMED = ("judged", "split", "seed", "explain")
#: Sort, prompt and text; whether it passes by g++ alone; the verifier's certificate.
Compared = tuple[tuple[str, Prompt, str], bool, Certificate]
_SORTS = {"gold": 30, "edited": 40, "unfinished": 15, "garbage": 15}


def joined(programs: Sequence[str]) -> str:
    """One translation unit; its argument says which of the programs runs."""
    parts = [f"#include <{header}>" for header in HEADERS] + ["using namespace std;"]
    for number, program in enumerate(programs):
        body = program.replace("int main()", "int run()").removesuffix(
            "}"
        )  # which, unlike main, has to return something
        parts.append(f"namespace p{number} {{\n{body}return 0;\n}}\n}}")
    cases = " ".join(f"case {number}: p{number}::run(); return 0;" for number in range(len(programs)))
    return "\n".join(parts) + f"\nint main(int, char** given) {{ switch (atoi(given[1])) {{ {cases} }} return 1; }}\n"


def disagreements(batch: Sequence[Prompt], *, sanitize: bool) -> Iterator[tuple[Prompt, int, str]]:
    """(prompt, number of the test, what was printed) of every test that fails."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "all.cpp")
        source.write_text(joined([prompt.reference or "" for prompt in batch]))
        binary = Path(folder, "all")
        subprocess.run(["g++", "-std=gnu++17", *_FLAGS[sanitize], str(source), "-o", str(binary)], check=True)
        for number, prompt in enumerate(batch):
            for at, test in enumerate(prompt.facts["tests"]):
                done = subprocess.run(
                    [str(binary), str(number)], input=test["input"], capture_output=True, text=True, timeout=20
                )
                if done.returncode or done.stdout.split() != test["output"].split():
                    yield prompt, at, (done.stdout + done.stderr)[:500]


def written(chosen: Sequence[Prompt], rng: random.Random) -> Iterator[tuple[str, Prompt, str]]:
    """(sort, prompt, text) of texts such as a policy writes, one a prompt."""
    golds = [generators.gold(prompt) for prompt in chosen]
    for prompt, gold in zip(chosen, golds, strict=True):
        sort = rng.choices(list(_SORTS), list(_SORTS.values()))[0]
        text = gold
        if sort == "edited":
            text = generators.edited(gold, rng)[1]
        elif sort == "unfinished":
            text = gold[: rng.randrange(1, len(gold))]
        elif sort == "garbage":
            text = edits.mutated(gold, golds, rng)
        yield sort, prompt, text


def plain_verdict(headers: Path, prompt: Prompt, text: str) -> bool:
    """Whether g++ compiles a text, and the program passes its tests."""
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder, "program.cpp"), Path(folder, "program")
        source.write_bytes(text.encode("utf-8", "surrogatepass"))
        given = [] if text.lstrip().startswith("#include") else ["-include", str(headers)]
        if subprocess.run([*_PLAIN, *given, str(source), "-o", str(binary)], capture_output=True).returncode:
            return False
        return all(_passes(binary, test) for test in prompt.facts["tests"])


def _passes(binary: Path, test: Mapping[str, str]) -> bool:
    command = ["prlimit", f"--cpu={_TEST_SECONDS}", f"--as={512 << 20}", f"--fsize={1 << 20}", "--core=0", str(binary)]
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command, input=test["input"].encode(), stdout=output, stderr=subprocess.DEVNULL, timeout=_WALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            return False
        output.seek(0)
        return done.returncode == 0 and output.read().decode("utf-8", "replace").split() == test["output"].split()


def plain_verdicts(texts: Sequence[tuple[str, Prompt, str]]) -> list[bool]:
    """Of each text by itself; the headers are precompiled once, as g++ documents it."""
    with tempfile.TemporaryDirectory() as folder:
        headers = Path(folder, "headers.h")
        headers.write_text("".join(f"#include <{header}>\n" for header in HEADERS) + "using namespace std;\n")
        subprocess.run([*_PLAIN, "-x", "c++-header", str(headers), "-o", f"{headers}.gch"], check=True)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return list(threads.map(lambda one: plain_verdict(headers, one[1], one[2]), texts))


def judged(
    texts: Sequence[tuple[str, Prompt, str]], workers: int, explain: bool
) -> tuple[list[Certificate], dict[str, float]]:
    """The verifier's certificates, and how fast they came; the first of each worker's, with its start, do not count."""
    pairs = [(prompt, text) for _, prompt, text in texts]
    with VerifierPool("cpp", {"explain": explain}, workers=workers) as pool:
        pool.submit([(prompt, f"{generators.gold(prompt)}\n") for prompt, _ in pairs[: 8 * workers]]).result()
        start = time.perf_counter()
        certificates = pool.submit(pairs).result()
        seconds = time.perf_counter() - start
    return certificates, {
        "seconds": round(seconds, 1),
        "programs_per_second": round(len(pairs) / seconds, 2),
    }


def compare_verdicts(chosen: Sequence[Prompt], settings: Mapping[str, Any]) -> int:
    """Judge what a policy might write, write the results, and return how many verdicts disagree."""
    texts = list(written(chosen, random.Random(f"{settings['seed']} written")))
    load = [round(value, 2) for value in os.getloadavg()]
    runs, certificates = dict[str, Any](), list[Certificate]()
    for workers in map(int, settings["workers"].split(",")):
        certificates, runs[f"workers={workers}"] = judged(texts, workers, bool(settings["explain"]))
        print(f"workers={workers}: {runs[f'workers={workers}']}", flush=True)
    compared = list(zip(texts, plain_verdicts(texts), certificates, strict=True))
    differ = [
        one for one in compared if (one[2].verdict is Verdict.PASS) != one[1] and one[2].verdict is not Verdict.ABSTAIN
    ]
    undecided = [one for one in compared if one[2].verdict is Verdict.ABSTAIN]
    result = {
        "of": len(texts), "agree": len(texts) - len(differ) - len(undecided), "differ": list(map(_shown, differ)),
        "undecided": list(map(_shown, undecided)), "runs": runs, "sorts": {sort: _counts(sort, compared) for sort in _SORTS},
        "kinds": dict(Counter(f"{sort}: {_kind(one)}" for (sort, _, _), _, one in compared).most_common()),
        "load_before": load, "load_after": [round(value, 2) for value in os.getloadavg()],
        "settings": {key: value for key, value in settings.items() if key != "results"},
    }  # fmt: skip
    name = f"program_agreement_{platform.machine()}_{os.cpu_count()}cores_{date.today()}"
    path = Path(settings["results"], f"{name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(_page(result))
    print(f"{result['agree']} of {len(texts)} verdicts agree, {len(differ)} differ\nwritten to {path} and .md")
    return len(differ)


def _kind(certificate: Certificate) -> str:
    return certificate.findings[0].kind if certificate.findings else certificate.verdict.value


def _shown(compared: Compared) -> dict[str, Any]:
    """A text on which g++ alone and the verifier do not agree."""
    (sort, prompt, text), passes, certificate = compared
    said = [finding.message for finding in certificate.findings] or [str(certificate.witness.get("error", ""))]
    begin = ascii(text)[:MAX_SHOWN]
    verdict = certificate.verdict.value
    return {"id": prompt.id, "sort": sort, "text": begin, "characters": len(text), "plain": passes, "verifier": verdict,
            "says": said[0][:MAX_SHOWN]}  # fmt: skip


def _counts(sort: str, compared: Sequence[Compared]) -> dict[str, float]:
    """Of one sort: what became of its texts, and the seconds that a verdict takes in a worker."""
    certificates = [certificate for (its, _, _), _, certificate in compared if its == sort]
    seconds = sorted(one.seconds for one in certificates)
    return {
        "texts": len(certificates),
        "pass": sum(one.verdict is Verdict.PASS for one in certificates),
        "no program": sum(one.verdict is Verdict.FAIL and _kind(one) in INVALID_KINDS for one in certificates),
        "repaired": sum("repair" in one.witness for one in certificates),
        "mean seconds": round(sum(seconds) / len(seconds), 3) if seconds else 0.0,
        "longest": round(seconds[-1], 1) if seconds else 0.0,
    }


def _page(result: Mapping[str, Any]) -> str:
    settings, sorts = result["settings"], result["sorts"]
    runs = [
        [name.removeprefix("workers="), run["seconds"], run["programs_per_second"]]
        for name, run in result["runs"].items()
    ]
    columns = ["texts", "pass", "no program", "repaired", "mean seconds", "longest"]
    apart = [
        f"- `{one['text'][:160]}` ({one['characters']} characters): g++ alone {'passes' if one['plain'] else 'fails'} it, "
        f"the verifier: {one['verifier']}, {one['says'][:160]}"
        for one in (*result["differ"], *result["undecided"])
    ]
    return "\n".join([
        f"# Programs judged as in training, and by g++ alone, {date.today()}", "",
        *_table(["workers", "seconds", "programs a second"], runs), "",
        *_table(["text", *columns], [[sort, *(counts[key] for key in columns)] for sort, counts in sorts.items()]), "",
        f"{result['agree']:,} of {result['of']:,} verdicts agree with g++ alone, {len(result['differ'])} differ, "
        f"{len(result['undecided'])} abstain.", "", *apart, *[""] * bool(apart),
        "*edited*: one token; *no program*: does not compile; *repaired*: fails tests, and a change that mends it was found.",
        f"{platform.machine()}, {os.cpu_count()} cores; load of the machine before {result['load_before'][0]}, after "
        f"{result['load_after'][0]}; {', '.join(f'{key}={value}' for key, value in settings.items() if key in _NAMED)}.", "",
    ])  # fmt: skip


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    return [f"| {' | '.join(map(str, row))} |" for row in (columns, ["---"] * len(columns), *rows)]


def main(words: Sequence[str]) -> int:
    settings, _ = arguments.read(words, DEFAULTS)
    source = prompts(settings["split"])
    drawn = source.since(0, settings["seed"]) if source.is_endless else iter(source)
    if settings["judged"]:
        return int(bool(compare_verdicts(list(itertools.islice(drawn, settings["judged"])), settings)))
    chosen = list(itertools.islice(drawn, settings["count"]))
    tests = sum(len(prompt.facts["tests"]) for prompt in chosen)
    start, wrong = time.perf_counter(), list[str]()
    for begin in range(0, len(chosen), settings["batch"]):
        batch = chosen[begin : begin + settings["batch"]]
        for prompt, at, printed in disagreements(batch, sanitize=bool(settings["sanitize"])):
            wrong.append(prompt.id)
            print(f"{prompt.id}, test {at}: {prompt.facts['tests'][at]}\nprinted: {printed}\n{prompt.reference}")
    seconds = time.perf_counter() - start
    print(f"{len(chosen)} programs of {settings['split']}, {tests} tests: {len(wrong)} disagree ({seconds:.0f} s)")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
