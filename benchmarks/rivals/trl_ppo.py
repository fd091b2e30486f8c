"""TRL's PPOTrainer as a contender, in its last release that had one. Runs in an environment of its own.

``form`` is "example" (value and reward models of the policy's size, as TRL's example script has them) or "best" (a
value model of one narrow layer, and a reward that is counted, not computed). Stages are timed at the seams of TRL's own
loop: nothing of it is changed.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from torch import Tensor, nn

from rivals.gate import Gate, Stopwatch, take_turns
from rivals.precision import arguments_of, dtype_of, load_policy, lower_adapters


class CountedReward(nn.Module):
    """The share of tokens from the upper half of the vocabulary, in the shape of a reward model."""

    base_model_prefix = "model"

    def __init__(self, first: int, length: int) -> None:
        super().__init__()
        self.first, self.length = first, length
        self.model, self.score = self.count, nn.Identity()

    def count(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> SimpleNamespace:
        is_counted_BS = (input_ids >= self.first) & attention_mask.bool()  # no prompt has such a token
        return SimpleNamespace(hidden_states=[is_counted_BS.cumsum(1)[:, :, None] / self.length])


def trainer(task: dict[str, Any], watch: Stopwatch, gate: Gate) -> Any:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import (
        AutoConfig,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        TrainerCallback,
    )
    from trl.experimental.ppo import PPOConfig, PPOTrainer, ppo_trainer

    tokenizer = AutoTokenizer.from_pretrained(task["model"], padding_side="left")
    policy = load_policy(task)
    config = AutoConfig.from_pretrained(task["model"], num_labels=1)
    if task["form"] == "best":
        tiny = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "head_dim": 8}
        config.update({**tiny, "num_attention_heads": 2, "num_key_value_heads": 2})
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:1]
        reward: nn.Module = CountedReward(task["rewarded_from"], task["tokens"])
    else:
        reward = AutoModelForSequenceClassification.from_config(copy.deepcopy(config), dtype=dtype_of(task))
    value = AutoModelForSequenceClassification.from_config(config, dtype=dtype_of(task))
    rows = task["prompts"] * task["samples"]
    texts = [text for text in task["texts"] for _ in range(task["samples"])]
    seen: dict[str, float] = {}

    class Turns(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            gate.ready()
            watch.take()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            gate.done(stages=watch.take(), **seen)

    built = PPOTrainer(
        args=PPOConfig(
            output_dir=f"{task['folder']}/trl_ppo_{task['form']}",
            # On an NF4 base ``bf16`` would raise the norms to fp32, and sampling, which has no autocast here, then fails.
            **arguments_of(task) | ({"bf16": False} if task["precision"] == "nf4" else {}),
            gradient_checkpointing=False,
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=1,
            num_mini_batches=task["minibatches"],
            num_ppo_epochs=task["epochs"],
            total_episodes=rows * 10**6,
            response_length=task["tokens"],
            temperature=1.0,
            stop_token="eos" if task["mode"] == "natural" else None,
            kl_coef=task["beta"],
            vf_coef=0.1,
            learning_rate=task["lr"],
            lr_scheduler_type="constant",
            num_sample_generations=0,
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=task["seed"],
        ),
        processing_class=tokenizer,
        model=policy,
        ref_model=None,
        reward_model=reward,
        value_model=value,
        train_dataset=Dataset.from_dict({"input_ids": [tokenizer(text)["input_ids"] for text in texts]}),
        peft_config=LoraConfig(
            r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[Turns()],
    )
    if task["precision"] == "nf4":
        lower_adapters(built.policy_model)
    generate, get_reward = ppo_trainer.batch_generation, ppo_trainer.get_reward

    def counted_generation(model: Any, queries: Tensor, *args: Any) -> Any:
        ids_BS, logits = generate(model, queries, *args)
        is_end_BT = ids_BS[:, queries.shape[1] :] == tokenizer.eos_token_id
        seen["tokens"] = int((is_end_BT.cumsum(1) - is_end_BT.long() == 0).sum())
        return ids_BS, logits

    def seen_reward(model: Any, *args: Any) -> Any:
        found = get_reward(model, *args)
        if model is built.reward_model:
            seen["reward"] = float(found[1].mean())
        return found

    ppo_trainer.batch_generation, ppo_trainer.get_reward = counted_generation, seen_reward
    watch.around(ppo_trainer, "batch_generation", "generate")
    watch.around(ppo_trainer, "get_reward", "value and reward")
    watch.from_first(built.accelerator, "accumulate", "update")
    return built


if __name__ == "__main__":
    take_turns(trainer)
