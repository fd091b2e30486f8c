"""The certificate's side of the house works where torch, lightning, transformers and peft cannot be imported."""

import subprocess
import sys

_CODE = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "lightning", "pytorch_lightning", "transformers", "peft"):
            raise ImportError(f"{name} was imported")

sys.meta_path.insert(0, Refuse())
import rlsf_lightning.prompts, rlsf_lightning.symbolic
names = [
    found.name
    for package in (rlsf_lightning.symbolic, rlsf_lightning.prompts)
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
]
for name in names:
    importlib.import_module(name)

from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.render import render
from rlsf_lightning.symbolic.loader import load_verifier

certificate = load_verifier("smiles", {}).verify(Prompt("id", "ethanol", "CCO"), "CCN")
print(len(names), certificate.verdict.value, certificate.dead_from)
print(render("CCN", certificate))
"""


def test_every_module_imports_and_a_verification_runs() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    count, verdict, dead_from = done.stdout.splitlines()[0].split()
    assert int(count) >= 10
    assert (verdict, dead_from) == ("fail", "2")
    assert "wrong_atoms" in done.stdout
