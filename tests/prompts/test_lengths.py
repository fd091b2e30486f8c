"""Which prompts fit: against encoding every one; and what is told of the others."""

from functools import partial

import pytest
from transformers import AutoTokenizer

from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.prompt_ids import encode_text
from rlsf_lightning.prompts import PromptEncoder
from rlsf_lightning.prompts.generated import Generated, Task
from rlsf_lightning.prompts.lengths import PromptLengths, fitting
from rlsf_lightning.records import Prompt

TEXTS = ["a", "ethanol " * 9, "xyz" * 30, "\N{SNOWMAN}" * 20, "benzene", "q" * 70, "\N{SNOWMAN}" * 60]
CHAT = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</{{ m['role'] }}>{% endfor %}<assistant>"


@pytest.fixture(params=[None, CHAT], ids=["text", "chat"])
def encode(request, tiny_policy_dir, make_recipe) -> PromptEncoder:
    tokenizer = AutoTokenizer.from_pretrained(tiny_policy_dir)
    tokenizer.chat_template = request.param
    return PromptEncoder(make_recipe(), tokenizer, partial(encode_text, tokenizer))


@pytest.mark.parametrize("context", [60, 100, 108, 140, 260, None])
def test_prompts_fit_as_if_each_were_encoded(encode, context) -> None:
    lengths = PromptLengths(encode, context, 8)
    for text in TEXTS:
        prompt = Prompt("p", text)
        expected = context is None or len(encode(prompt)) + 8 <= context
        assert lengths.fits(prompt) is expected, text


def test_long_prompts_are_left_out_with_a_line_or_refused(encode) -> None:
    lengths = PromptLengths(encode, 140, 8)
    prompts = [Prompt(text, text) for text in TEXTS]
    long = [prompt for prompt in prompts if len(encode(prompt)) > 132]
    kept, line = fitting(lengths, prompts, "skip", "train")
    assert 0 < len(long) < len(prompts) and kept == [prompt for prompt in prompts if prompt not in long]
    longest = max(len(encode(prompt)) for prompt in prompts)
    told = (
        f"{len(long)} of 7 prompts of train are too long for the context of 140 tokens beside rollout.max_new_tokens=8"
    )
    assert line == f"data.too_long=skip: {told}; the longest has {longest} tokens: left out"
    with pytest.raises(UserError, match=f"{told}; .* Write a smaller rollout.max_new_tokens, .* data.too_long=skip"):
        fitting(lengths, prompts, "refuse", "train")
    with pytest.raises(UserError, match=r"another policy\.name$"):
        fitting(lengths, long, "skip", "train")
    assert fitting(lengths, kept, "refuse", "train") == (kept, "")


def test_another_prompt_is_made_in_the_place_of_one_that_is_too_long() -> None:
    made = Generated("numbers", lambda rng: Task(str(rng.randrange(10**6))), "train")
    sequence = made.since(0, 3, lambda prompt: len(prompt.text) < 6)
    prompts = [next(sequence) for _ in range(50)]
    assert all(len(prompt.text) < 6 for prompt in prompts)
    assert [prompt.id for prompt in prompts] == [f"numbers:train:3.{n}" for n in range(50)]
    entered = made.since(20, 3, lambda prompt: len(prompt.text) < 6)
    assert [next(entered) for _ in range(30)] == prompts[20:]
    plain = made.since(0, 3)
    assert all(prompt in prompts for prompt in (next(plain) for _ in range(50)) if len(prompt.text) < 6)
