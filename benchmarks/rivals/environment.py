"""The rivals' own environments: one for the last TRL with PPO, one for the current release. Made once, kept in a folder.

Torch, transformers, peft and, where weights are quantised, bitsandbytes are those of the benchmark's own environment, so
that the kernels are the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

SHARED = ("torch", "transformers", "peft", "accelerate", "tokenizers", "datasets")
TRL = {"trl_ppo": "trl==1.12.0", "trl_grpo": "trl"}
QUANTISER = "bitsandbytes"
SHOWN = (*SHARED, QUANTISER, "trl")


def python_of(folder: Path, rival: str, *, quantises: bool = False) -> Path:
    """The interpreter of ``rival``'s environment under ``folder``, which is made where it is missing."""
    python = folder / rival / "bin" / "python"
    if not python.exists():
        venv.create(folder / rival, with_pip=True)
    wanted = missing(versions_of(python), rival, quantises=quantises)
    if wanted:
        print(f"installing {' '.join(wanted)} into {folder / rival}")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def missing(found: Mapping[str, str], rival: str, *, quantises: bool) -> list[str]:
    """What pip has to install into an environment with these versions."""
    wanted = [] if "trl" in found else [f"{name}=={version(name)}" for name in SHARED] + [TRL[rival]]
    return wanted + ([f"{QUANTISER}=={version(QUANTISER)}"] if quantises and QUANTISER not in found else [])


def versions_of(python: Path | str) -> dict[str, str]:
    """Which versions of what matters an environment has."""
    code = (
        "import json, importlib.metadata as m\nfound = {}\n"
        f"for name in {SHOWN}:\n"
        "    try: found[name] = m.version(name)\n"
        "    except m.PackageNotFoundError: pass\n"
        "print(json.dumps(found))"
    )
    found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return json.loads(found)


def own_versions() -> dict[str, str]:
    return versions_of(sys.executable)
