"""TRL's GRPOTrainer as a contender, in its current release. Runs in an environment of its own.

An iteration is one generation and the optimiser steps that learn from it. Stages are timed at the seams of TRL's own
loop: nothing of it is changed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from rivals.gate import Gate, Stopwatch, take_turns
from rivals.precision import arguments_of, load_policy


def trainer(task: dict[str, Any], watch: Stopwatch, gate: Gate) -> Any:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    rows = task["prompts"] * task["samples"]
    steps = task["minibatches"] * task["epochs"]
    seen: dict[str, float] = {}

    def share(completion_ids: list[list[int]], **_: Any) -> list[float]:
        """The share of tokens from the upper half of the vocabulary."""
        shares = [sum(i >= task["rewarded_from"] for i in ids) / task["tokens"] for ids in completion_ids]
        seen.update(tokens=sum(map(len, completion_ids)), reward=sum(shares) / len(shares))
        return shares

    class Turns(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            gate.ready()
            watch.take()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step % steps == 0:
                gate.done(stages=watch.take(), **seen)

    built = GRPOTrainer(
        model=load_policy(task),
        reward_funcs=share,
        args=GRPOConfig(
            output_dir=f"{task['folder']}/trl_grpo",
            **arguments_of(task),
            gradient_checkpointing=False,
            per_device_train_batch_size=rows // task["minibatches"],
            gradient_accumulation_steps=1,
            steps_per_generation=task["minibatches"],
            num_iterations=task["epochs"],
            num_generations=task["samples"],
            max_completion_length=task["tokens"],
            temperature=1.0,
            top_k=0,
            beta=task["beta"],
            loss_type="grpo",
            learning_rate=task["lr"],
            lr_scheduler_type="constant",
            max_steps=10**6,
            logging_steps=steps,
            shuffle_dataset=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=task["seed"],
        ),
        # In their order, over and over: an epoch's end is not part of an iteration.
        train_dataset=Dataset.from_dict({"prompt": task["texts"] * 100}),
        processing_class=AutoTokenizer.from_pretrained(task["model"], padding_side="left"),
        peft_config=LoraConfig(
            r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[Turns()],
    )
    watch.around(built, "_generate", "generate")
    watch.around(built, "_generate_and_score_completions", "generate and score")
    return built


if __name__ == "__main__":
    take_turns(trainer)
