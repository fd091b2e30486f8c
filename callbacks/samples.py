"""Writes ``samples.jsonl``: for a few completions of each step the prompt, the certificate and every token's reward.

A line: ``step``, ``id``, ``prompt``, ``reference``, ``completion``, ``ended`` (the policy stopped by itself), ``certificate``;
and a list with one entry a token: ``tokens`` (its characters of the completion), ``rewards`` (a list for each channel),
``advantages``, ``logp`` (log-probability when it was sampled) and, of completions whose KL was measured, ``ref_logp``.
"""

import json
from pathlib import Path

from rlsf_lightning.training.hooks import RLSFCallback
from rlsf_lightning.training.run.writing import write_atomically


class Samples(RLSFCallback):
    """``per_step`` completions of rank 0 a step; a resumed run drops the lines that it is about to write again."""

    writes_rewards = False

    def __init__(self, per_step: int = 8) -> None:
        if per_step < 0:
            raise ValueError(f"per_step must be 0 or more, got {per_step}")
        self.per_step = per_step
        self.path: Path | None = None

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        return ()

    def on_train_start(self, trainer, module) -> None:
        if not trainer.is_global_zero or module.run_dir is None:
            return
        self.path = Path(module.run_dir) / "samples.jsonl"
        kept = []
        if self.path.exists():
            # Not splitlines: JSON may hold U+2028, at which that splits too. What follows the last newline was never finished.
            for line in self.path.read_text(encoding="utf-8").split("\n")[:-1]:
                if json.loads(line)["step"] < module.steps_done:
                    kept.append(line + "\n")
        write_atomically(self.path, "".join(kept))

    def on_advantages_ready(self, trainer, module, rollout) -> None:
        if self.path is None:
            return
        watched = set(module.watched_rows(rollout).tolist())
        # A lone surrogate, which a prompt may hold, becomes \ud800: that is how JSON spells it.
        with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            for row in range(min(self.per_step, len(rollout.completions))):
                record = self.record(module, rollout, row, is_watched=row in watched)
                file.write(json.dumps(record, ensure_ascii=False) + "\n")

    @staticmethod
    def record(module, rollout, row: int, *, is_watched: bool) -> dict:
        def rounded(x_BT) -> list[float]:
            return [round(x, 6) for x in x_BT[row, :length].tolist()]

        length = int(rollout.length_B[row])
        prompt = rollout.prompts[row]
        return {
            "step": module.steps_done,
            "id": prompt.id,
            "prompt": prompt.text,
            "reference": prompt.reference,
            "completion": rollout.completions[row],
            "ended": bool(rollout.is_finished_B[row]),
            "certificate": rollout.certificates[row].to_dict() if rollout.certificates else None,
            "tokens": [[span.start, span.end] for span in rollout.spans[row]],
            "rewards": {name: rounded(channel) for name, channel in rollout.rewards.items()},
            "advantages": rounded(rollout.advantage_BT),
            "logp": rounded(rollout.sampled_logp_BT),
            **({"ref_logp": rounded(rollout.ref_logp_BT)} if is_watched else {}),
        }
