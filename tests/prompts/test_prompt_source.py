"""``data.source`` and ``data.path`` -> prompts: finding the source, limits, errors; no torch comes with them."""

import itertools
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Columns, Data
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import check_source, load_prompts, source
from rlsf_lightning.prompts.generated import Generated, Task
from rlsf_lightning.records import Prompt

SOURCE = """
from rlsf_lightning.records import Prompt

def prompts(split):
    for number in range({"train": 6, "test": 2}.get(split, 0)):
        yield Prompt(f"x.csv:{number + 1}", f"{split} {number}")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package ``mine`` on the path of imports, with a source ``mine.numbers``."""
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "numbers.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]


def ids(prompts: Iterator[Prompt]) -> list[str]:
    return [prompt.id for prompt in prompts]


def test_a_module_of_ones_own(module: Path) -> None:
    data = Data(source="mine.numbers")
    check_source(data)
    assert ids(load_prompts(data, "train")) == [f"x.csv:{n}" for n in (1, 2, 3, 4, 5, 6)]
    assert ids(load_prompts(data, "test")) == ["x.csv:1", "x.csv:2"]
    # It knows one name of each thing only, so that there is nothing more to yield.
    assert ids(load_prompts(data, "test", all_phrasings=True)) == ["x.csv:1", "x.csv:2"]


def test_limit_takes_the_smallest_hashes_in_their_order(module: Path) -> None:
    # printf %s x.csv:N | b2sum -l 64, N = 1 ... 6: 552f..., cd12..., 294e..., 52e3..., 9f2b..., 324b...
    data = Data(source="mine.numbers")
    assert ids(load_prompts(data, "train", limit=3)) == ["x.csv:3", "x.csv:6", "x.csv:4"]
    assert ids(load_prompts(data, "train", limit=10)) == [f"x.csv:{n}" for n in (3, 6, 4, 1, 5, 2)]
    assert ids(load_prompts(data, "train", limit=0)) == []


def test_of_prompts_that_are_made_a_limit_takes_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Generated("sums", lambda rng: Task(f"{rng.randrange(10**6)}"), "train")
    monkeypatch.setattr(source, "resolve", lambda kind, name: lambda split: made)
    front = [prompt.id for prompt in itertools.islice(made.since(0), 3)]
    assert ids(load_prompts(Data(source="sums"), "train", limit=3)) == front


def test_limit_draws_from_a_bounded_front_of_a_stream(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SAMPLED_FROM", 2)
    assert ids(load_prompts(Data(source="mine.numbers"), "train", limit=3)) == ["x.csv:1", "x.csv:2"]


def test_built_in_source_by_its_short_name_and_all_phrasings() -> None:
    data = OmegaConf.structured(Data(source="iupac"))
    check_source(data)
    names = load_prompts(data, "train", all_phrasings=True)
    assert [next(names).id for _ in range(3)] == ["pubchem:72", "pubchem:72#1", "pubchem:72#2"]


def test_a_limited_subset_is_not_the_front_of_the_file() -> None:
    data = Data(source="iupac")
    front = [next(found) for found in [load_prompts(data, "test")] for _ in range(100)]
    chosen = list(load_prompts(data, "test", limit=100))
    assert len({p.id for p in chosen}) == 100
    assert len({p.id for p in chosen} & {p.id for p in front}) < 20


def test_a_path_replaces_the_source(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("name,smiles\nethane,CC\n")
    data = Data(source="iupac", path=str(path), columns=Columns("name", "smiles"))
    check_source(data)
    assert list(load_prompts(data, "all")) == [Prompt("mine.csv:1", "ethane", reference="CC")]


@pytest.mark.parametrize(
    "name, message",
    [
        ("iupc", r"data\.source=iupc: no such prompt source; did you mean `iupac`\? Write one of .*, iupac, "),
        ("mine.nothing", r"data\.source=mine\.nothing: no such prompt source"),
        ("nobody.nothing", r"data\.source=nobody\.nothing: no such prompt source"),
        ("rlsf_lightning.prompts.splits", r"has no prompt source `prompts`"),
        ("rlsf_lightning.prompts.files", r"a function prompts\(split\)"),
        ("", "no such prompt source"),
        ("a..b", "no such prompt source"),
    ],
)
def test_unknown_sources(module: Path, name: str, message: str) -> None:
    for act in (check_source, lambda data: load_prompts(data, "train")):
        with pytest.raises(UserError, match=message):
            act(Data(source=name))


def test_helpers_are_not_offered_as_sources() -> None:
    with pytest.raises(UserError) as caught:
        check_source(Data(source="nothing-like-it"))
    offered = str(caught.value).lower().partition("write one of ")[2]
    assert "iupac" in offered
    assert not any(helper in offered for helper in ("splits", "files", "source,", "build_iupac_index"))


@pytest.mark.parametrize(
    "body, message",
    [
        ("def prompts(split):\n    return iter(())", "its train split is empty"),
        ("def prompts(split):\n    yield 'ethane'", r"must yield rlsf_lightning\.Prompt, got a str"),
    ],
)
def test_sources_that_yield_nothing_of_use(module: Path, body: str, message: str) -> None:
    (module / "odd.py").write_text(body)
    with pytest.raises(UserError, match=message):
        check_source(Data(source="mine.odd"))


def test_a_source_that_fails_to_import_is_not_called_unknown(module: Path) -> None:
    (module / "broken.py").write_text("import a_module_that_nobody_has\n\ndef prompts(split): ...\n")
    with pytest.raises(UserError, match=r"cannot be imported: ModuleNotFoundError: .*a_module_that_nobody_has"):
        check_source(Data(source="mine.broken"))


def test_reading_loads_no_torch_writes_no_cache_and_asks_no_network(tmp_path: Path) -> None:
    script = """
        import os, socket, sys
        def refuse(*args, **kwargs):
            raise AssertionError(f"asked the network for {args}")
        socket.socket.connect = socket.getaddrinfo = refuse

        from rlsf_lightning.prompts import check_source, load_prompts
        from rlsf_lightning.config.schema import Data
        next(load_prompts(Data(source="iupac"), "train", limit=1))
        for name in ("p.csv", "p.jsonl", "p.parquet"):
            assert "datasets" not in sys.modules, name
            data = Data(path=name)
            check_source(data)
            assert [p.text for p in load_prompts(data, "all")] == ["ethane"], name
        assert "datasets" in sys.modules
        loaded = {"torch", "lightning", "transformers", "peft"} & set(sys.modules)
        assert not loaded, loaded
        assert "USE_TORCH" not in os.environ
    """
    (tmp_path / "p.csv").write_text("prompt,reference\nethane,CC\n")
    (tmp_path / "p.jsonl").write_text('{"prompt": "ethane", "reference": "CC"}\n')
    table = pyarrow.table({"prompt": ["ethane"], "reference": ["CC"]})
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    home = tmp_path / "home"
    home.mkdir()
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={"HOME": str(home), "PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    assert list(home.rglob("*")) == []
    assert {path.name for path in tmp_path.iterdir()} == {"p.csv", "p.jsonl", "p.parquet", "home"}
