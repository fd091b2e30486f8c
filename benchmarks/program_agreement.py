"""Do generated programs do what their tests say? Compiled with g++ and run, without a verifier and without its sandbox.

    python benchmarks/program_agreement.py [count=2000] [split=train] [batch=100] [sanitize=0] [seed=0]

The tests of ``pseudocode_cpp`` come from an interpreter; here the compiler has its say. Programs are compiled ``batch`` at a
time, each in a namespace of its own, which takes a tenth of the time. ``sanitize=1``: with the address and undefined behaviour
sanitizers, which end a program at the first thing that the standard leaves undefined. Exit status 1: some test disagrees.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import arguments

from rlsf_lightning.prompts.sources.pseudocode_cpp import prompts
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import HEADERS

DEFAULTS = {"count": 2000, "split": "train", "batch": 100, "sanitize": 0, "seed": 0}
_FLAGS = {False: ["-O1", "-w"], True: ["-O1", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]}


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


def main(words: Sequence[str]) -> int:
    settings, _ = arguments.read(words, DEFAULTS)
    source = prompts(settings["split"])
    drawn = source.since(0, settings["seed"]) if source.is_endless else iter(source)
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
