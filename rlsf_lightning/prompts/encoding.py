"""From a prompt to the token ids that the model goes on from: the template, the chat, examples, the answer's prefix.

The one way for sampling, evaluation and supervised training. A chat is laid out by the tokenizer's own template and comes
back as ids; nothing is decoded and encoded again. No torch: the tokenizer is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.columns import fill_template
from rlsf_lightning.prompts.source import example_prompts
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.answers.settings import AnswerSettings

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe

#: Between the examples of a prompt that is no chat.
BETWEEN_EXAMPLES = "\n\n"


class PromptEncoder:
    """Encodes prompts as a recipe's ``data`` block says.

    Args:
        recipe: its blocks ``data`` and ``answer``.
        tokenizer: the policy's.
        encode_text: text to ids, with a BOS where the model wants one.

    Raises:
        UserError: ``data.chat=true`` and the tokenizer has no chat template; the template cannot be filled.
    """

    def __init__(self, recipe: Recipe, tokenizer: Any, encode_text: Callable[[str], list[int]]) -> None:
        self.data, self.tokenizer, self.encode_text = recipe.data, tokenizer, encode_text
        self.answers = AnswerSettings.of(recipe)
        self.is_chat = self._wants_chat()
        if recipe.data.system and not self.is_chat:
            raise UserError(
                f"data.system is said in a chat, and this is none ({self._why_not()}): write it into data.template"
            )
        self.examples: list[Prompt] = example_prompts(recipe)
        prefix = recipe.data.answer_prefix
        self.prefix_ids: list[int] = list(tokenizer(prefix, add_special_tokens=False)["input_ids"]) if prefix else []

    def __call__(self, prompt: Prompt) -> list[int]:
        """The ids of a prompt: all that stands before the completion."""
        return [*(self._chat_ids(prompt) if self.is_chat else self.encode_text(self.text(prompt))), *self.prefix_ids]

    def text(self, prompt: Prompt) -> str:
        """The text of a prompt that is no chat."""
        shown = [fill_template(self.data.template, one) + self.answers.written(one) for one in self.shown(prompt)]
        return BETWEEN_EXAMPLES.join([*shown, fill_template(self.data.template, prompt)])

    def messages(self, prompt: Prompt) -> list[dict[str, str]]:
        """The chat of a prompt, up to the user's last message."""
        system = [{"role": "system", "content": self.data.system}] if self.data.system else []
        turns = []
        for one in self.shown(prompt):
            turns.append({"role": "user", "content": fill_template(self.data.template, one)})
            turns.append({"role": "assistant", "content": self.answers.written(one)})
        return [*system, *turns, {"role": "user", "content": fill_template(self.data.template, prompt)}]

    def answer_ids(self, prompt: Prompt) -> list[int]:
        """The ids of the known answer, as it is to be written behind the prompt. Raises UserError: it lacks the prefix."""
        return list(self.tokenizer(self.answers.completion(prompt), add_special_tokens=False)["input_ids"])

    def shown(self, prompt: Prompt) -> Sequence[Prompt]:
        """The examples before a prompt: never the prompt itself."""
        others = [one for one in self.examples if (one.text, one.reference) != (prompt.text, prompt.reference)]
        return others[: self.data.examples.count]

    def _wants_chat(self) -> bool:
        has_template = bool(getattr(self.tokenizer, "chat_template", None))
        if self.data.chat == "true" and not has_template:
            raise UserError(
                "data.chat=true: the tokenizer has no chat template; write data.chat=auto or an instruct model"
            )
        return has_template and self.data.chat != "false"

    def _why_not(self) -> str:
        return "data.chat=false" if self.data.chat == "false" else "the tokenizer has no chat template"

    def _chat_ids(self, prompt: Prompt) -> list[int]:
        from jinja2 import TemplateError

        messages = self.messages(prompt)
        try:
            ids = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=False
            )
        except TemplateError as error:
            roles = ", ".join(dict.fromkeys(message["role"] for message in messages))
            raise UserError(
                f"the tokenizer's chat template refuses messages of {roles}: {error}; "
                "write data.system into data.template, or data.chat=false"
            ) from None
        return list(ids)
