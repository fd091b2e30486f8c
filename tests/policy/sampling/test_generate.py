import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

import rlsf_lightning.policy.sampling.generate as generate_module
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.logprob import score_actions
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling import llama_step, token_sampler
from rlsf_lightning.policy.sampling.generate import Sampled, sample

END = 0  # the end token, which is also the padding
PROMPTS = [[7, 8, 9, 10, 11, 12, 13, 14, 15], [5], [60, END, 61], [7, 8]]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def hf_greedy(policy: Policy, prompts: list[list[int]], new_tokens: int) -> list[list[int]]:
    """transformers' own greedy decoding of a left-padded batch, each answer cut after its first end token."""
    width = max(map(len, prompts))
    ids = torch.tensor([[END] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    out = policy.causal_lm.generate(
        input_ids=ids,
        attention_mask=mask,
        do_sample=False,
        max_new_tokens=new_tokens,
        eos_token_id=END,
        pad_token_id=END,
    )
    answers = [row[width:] for row in out.tolist()]
    return [a[: a.index(END) + 1] if END in a else a for a in answers]


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2", "mistral", "gemma2", "cohere", "phi"])
def test_greedy_equals_transformers_token_for_token(make_policy, family):
    policy = make_policy(family)
    generated = torch.Generator().manual_seed(1)
    lengths = [3, 17, 1, 9, 5, 12, 2, 8]
    prompts = [torch.randint(1, 300, (n,), generator=generated).tolist() for n in lengths]
    answers = sample(policy, prompts, samples=1, max_new_tokens=30, greedy=True)
    assert [a.ids for a in answers] == hf_greedy(policy, prompts, 30)
    with policy.reference():
        assert sample(policy, prompts, samples=1, max_new_tokens=30, greedy=True) != answers


def test_greedy_stops_at_the_end_token_as_transformers_does(make_policy):
    policy = make_policy()
    # Raise the end token's logit so that answers end at different lengths.
    with torch.no_grad():
        policy.causal_lm.get_input_embeddings().weight[END] *= 2.0
    generated = torch.Generator().manual_seed(1)
    prompts = [torch.randint(1, 300, (1 + n % 7,), generator=generated).tolist() for n in range(24)]
    answers = sample(policy, prompts, samples=2, max_new_tokens=20, greedy=True)
    assert answers[::2] == answers[1::2]
    assert [a.ids for a in answers[::2]] == hf_greedy(policy, prompts, 20)
    lengths = {len(a.ids) for a in answers}
    assert len(lengths) > 3 and 20 in lengths  # the test would be empty if all ended together
    for answer in answers:
        assert answer.is_finished == (answer.ids[-1] == END) and END not in answer.ids[:-1]
        assert len(answer.logp) == len(answer.ids)
        assert answer.is_finished or len(answer.ids) == 20


@pytest.fixture(scope="module")
def small_vocabulary(make_model, byte_tokenizer) -> Policy:
    """Six tokens, so that whole distributions can be counted."""
    model = make_model("llama", 6).requires_grad_(True)
    return Policy(model, byte_tokenizer, eos_token_ids=[END], pad_token_id=END)


@pytest.mark.parametrize("temperature", [1.0, 0.6, 2.5])
def test_samples_follow_the_models_distribution(small_vocabulary, temperature):
    """Chi-square over all completions of at most two tokens; their probabilities from plain forward passes."""
    prompts, draws = [[3, 4, 1], [2]], 3000
    answers = sample(
        small_vocabulary, prompts, samples=draws, max_new_tokens=2, temperature=temperature, generator=generator(0)
    )
    for number, prompt in enumerate(prompts):

        def next_token(ids: list[int]) -> list[float]:
            logits = small_vocabulary.causal_lm(torch.tensor([ids])).logits[0, -1]
            return (logits / temperature).double().softmax(-1).tolist()

        first = next_token(prompt)
        expected = {(END,): first[END]}
        for a in range(1, 6):
            expected |= {(a, b): first[a] * p for b, p in enumerate(next_token([*prompt, a]))}
        assert sum(expected.values()) == pytest.approx(1.0)
        counts = Counter(tuple(a.ids) for a in answers[number * draws : (number + 1) * draws])
        assert set(counts) <= set(expected)
        rare = [k for k, p in expected.items() if p * draws < 5]
        cells = [(counts[k], p * draws) for k, p in expected.items() if k not in rare]
        cells.append((sum(counts[k] for k in rare), sum(expected[k] for k in rare) * draws + 1e-9))
        statistic = sum((seen - due) ** 2 / due for seen, due in cells)
        assert statistic < chi2.ppf(0.999, len(cells) - 1)
        uniform = draws / len(expected)
        assert sum((counts[k] - uniform) ** 2 / uniform for k in expected) > chi2.ppf(0.999, len(expected) - 1)


def test_tokens_do_not_depend_on_how_many_logits_there_are_at_a_time(make_policy, monkeypatch):
    policy = make_policy()
    kwargs = {"samples": 5, "max_new_tokens": 10}
    whole = sample(policy, PROMPTS, generator=generator(3), **kwargs)
    monkeypatch.setattr(token_sampler, "MOST_LOGITS", 3 * 300)
    parts = sample(policy, PROMPTS, generator=generator(3), **kwargs)
    assert [a.ids for a in parts] == [a.ids for a in whole]


def test_logp_is_what_scoring_gives(make_policy):
    policy = make_policy()
    answers = sample(policy, PROMPTS, samples=3, max_new_tokens=12, temperature=0.8, generator=generator(5))
    for row, answer in enumerate(answers):
        prompt = PROMPTS[row // 3]
        ids = torch.tensor([[*prompt, *answer.ids]])
        everything = torch.ones_like(ids, dtype=torch.bool)
        action = torch.ones(1, len(answer.ids), dtype=torch.bool)
        with torch.no_grad():
            logp = score_actions(policy, ids, everything, action, temperature=0.8).logp_BT[0]
        torch.testing.assert_close(torch.tensor(answer.logp), logp, rtol=0, atol=1e-4)


def test_same_generator_same_samples_whatever_the_global_generator(make_policy):
    policy = make_policy()
    kwargs = {"samples": 4, "max_new_tokens": 10}
    torch.manual_seed(1)
    one = sample(policy, PROMPTS, generator=generator(7), **kwargs)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    two = sample(policy, PROMPTS, generator=generator(7), **kwargs)
    sample(policy, PROMPTS, **kwargs)  # without a generator neither
    assert torch.equal(torch.get_rng_state(), state)
    assert one == two
    assert sample(policy, PROMPTS, generator=generator(8), **kwargs) != one
    shared = generator(7)
    sample(policy, PROMPTS, generator=shared, **kwargs)
    assert sample(policy, PROMPTS, generator=shared, **kwargs) != one  # it moves on
    torch.manual_seed(1)
    fresh = sample(policy, PROMPTS, **kwargs)
    torch.manual_seed(1)
    assert sample(policy, PROMPTS, **kwargs) != fresh


def test_samples_of_a_prompt_differ_and_stand_together(make_policy):
    policy = make_policy()
    answers = sample(policy, PROMPTS, samples=5, max_new_tokens=8, generator=generator(0))
    assert len(answers) == 20
    assert all(isinstance(a, Sampled) for a in answers)
    for number, prompt in enumerate(PROMPTS):
        group = answers[5 * number : 5 * number + 5]
        assert len({tuple(a.ids) for a in group}) > 1
        with torch.no_grad():
            logp = policy.causal_lm(torch.tensor([prompt])).logits[0, -1].log_softmax(-1)
        for answer in group:  # each one's first token was drawn from its own prompt's distribution
            assert answer.logp[0] == pytest.approx(float(logp[answer.ids[0]]), abs=1e-4)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2", "mistral", "gemma2", "phi"])
def test_prompts_that_are_admitted_where_others_ended_get_transformers_tokens(make_policy, family, batch_size):
    policy = make_policy(family)
    policy.eos_token_ids = ends = list(range(1, 300, 7))  # so that answers end all the time
    drawn = torch.Generator().manual_seed(1)
    prompts = [torch.randint(1, 300, (1 + 7 * n % 20,), generator=drawn).tolist() for n in range(20)]
    with Forwards(policy) as forwards:
        answers = sample(policy, prompts, samples=1, max_new_tokens=15, greedy=True, batch_size=batch_size)
    lengths = {len(answer.ids) for answer in answers}
    assert len(lengths) > 1 and 15 in lengths
    expected = hf_greedy(policy, prompts, 15)
    for answer, whole in zip(answers, expected, strict=True):
        stops = [n for n, token in enumerate(whole, start=1) if token in ends]
        assert answer.ids == whole[: stops[0] if stops else 15]
    steps = [rows for rows, columns in forwards.shapes if columns == 1]
    assert max(steps, default=0) <= batch_size
    # Batches one after the other would take 15 steps each; a row is empty for a step before the next prompt is admitted.
    assert len(steps) <= sum(len(answer.ids) for answer in answers) / batch_size + 15


@pytest.mark.parametrize("batch_size", [1, 3, 7, 1000])
def test_samples_do_not_depend_on_the_batch_size(make_policy, batch_size):
    policy = make_policy()
    kwargs = {"samples": 3, "max_new_tokens": 12}
    whole = sample(policy, PROMPTS, generator=generator(3), **kwargs)
    parts = sample(policy, PROMPTS, generator=generator(3), batch_size=batch_size, **kwargs)
    assert [a.ids for a in parts] == [a.ids for a in whole]


class Forwards:
    """The shapes of the ids that the backbone's base model, or the native decoding step in its place, is called with."""

    def __init__(self, policy: Policy) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.policy = policy

    def __enter__(self) -> "Forwards":
        def note(module, args, kwargs):
            self.shapes.append(tuple(kwargs["input_ids"].shape))

        def noted(policy, columns):
            step = llama_step.llama_step_for(policy, columns)

            def call(token_R, *arguments):
                self.shapes.append((len(token_R), 1))
                return step(token_R, *arguments)

            return step and call

        self.handle = self.policy.causal_lm.base_model.register_forward_pre_hook(note, with_kwargs=True)
        generate_module.llama_step_for = noted
        return self

    def __exit__(self, *_: object) -> None:
        self.handle.remove()
        generate_module.llama_step_for = llama_step.llama_step_for


def test_prompts_are_prefilled_once_and_steps_read_one_token_from_the_cache(make_policy):
    policy = make_policy(gradient_checkpointing=True).train()
    with Forwards(policy) as forwards:
        answers = sample(policy, [*PROMPTS, PROMPTS[0]], samples=6, max_new_tokens=5, generator=generator(0))
    assert not any(a.is_finished for a in answers)
    assert forwards.shapes == [(4, 9)] + [(30, 1)] * 4


def test_finished_rows_are_evicted(make_policy):
    policy = make_policy()
    policy.eos_token_ids = ends = list(range(0, 300, 12))  # so that answers end all the time
    with Forwards(policy) as forwards:
        answers = sample(policy, PROMPTS, samples=8, max_new_tokens=40, generator=generator(0))
    lengths = [len(a.ids) for a in answers]
    assert len(set(lengths)) > 8 and {a.is_finished for a in answers} == {True, False}  # otherwise nothing is tested
    assert all(a.is_finished == (a.ids[-1] in ends) and not set(ends) & set(a.ids[:-1]) for a in answers)
    for step, (rows, columns) in enumerate(forwards.shapes[1:], start=1):
        live = sum(n > step for n in lengths)
        assert columns == 1 and live <= rows <= math.ceil(live / (1 - generate_module.EVICT_SHARE)) + 1
    assert len(forwards.shapes) == min(max(lengths), 40)
    # When rows are evicted changes nobody's tokens.
    alone = sample(policy, PROMPTS, samples=8, max_new_tokens=40, generator=generator(0), batch_size=1)
    assert [a.ids for a in alone] == [a.ids for a in answers]


def test_sampling_leaves_nothing_behind_that_breaks_training(make_policy):
    policy = make_policy(gradient_checkpointing=True).train()
    modes = {name: module.training for name, module in policy.named_modules()}
    sample(policy, PROMPTS, samples=2, max_new_tokens=4, generator=generator(0))
    assert {name: module.training for name, module in policy.named_modules()} == modes
    tensors = [*policy.parameters(), *policy.buffers()]
    assert tensors and not any(t.is_inference() for t in tensors)
    ids = torch.tensor([[5, 6, 7, 8]])
    action = torch.ones(1, 2, dtype=torch.bool)
    score_actions(policy, ids, torch.ones_like(ids).bool(), action, temperature=1.0).logp_BT.sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in policy.adapter_parameters())


def test_bad_calls_and_broken_weights_are_errors(make_policy):
    policy = make_policy()
    with pytest.raises(UserError, match=r"prompt of 9 tokens .*max_new_tokens=120 .*128 positions"):
        sample(policy, PROMPTS, samples=1, max_new_tokens=120)
    assert len(sample(policy, PROMPTS, samples=1, max_new_tokens=119, greedy=True)) == 4
    for bad in ({"samples": 0}, {"max_new_tokens": 0}, {"temperature": 0.0}, {"batch_size": 0}):
        with pytest.raises(AssertionError):
            sample(policy, PROMPTS, **({"samples": 1, "max_new_tokens": 2} | bad))
    with pytest.raises(AssertionError, match="empty prompt"):
        sample(policy, [[3], []], samples=1, max_new_tokens=2)
    assert sample(policy, [], samples=2, max_new_tokens=2) == []
    policy.adapter_parameters()[0].data.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="not finite"):
        sample(policy, PROMPTS, samples=1, max_new_tokens=2)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=6), min_size=1, max_size=5),
    st.integers(1, 3),
    st.integers(1, 6),
)
def test_shape_of_the_answer(make_policy, prompts, samples, new_tokens):
    policy = SHAPE_POLICY.setdefault("it", make_policy())
    answers = sample(policy, prompts, samples=samples, max_new_tokens=new_tokens, generator=generator(0))
    assert len(answers) == len(prompts) * samples
    for answer in answers:
        assert 1 <= len(answer.ids) == len(answer.logp) <= new_tokens
        assert all(0 <= i < 300 for i in answer.ids) and all(v <= 0 for v in answer.logp)
        assert answer.is_finished == (answer.ids[-1] == END)
        assert answer.is_finished or len(answer.ids) == new_tokens


SHAPE_POLICY: dict[str, Policy] = {}
