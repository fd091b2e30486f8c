"""Templates and chats: ids are the tokenizer's own, and nothing of a held-out answer is shown."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Data, Recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.prompt_ids import encode_text
from rlsf_lightning.prompts import PromptEncoder, check_source, fill_template, recipe_prompts
from rlsf_lightning.records import Prompt

PROMPT = Prompt("p", "how many?", "3", facts={"numbers": [1, 2]}, columns={"schema": "t(a)"})
CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</{{ m['role'] }}>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{prompt} {foo}", "foo"),
        ("{promt}", "promt"),
        ("Q: {question}\nA:", "question"),
        ("{Prompt}", "Prompt"),
        ("{prompt}\n{reference}", "reference"),
        ("{system}{prompt}", "system"),
        ("({context}) {prompt}", "context"),
        ('"{input}": {prompt}', "input"),
        ("<s>[INST] {instruction} [/INST] {prompt}", "instruction"),
        ("{prompt}:{answer_1}", "answer_1"),
        ("name = {iupac}, {prompt}", "iupac"),
        ("{prompt}{foo}", "foo"),
        ("<user>{question}</user>{prompt}", "question"),
        ("[INST]{question}[/INST]{prompt}", "question"),
    ],
)
def test_an_unknown_placeholder_is_told_with_the_known_ones(template: str, name: str) -> None:
    with pytest.raises(UserError) as caught:
        fill_template(template, PROMPT)
    told = str(caught.value)
    assert told.startswith("data.template: ") and len(told.splitlines()) == 1
    assert f"no column or fact `{name}`" in told and "there are prompt, numbers, schema" in told
    with pytest.raises(UserError, match=f"no column or fact `{name}`"):
        check_source(Data(source="iupac", template=template))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{prompt}", "how many?"),
        ("Q{prompt}{prompt}", "Qhow many?how many?"),
        ("{schema}\n{prompt} of {numbers}", "t(a)\nhow many? of [1, 2]"),
        ("{prompt} {{literal}}", "how many? {literal}"),
        ("{{{prompt}}}", "{how many?}"),
        ('{{"a": {{"b": {prompt}}}}}', '{"a": {"b": how many?}}'),
        ('{prompt} {"a": {"b": 1}}', 'how many? {"a": {"b": 1}}'),
        (
            "{prompt} \\boxed{answer} \\frac{a}{b} x_{n} 2^{k} f{x}",
            "how many? \\boxed{answer} \\frac{a}{b} x_{n} 2^{k} f{x}",
        ),
        ("{prompt} {1, 2} {} { name } {x: int} {a, b}", "how many? {1, 2} {} { name } {x: int} {a, b}"),
    ],
)
def test_a_template_is_filled(template: str, text: str) -> None:
    assert fill_template(template, PROMPT) == text


def test_what_comes_in_is_not_read_again() -> None:
    assert fill_template("{prompt}", Prompt("p", "{schema} {{x}}")) == "{schema} {{x}}"


@pytest.fixture
def tokenizer(tiny_policy_dir) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_policy_dir)


@pytest.fixture
def encoder(make_recipe, tokenizer) -> Callable[..., PromptEncoder]:
    def make(*overrides: str, chat_template: str | None = CHAT) -> PromptEncoder:
        tokenizer.chat_template = chat_template
        return PromptEncoder(make_recipe(*overrides), tokenizer, partial(encode_text, tokenizer))

    return make


def test_a_chats_ids_are_the_tokenizers_own(encoder, tokenizer) -> None:
    encode = encoder("data.system=Be brief.", 'data.template="Name it: {prompt}"')
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name it: how many?"}]
    theirs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert encode.is_chat and encode(PROMPT) == list(theirs)
    assert tokenizer.decode(encode(PROMPT)) == (
        "<system>Be brief.</system>\n<user>Name it: how many?</user>\n<assistant>"
    )


def test_without_a_chat_template_a_prompt_is_its_text(encoder, tokenizer) -> None:
    encode = encoder('data.template="{prompt} is"', chat_template=None)
    assert not encode.is_chat
    assert encode(PROMPT) == tokenizer("how many? is", add_special_tokens=False)["input_ids"]
    assert not encoder("data.chat='false'").is_chat


def test_a_chat_that_cannot_be_is_refused(encoder) -> None:
    with pytest.raises(UserError, match=r"data\.chat=true: the tokenizer has no chat template"):
        encoder("data.chat='true'", chat_template=None)
    with pytest.raises(UserError, match=r"data\.system is said in a chat, and this is none \(the tokenizer has no"):
        encoder("data.system=x", chat_template=None)
    refusing = "{{ raise_exception('System role not supported') }}"
    with pytest.raises(UserError, match=r"refuses messages of system, user: System role not supported"):
        encoder("data.system=x", chat_template=refusing)(PROMPT)


def test_the_answers_prefix_follows_the_prompt(encoder, tokenizer) -> None:
    bare, prefix = encoder(), tokenizer("SELECT", add_special_tokens=False)["input_ids"]
    encode = encoder("data.answer_prefix=SELECT")
    assert encode(PROMPT) == bare(PROMPT) + prefix
    query = Prompt("p", "x", "SELECT 1")
    assert encode.answer_ids(query) == tokenizer(" 1", add_special_tokens=False)["input_ids"]
    with pytest.raises(
        UserError, match=r"data\.answer_prefix=\"SELECT\": the answer of prompt p begins otherwise: '3'"
    ):
        encode.answer_ids(PROMPT)


@pytest.mark.parametrize(
    ("overrides", "written"),
    [
        ([], "3"),
        (["answer.extract=tag"], "<answer>3</answer>"),
        (["answer.extract=[fence,whole]", "answer.language=py"], "```py\n3\n```"),
        (["answer.extract=after", "answer.marker='####'"], "#### 3"),
    ],
)
def test_answers_are_written_where_they_are_found(encoder, tokenizer, overrides, written) -> None:
    encode = encoder(*overrides)
    assert tokenizer.decode(encode.answer_ids(PROMPT)) == written
    assert encode.answers.written(Prompt("p", "x", "3", target="so 3")) == "so 3"


def test_examples_are_of_the_train_split_and_never_the_prompt_itself(encoder, make_recipe) -> None:
    encode = encoder("data.examples.count=2", "answer.extract=tag", chat_template=None)
    recipe = make_recipe()
    train = {prompt.reference for prompt in recipe_prompts(recipe, "train")}
    assert len(encode.examples) == 3 and {one.reference for one in encode.examples} <= train
    first, second, third = encode.examples
    text = encode.text(PROMPT)
    assert text == "\n\n".join(
        [
            f"{first.text}<answer>{first.reference}</answer>",
            f"{second.text}<answer>{second.reference}</answer>",
            "how many?",
        ]
    )
    assert [one.id for one in encode.shown(first)] == [second.id, third.id]
    chat = encoder("data.examples.count=1")
    assert [m["role"] for m in chat.messages(PROMPT)] == ["user", "assistant", "user"]


def test_more_examples_than_rows_are_refused(encoder) -> None:
    with pytest.raises(UserError, match=r"data\.examples\.count=99: there are \d+ rows"):
        encoder("data.examples.count=99")


def test_examples_of_a_held_out_file_are_refused(tmp_path) -> None:
    from rlsf_lightning.prompts import example_prompts

    held = {"data": {"paths": {"train": "a", "test": "b"}, "examples": {"count": 1, "path": "b"}}}
    with pytest.raises(UserError, match=r"data\.examples\.path=b is held out"):
        example_prompts(OmegaConf.merge(OmegaConf.structured(Recipe), held))


def test_prompt_answer_and_end_are_the_ids_of_the_whole_chat(encoder, tokenizer) -> None:
    template = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}<|end|>{% endfor %}" + (
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    encode = encoder("data.system=Be brief.", "data.examples.count=1", "answer.extract=tag", chat_template=template)
    whole = [*encode.messages(PROMPT), {"role": "assistant", "content": "<answer>3</answer>"}]
    theirs = tokenizer.apply_chat_template(whole, tokenize=True, return_dict=False)
    assert [*encode(PROMPT), *encode.answer_ids(PROMPT), tokenizer.eos_token_id] == list(theirs)
