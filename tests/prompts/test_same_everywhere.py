"""Every source makes the same prompts in every process: literal digests of the first ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import rdkit
from made import digest, take

from rlsf_lightning.config.extension_points import PROMPT_SOURCE
from rlsf_lightning.config.plugins import resolve

#: Of the first 20 prompts of train and of validation.
DIGESTS = {
    "chem_forward": ("c5380ce6778e08ed", "c4509c807ab03cba"),
    "chem_molgen": ("d2b3f13c5c508df1", "62b4adf64a426943"),
    "chem_naming": ("69d0292feb250b1e", "bc8c0ba7bedbabda"),
    "chem_retro": ("4aa4694aacb1452f", "2941ca5fa69931e0"),
    "game24": ("8124e6929aedd494", "2450ba4530c6c6af"),
    "game24_steps": ("c7d6c1dd221c306d", "75424b0875e32a88"),
    "iupac": ("d5b49a70b61624e6", "7128012f459609f0"),
    "json_extract": ("025778fdf4e32f2f", "91f7a1d880e7b25a"),
    "math_word": ("60f01509ba3ad253", "79829a5635ac4d11"),
    "pseudocode_cpp": ("c65be5adb8b74406", "0cf318a3d38ab9ff"),
    "text_to_sql": ("aa33ff64fb909e22", "391304984721f398"),
}
#: Canonical SMILES are another release's own.
RDKIT = "2026.09"
OF_RDKIT = ("chem_forward", "chem_molgen", "chem_retro")


def digests(name: str) -> tuple[str, str]:
    source = resolve(PROMPT_SOURCE, name)
    return digest(take(source("train"), 20)), digest(take(source("validation"), 20))


def test_every_source_that_ships_is_here() -> None:
    assert set(DIGESTS) == set(PROMPT_SOURCE.shipped())


@pytest.mark.parametrize("name", DIGESTS)
def test_a_source_has_not_changed(name: str) -> None:
    if name in OF_RDKIT and not rdkit.__version__.startswith(RDKIT):
        pytest.skip(f"the digest is of RDKit {RDKIT}, this is {rdkit.__version__}")
    assert digests(name) == DIGESTS[name]


def test_a_source_does_not_depend_on_the_order_of_sets() -> None:
    code = (
        "from tests.prompts.test_same_everywhere import *; print(*(digests(name) == DIGESTS[name] for name in DIGESTS))"
    )
    code = f"import sys; sys.path.insert(0, 'tests/prompts'); {code}"
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    seen = dict(zip(DIGESTS, done.stdout.split(), strict=True))
    assert {name for name, equal in seen.items() if equal != "True"} == {
        name for name in OF_RDKIT if not rdkit.__version__.startswith(RDKIT)
    }
