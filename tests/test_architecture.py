"""The architecture as a test: who may import whom, no circles, small folders and files, one skeleton for the verifiers.

Every import statement counts: those inside functions, and those for type checking alone.
"""

import ast
import re
import statistics
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rlsf_lightning"
NAME = PACKAGE.name

#: What stands alone at the top of the package, and imports nothing of it.
GROUND_FLOOR = {"_version", "errors", "records", "suggest"}
COMMANDS = {"__main__", "validate", "fit", "sft", "evaluate", "certify", "export"}
#: Each folder -> the folders that it may import beside itself and the ground floor. ``docs/architecture.md`` shows it.
MAY_IMPORT: Mapping[str, set[str]] = {
    "config": set(),
    "rl": set(),
    "symbolic": {"config"},
    "prompts": {"config", "symbolic"},
    "policy": {"config"},
    "evaluation": {"config", "symbolic", "prompts", "policy"},
    "training": {"config", "symbolic", "prompts", "policy", "rl", "evaluation"},
    "report": {"config", "symbolic", "evaluation", "training"},
    "callbacks": {"config"},  # the folder's search path; what lies on it are drop-ins, which may import anything
}
#: The same inside ``symbolic/``; beside these files, the lower ones: certificates, extract, repair, verifier.
MAY_IMPORT_IN_SYMBOLIC: Mapping[str, set[str]] = {
    "chemistry": set(),
    "answers": set(),
    "execution": {"loader", "answers"},
    "verifiers": {"chemistry", "execution"},
}
LOWER_IN_SYMBOLIC = {"certificates", "extract", "repair", "verifier"}
#: Of ``config/``, what ``symbolic/`` may know: how a name becomes an object.
SYMBOLIC_MAY_NAME = {f"{NAME}.config.plugins", f"{NAME}.config.extension_points"}

REQUIRED_ROLES = {"verifier", "task", "parse", "check", "recheck"}
OPTIONAL_ROLES = {"locate", "repair", "viable", "tool"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports; of ``from a import b`` the module b where it is one, else a."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == NAME)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == NAME:
            assert node.level == 0
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield below if below in MODULES else str(node.module)


IMPORTS = {name: set(imports(path)) - {name} for name, path in MODULES.items()}


def folder_of(module: str) -> str:
    """The folder of the package in which a module lies; the module's own name at the top."""
    return ([*module.split("."), ""])[1]


def test_there_are_no_import_circles() -> None:
    # A package's own file that re-exports what lies in it is no box of its own: who imports it means what it names.
    try:
        tuple(TopologicalSorter(IMPORTS).static_order())
    except CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", sorted(MODULES))
def test_who_imports_whom(module: str) -> None:
    folder = folder_of(module)
    if module == NAME or folder in COMMANDS:
        return
    allowed = MAY_IMPORT.get(folder, set()) | GROUND_FLOOR | {folder}
    if folder in GROUND_FLOOR:
        allowed = {folder}
    wrong = {other for other in IMPORTS[module] if folder_of(other) not in allowed}
    assert not wrong, f"{module} imports {sorted(wrong)}"


@pytest.mark.parametrize("module", [m for m in sorted(MODULES) if folder_of(m) == "symbolic"])
def test_who_imports_whom_in_symbolic(module: str) -> None:
    parts = module.split(".")
    room = parts[2] if len(parts) > 2 else ""
    for other in IMPORTS[module]:
        if folder_of(other) == "config":
            assert other in SYMBOLIC_MAY_NAME, f"{module} imports {other}"
        elif folder_of(other) == "symbolic" and room in MAY_IMPORT_IN_SYMBOLIC:
            there = other.split(".")
            allowed = MAY_IMPORT_IN_SYMBOLIC[room] | LOWER_IN_SYMBOLIC | {room}
            assert there[2] in allowed, f"{module} imports {other}"
            if room == there[2] == "verifiers":
                assert parts[3] == there[3], (
                    f"{module} imports another verifier, {other}: share it in chemistry or above"
                )


def test_folders_and_files_are_small() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert not {name: n for name, n in lengths.items() if n > 400}
    assert statistics.median(lengths.values()) <= 130
    for folder in {path.parent for path in MODULES.values()}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= 14, f"{folder} has {len(modules)} modules"


@pytest.mark.parametrize("folder", sorted(p for p in (PACKAGE / "symbolic" / "verifiers").iterdir() if p.is_dir()))
def test_every_verifier_has_the_same_skeleton(folder: Path) -> None:
    if folder.name == "__pycache__":
        return
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert modules | packages >= REQUIRED_ROLES
    assert modules <= REQUIRED_ROLES | OPTIONAL_ROLES, "further machinery lies in a package named for what it is"
    assert len((folder / "verifier.py").read_text().splitlines()) < 150
    assert defines(folder, "task", "task_of") and defines(folder, "recheck", "stands")
    own = module_name(folder / "verifier.py")
    importers = {name for name in MODULES if own in IMPORTS[name]}
    assert importers <= {own.removesuffix(".verifier")}, f"{importers} import {own}: hand them what they need"


def defines(folder: Path, role: str, name: str) -> bool:
    path = folder / f"{role}.py" if (folder / f"{role}.py").exists() else folder / role / "__init__.py"
    return any(
        getattr(node, "name", None) == name or name in {a.name for a in getattr(node, "names", [])}
        for node in ast.parse(path.read_text()).body
    )


def test_a_module_says_what_it_does_in_plain_terms() -> None:
    """A docstring that opens with a question word tells a riddle."""
    for name, path in MODULES.items():
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert doc, f"{name} has no docstring"
        assert doc.split()[0] not in ("What", "Where", "Which", "How"), f"{name}: {doc.splitlines()[0]}"


def test_the_glossarys_terms_stand_in_the_files_that_it_names() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    terms = page[page.index("Field terms") : page.index("Words of this house")]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| (.*`[a-z_/]+\.py`.*) \|$", terms, re.MULTILINE)
    assert len(rows) > 25
    for names, files in rows:
        texts = [(PACKAGE / file).read_text().lower() for file in re.findall(r"`([^`]+)`", files)]
        for name in names.split(", "):
            assert any(name.lower() in " ".join(text.split()) for text in texts), f"{name} is not in {files}"
