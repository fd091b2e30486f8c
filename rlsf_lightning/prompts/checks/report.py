"""The report on a recipe's data: as JSON, whose keys stay, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rlsf_lightning.prompts.checks.gold import Tally
from rlsf_lightning.prompts.checks.survey import Survey
from rlsf_lightning.prompts.lengths import PromptLengths

#: Of a split's known answers, the share below which a run would learn from a verifier that is not the task's.
LEAST_PASSING = 0.5


@dataclass
class DataReport:
    """All that was found. ``problems`` would break a run or make it worthless, ``warnings`` would not."""

    recipe: str
    source: str
    verifier: str
    tools: list[dict[str, Any]]
    survey: Survey
    lengths: PromptLengths | None
    gold: dict[str, Tally] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def conclude(self, too_long: str) -> None:
        """Add what the numbers mean. ``too_long``: ``data.too_long``."""
        if not self.survey.splits["train"].prompts:
            self.problems.append("the train split has no prompts")
        for shared in self.survey.shared:
            (first, second), example = shared["splits"], shared["examples"][0]
            self.problems.append(
                f"{first} and {second} share {shared['count']} (by {shared['by']}), such as {example[0]} and {example[1]}: "
                "write data.split_by=COLUMN for what must stay together, or data.overlap=drop where the splits are given"
            )
        for split, tally in self.gold.items():
            self._conclude_gold(split, tally)
        for split in self.survey.splits if self.lengths is not None else ():
            self._conclude_lengths(split, too_long)

    def _conclude_gold(self, split: str, tally: Tally) -> None:
        if tally.refused:
            message = tally.kinds["refused"].examples[0]
            self.problems.append(
                f"{split}: the verifier cannot work with {tally.refused} prompts or more, such as {message['prompt']}: "
                f"{message['message']}"
            )
        elif tally.judged and tally.passed < LEAST_PASSING * tally.judged:
            self.problems.append(f"{split}: {tally.passed} of {tally.judged} known answers pass")
        elif tally.passed < tally.judged:
            self.warnings.append(f"{split}: {tally.judged - tally.passed} of {tally.judged} known answers do not pass")
        if tally.bare:
            self.warnings.append(
                f"{split}: {tally.bare} known answers were judged as answers, for no answer is found in them as they stand: "
                "sft would not teach where an answer stands; data.columns.target names what it should write"
            )

    def _conclude_lengths(self, split: str, too_long: str) -> None:
        assert self.lengths is not None
        of = self.survey.splits[split]
        found = of.lengths_dict(self.lengths)
        if count := found["prompts_too_long"]:
            told = (
                f"{split}: {count} of {of.prompts} prompts and rollout.max_new_tokens={self.lengths.max_new_tokens} exceed the "
                f"context of {self.lengths.context} tokens, the longest has {found['prompt']['max']}"
            )
            breaks = too_long == "refuse" or count == of.prompts
            (self.problems if breaks else self.warnings).append(f"{told}; data.too_long={too_long}")
        if count := found["gold_too_long"]:
            self.warnings.append(
                f"{split}: {count} known answers are longer than rollout.max_new_tokens={self.lengths.max_new_tokens}, the "
                f"longest has {found['gold']['max']} tokens"
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "recipe": self.recipe,
            "source": self.source,
            "verifier": self.verifier,
            "ok": not self.problems,
            "problems": self.problems,
            "warnings": self.warnings,
            "tools": self.tools,
            "rows": self._rows(),
            "context": None if self.lengths is None else self.lengths.context,
            "max_new_tokens": None if self.lengths is None else self.lengths.max_new_tokens,
            "splits": {
                name: {
                    "prompts": of.prompts,
                    "repeated": of.repeated,
                    "gold": self.gold[name].to_dict() if name in self.gold else None,
                    "tokens": None if self.lengths is None else of.lengths_dict(self.lengths),
                }
                for name, of in self.survey.splits.items()
            },
            "shared": self.survey.shared,
        }

    def _rows(self) -> dict[str, Any] | None:
        rows = self.survey.rows
        if rows is None:
            return None
        return {"read": rows.read, "dropped": dict(rows.dropped.most_common()), "examples": rows.examples}


def table(report: DataReport) -> str:
    """The report for a terminal."""
    return "\n".join(_lines(report.to_dict()))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['source']}, verifier {found['verifier']}"
    for tool in found["tools"]:
        yield f"  {tool['name']}: {'there' if tool['found'] else 'missing; ' + tool['install']}"
    if found["rows"] is not None:
        yield f"  rows read: {found['rows']['read']:,}"
        for reason, count in found["rows"]["dropped"].items():
            yield f"  dropped: {count:,}, {reason}, such as {', '.join(found['rows']['examples'][reason])}"
    for name, split in found["splits"].items():
        yield ""
        yield from _split_lines(name, split, found)
    yield ""
    yield from (f"warning: {told}" for told in found["warnings"])
    yield from (f"problem: {told}" for told in found["problems"])
    yield "this data can be trained on" if found["ok"] else "a run would fail or learn nothing: see the problems"


def _split_lines(name: str, split: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    repeated = f", {split['repeated']:,} repeated" if split["repeated"] else ""
    yield f"{name}: {split['prompts']:,} prompts{repeated}"
    gold, tokens = split["gold"], split["tokens"]
    if gold and gold["judged"]:
        counts = ", ".join(
            f"{gold[what]:,} {what}" for what in ("passed", "failed", "abstained", "refused") if gold[what]
        )
        yield f"  known answers: {gold['judged']:,} judged, {counts} ({gold['pass_rate']:.2%} pass)"
        for kind in gold["kinds"]:
            yield f"    {kind['kind']}: {kind['count']:,}"
            for one in kind["examples"]:
                place = "" if one["span"] is None else f" at {one['span'][0]}-{one['span'][1]} {one['text']!r}"
                yield f"      {one['prompt']}{place}: {one['message']}"
    elif gold and gold["missing"]:
        yield "  no known answers"
    for what in ("prompt", "gold", "prompt_and_gold") if tokens else ():
        if of := tokens[what]:
            yield (
                f"  tokens, {what.replace('_', ' ')}: {of['min']} to {of['max']}, median {of['median']}, 99 % {of['p99']}"
            )
    if tokens and found["context"] is not None:
        yield (
            f"  too long: {tokens['prompts_too_long']} prompts for a context of {found['context']}, "
            f"{tokens['gold_too_long']} answers for {found['max_new_tokens']} new tokens"
        )
