"""Writes ``samples.jsonl``: for a few completions of each step the prompt, the certificate and every token's reward."""

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
            for line in self.path.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.endswith("\n") and json.loads(line)["step"] < module.steps_done:
                    kept.append(line)
        write_atomically(self.path, "".join(kept))

    def on_advantages_ready(self, trainer, module, rollout) -> None:
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8") as file:
            for row in range(min(self.per_step, len(rollout.completions))):
                file.write(json.dumps(self.record(module, rollout, row), ensure_ascii=False) + "\n")

    @staticmethod
    def record(module, rollout, row: int) -> dict:
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
            "rewards": {name: channel[row, :length].tolist() for name, channel in rollout.rewards.items()},
            "advantages": [round(a, 6) for a in rollout.advantage_BT[row, :length].tolist()],
        }
