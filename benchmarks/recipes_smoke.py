"""Do the recipes of the wheel work as they stand: offline, from an empty folder, one command after the other?

    python benchmarks/recipes_smoke.py [recipes=all] [limit=100] [evaluated=16] [words=] [folder=FOLDER] [results=FOLDER]

The wheel is built and installed into a folder that stands before everything else, so that no file of this checkout is seen;
what it depends on is that of this Python. For each recipe: ``validate`` (``limit`` known answers of each split), ``fit`` for
ten steps with the batch of the recipe, ``evaluate`` of ``evaluated`` held-out prompts with one sample each, and ``certify`` of
a known answer and of one with a letter or digit changed, which must pass and fail. ``words`` are further arguments of ``fit``,
between blanks, such as a smaller batch on a busy machine. All that a command says lies in
``folder``, by default a temporary one.

Left out: that anything is learnt; hub models; a GPU.
Writes benchmarks/results/recipes_smoke_<machine>_<date>.json and .md, and the table to the terminal. Exit status 1: a command
failed, or a verdict was another one.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import arguments

ROOT = Path(__file__).parents[1]
DEFAULTS = {
    "recipes": "all",
    "limit": 100,
    "evaluated": 16,
    "words": "",
    "folder": "",
    "results": str(ROOT / "benchmarks" / "results"),
}
#: Seconds after which a command is taken to hang.
MOST_SECONDS = 3600
#: The first prompt of a recipe with its known answer, and a wrong one, as ``certify`` is asked.
ASKED = """
import itertools, json, sys
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.prompts import recipe_prompts
prompt = next(recipe_prompts(load_recipe(sys.argv[1], []), "train"))
gold = prompt.target or prompt.reference
at = next(i for i in reversed(range(len(gold))) if gold[i].isalnum())
wrong = gold[:at] + ("7" if gold[at] != "7" else "8") + gold[at + 1 :]
facts = {f"facts.{name}": json.dumps(value) for name, value in prompt.facts.items()}
print(json.dumps({"prompt": prompt.text, "reference": prompt.reference, **facts, "right": gold, "wrong": wrong}))
"""


@dataclass
class Ran:
    """One command of a recipe; ``said``: its last line, or why it failed."""

    recipe: str
    command: str
    seconds: float
    ok: bool
    said: str


class Installed:
    """The wheel in a folder of its own, and an empty folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.site, self.work, self.logs = folder / "site", folder / "work", folder / "logs"
        for made in (self.site, self.work, self.logs):
            made.mkdir(parents=True, exist_ok=True)
        build = [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(folder / "dist"),
            str(ROOT),
        ]
        subprocess.run(build, check=True, capture_output=True)
        (wheel,) = (folder / "dist").glob("*.whl")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--upgrade"]
        subprocess.run([*pip, "--target", str(self.site), str(wheel)], check=True, capture_output=True)
        self.environment = os.environ | {"PYTHONPATH": str(self.site), "HF_HUB_OFFLINE": "1"}
        seen = self.run(["-c", "import rlsf_lightning; print(rlsf_lightning.__file__)"]).stdout
        assert seen.startswith(str(self.site)), f"{seen} is not of the wheel"

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """A Python process in the empty folder."""
        command = [sys.executable, *words]
        return subprocess.run(
            command, cwd=self.work, env=self.environment, capture_output=True, text=True, timeout=MOST_SECONDS
        )

    def command(self, recipe: str, name: str, words: Sequence[str]) -> tuple[Ran, str]:
        """A command of the package; and its standard output."""
        start = time.perf_counter()
        done = self.run(["-m", f"rlsf_lightning.{name.split()[0]}", f"recipe={recipe}", *words])
        seconds = time.perf_counter() - start
        (self.logs / f"{recipe}_{name.replace(' ', '_')}.txt").write_text(done.stdout + "\n--- stderr\n" + done.stderr)
        lines = [line for line in (done.stdout if done.returncode == 0 else done.stderr).splitlines() if line.strip()]
        return Ran(recipe, name, seconds, done.returncode == 0, lines[-1] if lines else ""), done.stdout


def tried(installed: Installed, recipe: str, settings: Mapping[str, Any]) -> Iterator[Ran]:
    """The commands of one recipe."""
    yield installed.command(recipe, "validate", [f"limit={settings['limit']}"])[0]
    yield installed.command(
        recipe, "fit", ["trainer.max_epochs=1", f"run_dir=runs/{recipe}", *settings["words"].split()]
    )[0]
    adapter = [f"policy.adapter=runs/{recipe}/adapter", f"evaluation.limit={settings['evaluated']}"]
    ran, said = installed.command(recipe, "evaluate", [*adapter, "evaluation.samples=1", "format=json"])
    yield _with_metrics(ran, said) if ran.ok else ran
    asked = json.loads(installed.run(["-c", ASKED, recipe]).stdout)
    texts = {name: asked.pop(name) for name in ("right", "wrong")}
    words = [f"{key}={value}" for key, value in asked.items() if value is not None]
    for name, verdict in (("right", "pass"), ("wrong", "fail")):
        ran, said = installed.command(recipe, f"certify {name}", [f"completion={texts[name]}", *words, "format=json"])
        if ran.ok:
            found = json.loads(said)["verdict"]
            ran.ok, ran.said = found == verdict, found
        yield ran


def _with_metrics(ran: Ran, said: str) -> Ran:
    try:
        ran.said = f"{len(json.loads(said)['metrics'])} metrics"
    except (ValueError, KeyError) as error:
        ran.ok, ran.said = False, f"no report as JSON: {error!r}"
    return ran


def table(rows: Sequence[Ran]) -> Iterator[str]:
    """A line a recipe: seconds of each command, in bold what failed."""
    names = list(dict.fromkeys(row.command for row in rows))
    yield "| recipe | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for recipe in dict.fromkeys(row.recipe for row in rows):
        cells = [f"{row.seconds:.0f} s" if row.ok else f"**{row.said[:80]}**" for row in rows if row.recipe == recipe]
        yield f"| {recipe} | " + " | ".join(cells) + " |"


def main(words: Sequence[str]) -> int:
    settings, _ = arguments.read(words, DEFAULTS)
    known = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.yaml"))
    chosen = known if settings["recipes"] == "all" else settings["recipes"].split(",")
    folder = Path(settings["folder"] or tempfile.mkdtemp(prefix="recipes_")).resolve()
    installed, rows = Installed(folder), list[Ran]()
    for recipe in chosen:
        for ran in tried(installed, recipe, settings):
            rows.append(ran)
            print(
                f"{ran.recipe} {ran.command}: {'' if ran.ok else 'FAILED, '}{ran.seconds:.1f} s, {ran.said}", flush=True
            )
    about = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, Python {platform.python_version()}"
    lines = [
        f"# recipes_smoke, {date.today()}",
        "",
        f"`python benchmarks/recipes_smoke.py {' '.join(words)}`, {about}.",
        "",
    ]
    name = f"recipes_smoke_{platform.machine()}_{os.cpu_count()}cores_{date.today()}"
    written = Path(settings["results"]) / name
    written.with_suffix(".md").write_text("\n".join([*lines, *table(rows)]) + "\n")
    report = {"about": about, "settings": settings, "rows": [asdict(row) for row in rows]}
    written.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    print("\n".join(table(rows)), f"what they said: {installed.logs}", sep="\n")
    return int(not all(row.ok for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
