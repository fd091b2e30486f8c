"""Second opinions: each module keeps its contract and judges what is known by hand, and differences are counted rightly."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import corpora  # noqa: E402
import opinions  # noqa: E402
import second_opinion  # noqa: E402
import verifiers_common as common  # noqa: E402
from corpora import Case  # noqa: E402
from opinions import Opinion  # noqa: E402

from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict  # noqa: E402

T = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'y');"
ADD = [{"input": "1 2", "output": "3"}]
#: verifier, facts, reference, completion, whether it is right.
KNOWN: list[tuple[str, dict[str, Any], str | None, str, bool]] = [
    ("game24", {"numbers": [4, 6, 1, 1]}, None, "4\u00d76*1/1 = 24.", True),
    ("game24", {"numbers": [4, 6, 1, 1]}, None, "4*6*1", False),
    ("game24", {"numbers": [4, 6]}, None, "4 * 6 = 24 (left: 24)\nAnswer: 6x4", True),
    ("game24", {"numbers": [4, 6]}, None, "4 * 6 = 24 (left: 23)", False),
    ("grammar", {"schema": {"multipleOf": 2}}, None, "4", True),
    ("grammar", {"schema": {"required": ["a"]}}, None, '{"a": 1, "a": 2}', False),
    ("grammar", {"grammar": 'start: "a" start | "b"'}, None, "aab", True),
    ("grammar", {"grammar": 'start: "a" start | "b"'}, None, "aba", False),
    ("sql", {"schema": T}, "SELECT b FROM t WHERE a > 1", "SELECT b FROM t WHERE NOT a <= 1", True),
    ("sql", {"schema": T}, "SELECT a FROM t ORDER BY b", "SELECT a FROM t ORDER BY b, a DESC", True),
    ("sql", {"schema": T}, "SELECT a FROM t ORDER BY b", "SELECT a FROM t ORDER BY b DESC", False),
    ("sql", {"schema": T}, "SELECT a FROM t", "DELETE FROM t", False),
    ("sql", {"schema": T}, "SELECT a FROM t", "SELECT {'a': a} FROM t", False),
    ("sql", {"schema": T}, "SELECT a FROM t", "SELECT t FROM t", False),
    ("math", {}, "\\frac{1}{\\sqrt{2}}", "\\boxed{\\frac{\\sqrt{2}}{2}}", True),
    ("math", {}, "10^{-20}", "\\boxed{10^{-21}}", False),
    ("math", {}, "5", "So 2 + 2 = 5.\n#### 5", False),
    ("smiles", {}, "C[C@H](O)F", "O[C@@H](C)F", True),
    ("smiles", {}, "C[C@H](O)F", "O[C@H](C)F", False),
    ("smiles", {}, "Cc1c[nH]cn1", "Cc1cnc[nH]1", False),
    ("reaction", {}, "CCO.Cl", "Cl.OCC", True),
    ("reaction", {}, "CCO.Cl", "Cl.OCC.Cl", False),
    ("molecule", {"facts": [{"formula": "C2H6O"}, {"property": "rings", "count": 0}]}, None, "CCO", True),
    ("molecule", {"facts": [{"functional_group": "alcohol", "count": 2}]}, None, "CCO", False),
    ("smt", {"declarations": "(declare-const x Int)", "specification": ["(> x 3)"]}, None, "(assert (> x 4))", True),
    ("smt", {"declarations": "(declare-const x Int)", "specification": ["(> x 3)"]}, None, "(assert (> x 2))", False),
    ("iupac_name", {}, "CC(O)C", "propan-2-ol", True),
    ("iupac_name", {}, "CCCO", "propan-2-ol", False),
    ("cpp", {"tests": ADD}, None, "int main() { int a, b; cin >> a >> b; cout << a + b; }", True),
    ("cpp", {"tests": ADD}, None, "int main() { int a, b; cin >> a >> b; cout << a - b; }", False),
]
SLOW = {"cpp", "iupac_name", "smt"}


def module_of(name: str) -> Any:
    try:
        module = opinions.opinions_of(name)
    except ModuleNotFoundError as error:
        pytest.skip(f"no package {error.name}")
    absent = module.absent() if hasattr(module, "absent") else None
    if absent:
        pytest.skip(absent)
    return module


@pytest.mark.parametrize(
    ("name", "facts", "reference", "text", "right"),
    [pytest.param(*row, marks=pytest.mark.slow) if row[0] in SLOW else row for row in KNOWN],
)
def test_what_is_known_by_hand(name: str, facts: dict[str, Any], reference: str | None, text: str, right: bool) -> None:
    said = module_of(name).opinion(Case(Prompt("p", "", reference, facts=facts), text))
    assert said.passes is right, said


def test_every_verifier_has_a_second_opinion() -> None:
    assert opinions.names() == corpora.names()


@pytest.mark.parametrize("name", ["game24", "grammar", "sql", "math", "smiles", "molecule", "reaction"])
def test_no_verdict_differs_without_a_reason(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RLSF_DATA", raising=False)
    module = module_of(name)
    defaults = {"verifiers": name, "seed": 3, "count": 60}
    bench = common.bench_of(name, defaults, set(defaults))
    for _, case in second_opinion.texts(bench, module):
        certificate = bench.verifier.verify(case.prompt, case.completion)
        said = second_opinion.asked(module, case)
        if second_opinion.compared(certificate, said) == "differ":
            assert module.explain(case, certificate, said) in module.EXPLAINED, (case, certificate, said)


PASS = Certificate(Verdict.PASS, score=1.0)
FAIL = Certificate(Verdict.FAIL, (Finding("wrong", ""),))


@pytest.mark.parametrize(
    ("certificate", "passes", "outcome"),
    [
        (PASS, True, "agree"),
        (PASS, False, "differ"),
        (PASS, None, "undecided"),
        (FAIL, False, "agree"),
        (FAIL, True, "differ"),
        (Certificate(Verdict.ABSTAIN), True, "abstained"),
    ],
)
def test_outcomes(certificate: Certificate, passes: bool | None, outcome: str) -> None:
    assert second_opinion.compared(certificate, Opinion(passes, "")) == outcome


def test_every_difference_is_kept_with_its_class(tmp_path: Path) -> None:
    cases = [Case(Prompt(str(n), "", "r"), text) for n, text in enumerate(["right", "odd", "wrong", "unknown"])]
    module = SimpleNamespace(
        TOOLS=(),
        HOW="by hand",
        EXPLAINED={"oddity": "it is odd"},
        opinion=lambda case: Opinion({"right": True, "unknown": None}.get(case.completion, False), "so"),
        explain=lambda case, certificate, said: "oddity" if case.completion == "odd" else None,
        texts=lambda count, rng: iter(cases),
    )
    corpus = SimpleNamespace(
        correct=lambda count, rng: [Case(Prompt("c", "", "r"), "right")],
        spellings=lambda case, rng: iter(["right"]),
        inject=lambda case, rng: None,
    )
    settings = {"seed": 0, "count": 40, "results": str(tmp_path)}
    verifier = SimpleNamespace(verify=lambda prompt, completion: PASS)
    bench: Any = common.Bench("toy", corpus, verifier, settings)  # type: ignore[arg-type]
    measured = second_opinion.measured_by(bench, module)
    assert (measured["explained"], measured["undecided"], measured["classes"]["oddity"]) == (1, 1, 1)
    assert measured["texts"] == sum(measured[key] for key in ("agree", "explained", "differ", "undecided"))
    rows = [json.loads(line) for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]
    classes = {row["completion"]: row["class"] for row in rows}
    assert (classes["odd"], classes["wrong"]) == ("oddity", "unexplained")
    assert len(rows) == measured["explained"] + measured["differ"]


def test_the_same_seed_gives_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RLSF_DATA", raising=False)
    defaults = {"verifiers": "game24", "seed": 7, "count": 40}
    bench = common.bench_of("game24", defaults, set(defaults))
    once, again = ([*second_opinion.texts(bench, module_of("game24"))] for _ in range(2))
    assert once == again and len(once) == 40
    assert len({(case.prompt.id, case.completion) for _, case in once}) == 40
