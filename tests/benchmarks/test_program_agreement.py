"""Verdicts beside those of g++ alone: what differs, what abstains, and how the results tell it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import program_agreement

from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict

PASS = Certificate(Verdict.PASS, score=1.0, seconds=0.2)
WRONG = Certificate(Verdict.FAIL, (Finding("wrong_output", "test 0"),), witness={"repair": [0, 1, "2"]}, seconds=0.6)
BROKEN = Certificate(Verdict.FAIL, (Finding("syntax", "expected ;"),), seconds=0.1)
NONE = Certificate(Verdict.ABSTAIN, witness={"error": "g++ was stopped: a limit"}, seconds=1.0)


def test_results_tell_what_differs_and_what_abstains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [Prompt(str(number), "", "int main() {}") for number in range(6)]
    texts = [
        (sort, prompt, f"text {prompt.id}") for sort, prompt in zip(["gold"] * 3 + ["edited"] * 3, prompts, strict=True)
    ]
    certificates = [PASS, PASS, NONE, WRONG, BROKEN, WRONG]
    plain = [True, False, True, False, False, True]
    monkeypatch.setattr(program_agreement, "written", lambda *given: iter(texts))
    monkeypatch.setattr(program_agreement, "plain_verdicts", lambda given: plain)
    run = {"seconds": 3.0, "programs_per_second": 2.0}
    monkeypatch.setattr(program_agreement, "judged", lambda given, workers, explain: (certificates, run))
    settings: dict[str, Any] = {**program_agreement.DEFAULTS, "judged": 6, "results": str(tmp_path)}
    assert program_agreement.compare_verdicts(prompts, settings) == 2
    (page,), (data,) = tmp_path.glob("*.md"), tmp_path.glob("*.json")
    result = json.loads(data.read_text())
    assert [row["id"] for row in result["differ"]] == ["1", "5"] and [row["id"] for row in result["undecided"]] == ["2"]
    assert result["agree"] == 3 and result["undecided"][0]["says"] == "g++ was stopped: a limit"
    edited = {"texts": 3, "pass": 0, "no program": 1, "repaired": 2, "mean seconds": 0.433, "longest": 0.6}
    assert result["sorts"]["edited"] == edited
    text = page.read_text()
    assert "| 2 | 3.0 | 2.0 |" in text and "| edited | 3 | 0 | 1 | 2 | 0.433 | 0.6 |" in text
    assert "3 of 6 verdicts agree with g++ alone, 2 differ, 1 abstain." in text
    assert "- `'text 5'` (6 characters): g++ alone passes it, the verifier: fail, test 0" in text
