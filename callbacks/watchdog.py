"""Says when there is nothing to learn: a tool that always abstains stops the run, ten steps without contrast are told once.

``callbacks.watchdog=null`` switches both off. Each rank looks at its own completions, and rank 0 speaks.
"""

import sys
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate
from rlsf_lightning.rl.loss_weights import has_mixed_outcomes
from rlsf_lightning.training.hooks import RLSFCallback

#: Different reasons of abstentions that are told.
REASONS = 3
#: Characters of each.
REASON_WIDTH = 300


@dataclass(frozen=True)
class Step:
    """What one step's completions were worth."""

    completions: int
    judged: int  # the tool did not abstain
    right: int
    truncated: int
    lowest: float  # rewards of judged completions, without the penalty for leaving the reference
    highest: float
    has_verdicts: bool
    #: Some prompt had right and wrong completions.
    is_mixed: bool
    #: Some token has an advantage.
    teaches: bool


class Watchdog(RLSFCallback):
    """Looks at the first step, and at any ``steps`` steps in a row."""

    writes_rewards = False

    def __init__(self, steps: int = 10) -> None:
        if steps < 1:
            raise TypeError(f"steps must be positive, got {steps}")
        self.steps = steps
        self.seen: deque[Step] = deque(maxlen=steps)
        self.is_first, self.has_spoken = True, False

    def on_advantages_ready(self, trainer, module, rollout) -> None:
        if self.is_first and rollout.certificates:
            self.is_first = False
            judged = module.sum_over_ranks(torch.tensor([int(rollout.judged_B.sum())]))
            if not judged.any():
                raise UserError(all_abstained(module.recipe, rollout.certificates))
        if self.has_spoken or not trainer.is_global_zero:
            return
        self.seen.append(look_at(rollout))
        if len(self.seen) < self.steps:
            return
        compares_samples = module.spec.needs_group or module.recipe.rollout.keep == "mixed"
        told = no_contrast(self.seen, module.recipe, compares_samples=compares_samples)
        if told is not None:
            self.has_spoken = True
            print(f"\n{told}", file=sys.stderr, flush=True)


def all_abstained(recipe, certificates: Sequence[Certificate]) -> str:
    """The message that ends a run, with the reasons that the certificates give."""
    return (
        f"the verifier `{recipe.verifier.name}` abstained on all {len(certificates)} completions of the first step, so there "
        f"is nothing to learn from:\n{reasons_of(certificates)}\n"
        "Mend the verifier, its options or the references; `python -m rlsf_lightning.certify` tries them on one completion, "
        "and callbacks.watchdog=null trains all the same"
    )


def reasons_of(certificates: Iterable[Certificate]) -> str:
    """The most frequent reasons of abstentions, a line each. They may quote a completion: no control characters, no end."""
    counted = Counter(str(c.witness.get("error", "no reason given")) for c in certificates)
    lines = []
    for reason, count in counted.most_common(REASONS):
        words = "".join(c if c.isprintable() else " " for c in reason[:REASON_WIDTH]).split()
        lines.append(f"  {count} x {' '.join(words)}")
    rest = len(counted) - len(lines)
    return "\n".join([*lines, *([f"  and {rest} other reasons"] if rest else [])])


def look_at(rollout) -> Step:
    """One step, as far as this callback needs it."""
    channels = [channel for name, channel in rollout.rewards.items() if name != "kl"]
    reward_B = torch.stack(channels).sum(0).sum(1)[rollout.judged_B]
    return Step(
        completions=len(rollout.completions),
        judged=len(reward_B),
        right=int(rollout.passed_B.sum()),
        truncated=int((~rollout.is_finished_B).sum()),
        lowest=round(float(reward_B.min()), 6) if len(reward_B) else float("inf"),
        highest=round(float(reward_B.max()), 6) if len(reward_B) else float("-inf"),
        has_verdicts=bool(rollout.certificates),
        is_mixed=bool(has_mixed_outcomes(rollout.passed_B, rollout.judged_B, rollout.group_size).any()),
        teaches=bool((rollout.advantage_BT.ne(0) & rollout.is_credited_BT).any()),
    )


def no_contrast(steps: Sequence[Step], recipe, *, compares_samples: bool) -> str | None:
    """What these steps had nothing of, and the keys to change; None where there was something to learn.

    Args:
        compares_samples: a prompt's samples are compared with each other alone, so that all right and all wrong is nothing.
    """
    completions, judged, right = (sum(getattr(s, name) for s in steps) for name in ("completions", "judged", "right"))
    lowest, highest = min(s.lowest for s in steps), max(s.highest for s in steps)
    if judged == 0:
        fact = f"the verifier abstained on all {completions} completions"
    elif lowest == highest:
        fact = f"all {judged} completions got the same reward, {lowest:g}"
    elif compares_samples and all(step.has_verdicts and not step.is_mixed for step in steps):
        fact = f"no prompt had right and wrong completions side by side ({right / judged:.1%} of {judged} were right)"
    else:
        return None
    is_taught = any(step.teaches for step in steps)
    effect = "right was never compared with wrong" if is_taught else "nothing was learnt"
    return f"warning: in {len(steps)} steps {fact}: {effect}. {advice(steps, recipe)}"


def advice(steps: Sequence[Step], recipe) -> str:
    """What to change."""
    completions, judged, right, truncated = (
        sum(getattr(step, name) for step in steps) for name in ("completions", "judged", "right", "truncated")
    )
    if judged == 0:
        return "samples.jsonl has the reasons, in each certificate's witness"
    if not any(step.has_verdicts for step in steps):
        return "Look at the callbacks that write the reward: samples.jsonl has what they wrote"
    if right > 0.9 * judged:
        return "The task is too easy for this policy: take harder prompts, or a higher rollout.temperature"
    if right > 0.1 * judged:
        return "The samples of a prompt do not differ: write a higher rollout.temperature or rollout.samples_per_prompt"
    hint = (
        f"The task is too hard for this policy: warm it up on known answers (python -m rlsf_lightning.sft "
        f"recipe={recipe.recipe}), take another policy.name or easier prompts, or more rollout.samples_per_prompt"
    )
    if truncated > completions / 2:
        share, limit = truncated / completions, recipe.rollout.max_new_tokens
        hint += f". {share:.0%} of the completions were cut off at rollout.max_new_tokens={limit}: raise it"
    return hint
