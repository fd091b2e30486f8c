"""Names and structures of the ``chemicals`` package: a made-up package of five lines, then the installed one."""

import itertools
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.sources import iupac
from rlsf_lightning.prompts.sources.iupac import prompts

LINES = [
    "1\t-\tf\tm\tCCO\tinchi\tkey\tethanol\tn,n-nonsense\talcohol\n",
    "2\t-\tf\tm\tCNC\tinchi\tkey\tnot a name\tn-methylmethanamine\tN-methylmethanamine\tdimethylamine\n",
    "3\t-\tf\tm\t[Na+].[Cl-]\tinchi\tkey\tsalt\n",
    "4\t-\tf\tm\tCc1ccccc1C\tinchi\tkey\to-xylene\t1,2-xylene\n",
    "5\t-\tf\tm\tC\tinchi\tkey\tmethane\n",
]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The five lines, and an index of lines 0 (warm), 1 (rl), 3 (test) and 4 (rl)."""
    path = tmp_path / "names.tsv"
    path.write_bytes("".join(LINES).encode())
    spellings = ["C(C)O", "OCC", "", "", "", "", "", ""]
    np.savez_compressed(
        tmp_path / "index.npz",
        line=np.array([0, 1, 3, 4], dtype=np.uint32),
        checksum=np.array([zlib.crc32(LINES[i].encode()) for i in (0, 1, 3, 4)], dtype=np.uint32),
        split=np.array([0, 1, 3, 1], dtype=np.uint8),
        name_count=np.array([2, 3, 2, 1], dtype=np.uint16),
        name_column=np.array([7, 9, 8, 9, 10, 7, 8, 7], dtype=np.uint16),
        name_variant=np.array([0, 0, 0, 0, 0, 1, 0, 0], dtype=np.uint8),
        spellings=np.frombuffer(zlib.compress("\n".join(spellings).encode()), dtype=np.uint8),
    )
    monkeypatch.setattr(iupac, "_INDEX", tmp_path / "index.npz")
    monkeypatch.setattr(iupac, "source_path", lambda: path)
    return path


def told(split: str, **options: bool) -> list[tuple[str, str, str | None, str | None]]:
    return [(p.id, p.text, p.reference, p.target) for p in prompts(split, **options)]


def test_one_prompt_a_molecule_with_its_first_verified_name(package: Path) -> None:
    assert told("warm") == [("pubchem:1", "ethanol", "CCO", "C(C)O")]
    # The file's lower case is undone; the salt is in no split, as the index does not hold it.
    assert told("rl") == [("pubchem:2", "N-methylmethanamine", "CNC", None), ("pubchem:5", "methane", "C", None)]
    # The index says which of the spellings was verified: of o-xylene's, here, the second.
    assert told("test") == [("pubchem:4", "O-xylene", "Cc1ccccc1C", None)]
    assert told("validation") == []
    assert told("train") == told("rl")
    assert [row[0] for row in told("all")] == ["pubchem:1", "pubchem:2", "pubchem:4", "pubchem:5"]


def test_all_phrasings_are_prompts_of_their_own_with_their_own_target(package: Path) -> None:
    assert told("warm", all_phrasings=True) == [
        ("pubchem:1", "ethanol", "CCO", "C(C)O"),
        ("pubchem:1#1", "alcohol", "CCO", "OCC"),
    ]
    # The second name differs from the first in its case alone, and so is the same once the case is undone.
    assert [row[:2] for row in told("rl", all_phrasings=True)] == [
        ("pubchem:2", "N-methylmethanamine"),
        ("pubchem:2#1", "dimethylamine"),
        ("pubchem:5", "methane"),
    ]


def test_a_line_of_another_release_is_skipped_with_one_warning(package: Path) -> None:
    package.write_bytes("".join([LINES[0], LINES[1].replace("CNC", "CCNC"), *LINES[2:]]).encode())
    with pytest.warns(UserWarning, match=r"1 of 2 molecules were left out: .*chemicals 1\.5\.2") as caught:
        assert [row[0] for row in told("rl")] == ["pubchem:5"]
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [row[0] for row in told("test")] == ["pubchem:4"]


def test_a_shorter_file_is_another_release(package: Path) -> None:
    package.write_bytes("".join(LINES[:3]).encode())
    with pytest.warns(UserWarning, match="1 of 2 molecules"):
        assert [row[0] for row in told("rl")] == ["pubchem:2"]


def test_a_file_without_any_indexed_line_is_an_error(package: Path) -> None:
    package.write_bytes(b"something else\n")
    with pytest.raises(UserError, match=r'no molecule in .*\n.*pip install "chemicals==1\.5\.2"'):
        told("rl")


def test_missing_package_is_an_error_with_the_line_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iupac.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'is not installed\n.*pip install "chemicals==1\.5\.2"'):
        prompts("rl")


def test_unknown_split(package: Path) -> None:
    with pytest.raises(UserError, match="did you mean `warm`"):
        prompts("warmm")


# --- the installed package --------------------------------------------------------------------------------------------


def canonical(smiles: str | None) -> str:
    assert smiles is not None
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


def test_first_prompts() -> None:
    first = next(prompts("warm"))
    # CID 7 is the file's first line: CCN1C=NC2=C1N=CN=C2N, "9-ethylpurin-6-amine".
    assert (first.id, first.text, first.reference) == ("pubchem:7", "9-ethylpurin-6-amine", "CCN1C=NC2=C1N=CN=C2N")
    assert [p.text for p in itertools.islice(prompts("warm", all_phrasings=True), 3)] == [
        "9-ethylpurin-6-amine",
        "9-ethyladenine",
        "9-ethyl-9H-purin-6-amine",
    ]


@pytest.mark.parametrize("split, count", [("rl", 10_039), ("validation", 2_564), ("test", 2_507)])
def test_size_of_the_held_out_splits_and_no_targets_in_them(split: str, count: int) -> None:
    start = time.process_time()
    read = list(prompts(split))
    assert time.process_time() - start < 2.0
    assert len(read) == len({p.id for p in read}) == count
    assert all(p.target is None and p.text and p.reference for p in read)


def test_targets_spell_the_reference_molecule() -> None:
    sample = list(itertools.islice(prompts("warm", all_phrasings=True), 0, 20_000, 50))
    assert len(sample) == 400
    assert all(canonical(p.target) == canonical(p.reference) for p in sample)
    assert sum(p.target != p.reference for p in sample) > len(sample) / 2


def molecules(split: str, every: int) -> set[str]:
    read = [p.reference for p in itertools.islice(prompts(split), 0, None, every)]
    found = {canonical(smiles) for smiles in read}
    assert len(found) == len(read)
    return found


def assert_disjoint(every: int) -> None:
    # Every molecule of the small splits against a sample of the large ones.
    splits = [molecules("warm", every), molecules("rl", every), molecules("validation", 1), molecules("test", 1)]
    for one, other in itertools.combinations(splits, 2):
        assert not one & other


def test_no_molecule_is_in_two_splits_of_a_sample() -> None:
    assert_disjoint(every=50)


@pytest.mark.slow
def test_no_molecule_is_in_two_splits() -> None:
    assert_disjoint(every=1)
