import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rlsf_lightning.policy import action_hidden_states
from rlsf_lightning.policy.logprob import score_actions

END = 0  # the end token, which is also the padding
PROMPTS = [[7, 8, 9, 10, 11], [5], [60, END, 61]]
COMPLETIONS = [[20, 21, END], [30, 31, 32, 33, 34, 35], [END]]


def laid_out(prompts, completions):
    """(ids, is_real, is_action): left-padded prompts, right-padded completions, padding id = end id."""
    left, right = max(map(len, prompts)), max(map(len, completions))
    ids = torch.full((len(prompts), left + right), END)
    is_real = torch.zeros_like(ids, dtype=torch.bool)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        for column, token in enumerate([*prompt, *completion], start=left - len(prompt)):
            ids[row, column] = token
            is_real[row, column] = True
    return ids, is_real, is_real[:, left:].clone()


def oracle(policy, prompt, completion, temperature):
    """Log-probabilities and entropies of one unpadded sequence from the model's full logits, one token at a time."""
    logits = policy.causal_lm(torch.tensor([[*prompt, *completion]]), use_cache=False).logits[0]
    logps, entropies = [], []
    for step, token in enumerate(completion):
        row = (logits[len(prompt) + step - 1] / temperature).double()
        log_z = row.exp().sum().log()
        p = (row - log_z).exp()
        logps.append((row - log_z)[token])
        entropies.append(-(p * (row - log_z)).sum())
    return torch.stack(logps), torch.stack(entropies)


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "gemma2", "granite", "cohere", "phi"])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_scores_equal_plain_log_softmax_of_each_sequence_alone(make_policy, family, temperature):
    policy = make_policy(family)
    batch = laid_out(PROMPTS, COMPLETIONS)
    with torch.no_grad():
        scores = score_actions(policy, *batch, temperature=temperature, with_entropy=True, with_value=True, chunk=4)
    assert scores.logp_BT.dtype == scores.entropy_BT.dtype == scores.value_BT.dtype == torch.float32
    for row, (prompt, completion) in enumerate(zip(PROMPTS, COMPLETIONS, strict=True)):
        n = len(completion)
        with torch.no_grad():
            logp, entropy = oracle(policy, prompt, completion, temperature)
        torch.testing.assert_close(scores.logp_BT[row, :n].double(), logp, rtol=0, atol=1e-5)
        torch.testing.assert_close(scores.entropy_BT[row, :n].double(), entropy, rtol=0, atol=1e-5)
        # Padding holds the end token too, and yet is no action.
        assert scores.logp_BT[row, n:].tolist() == scores.entropy_BT[row, n:].tolist() == [0.0] * (6 - n)
    assert torch.equal(scores.value_BT, torch.zeros(3, 6))


def test_a_row_scores_the_same_alone_and_in_a_padded_batch(make_policy):
    policy = make_policy()
    torch.nn.init.normal_(policy.value_head.linear.weight, generator=torch.Generator().manual_seed(3))
    kwargs = {"temperature": 1.0, "with_entropy": True, "with_value": True}
    with torch.no_grad():
        together = score_actions(policy, *laid_out(PROMPTS, COMPLETIONS), **kwargs)
        for row, (prompt, completion) in enumerate(zip(PROMPTS, COMPLETIONS, strict=True)):
            alone = score_actions(policy, *laid_out([prompt], [completion]), **kwargs)
            for name in ("logp_BT", "entropy_BT", "value_BT"):
                expected = getattr(alone, name)[0]
                torch.testing.assert_close(getattr(together, name)[row, : len(completion)], expected, rtol=0, atol=1e-5)
                assert expected.abs().min() > 0


# Gemma's norms compute in fp32 inside transformers, whatever the weights' precision.
@pytest.mark.parametrize(("family", "tolerance"), [("gpt2", 1e-9), ("gemma2", 1e-5)])
def test_fp64_gradients_equal_those_of_full_logits(make_policy, family, tolerance):
    policy = make_policy(family).double()
    torch.nn.init.normal_(policy.value_head.linear.weight, generator=torch.Generator().manual_seed(3))
    weight = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    kwargs = {"temperature": 0.7, "with_entropy": True, "with_value": True, "detach_value": False}
    scores = score_actions(policy, *laid_out(PROMPTS, COMPLETIONS), chunk=3, **kwargs)
    loss = (weight * (scores.logp_BT + 0.3 * scores.entropy_BT + 0.5 * scores.value_BT)).sum()
    parameters = policy.adapter_parameters() + policy.value_parameters()
    gradients = torch.autograd.grad(loss, parameters)

    plain = torch.zeros((), dtype=torch.float64)
    for row, (prompt, completion) in enumerate(zip(PROMPTS, COMPLETIONS, strict=True)):
        logp, entropy = oracle(policy, prompt, completion, 0.7)
        hidden = policy.causal_lm.base_model(torch.tensor([[*prompt, *completion]])).last_hidden_state[0]
        states = hidden[len(prompt) - 1 : len(prompt) + len(completion) - 1]
        value = states @ policy.value_head.linear.weight[0] + policy.value_head.linear.bias
        plain = plain + (weight[row, : len(completion)] * (logp + 0.3 * entropy + 0.5 * value)).sum()
    for ours, theirs in zip(gradients, torch.autograd.grad(plain, parameters), strict=True):
        assert (ours - theirs).norm() <= tolerance * theirs.norm()
        assert theirs.norm() > 0


def test_gradients_of_a_trained_tied_head_equal_those_of_full_logits(make_policy):
    policy = make_policy("gpt2", r=0).double()
    parameters = policy.adapter_parameters()
    loss = score_actions(policy, *laid_out(PROMPTS, COMPLETIONS), temperature=1.0, chunk=2).logp_BT.sum()
    gradients = torch.autograd.grad(loss, parameters)
    plain = sum(oracle(policy, p, c, 1.0)[0].sum() for p, c in zip(PROMPTS, COMPLETIONS, strict=True))
    for ours, theirs in zip(gradients, torch.autograd.grad(plain, parameters), strict=True):
        assert (ours - theirs).norm() <= 1e-9 * theirs.norm()


SHARED = [[7, 8, 9, 10, 11, 12, 13], [5, 6], [60, 61, 62, 63]]
GROUPS = [SHARED[0]] * 3 + [SHARED[1]] * 2 + [SHARED[2], SHARED[0]]
ANSWERS = [[20, 21, 22], [23], [], [24, 25, 26, 27], [28, 29], [30], [31, 32, 33, 34]]


def count_tokens(policy, batch, **kwargs):
    """Scores, and how many tokens the backbone was given for them."""
    counted = []
    handle = policy.causal_lm.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: counted.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    scores = score_actions(policy, *batch, **kwargs)
    handle.remove()
    return scores, sum(counted)


@pytest.mark.parametrize("family", ["llama", "qwen2", "phi"])
def test_a_prompt_is_computed_once_for_all_its_completions(make_policy, monkeypatch, family):
    policy = make_policy(family)
    torch.nn.init.normal_(policy.value_head.linear.weight, generator=torch.Generator().manual_seed(3))
    parameters = policy.adapter_parameters() + policy.value_parameters()
    kwargs = {"temperature": 0.7, "with_entropy": True, "with_value": True, "detach_value": False}
    batch = laid_out(GROUPS, ANSWERS)
    weight = torch.randn(batch[2].shape, generator=torch.Generator().manual_seed(4))
    results = []
    for is_shared in (True, False):
        if not is_shared:
            monkeypatch.setattr(action_hidden_states, "_can_share_prompts", lambda policy: False)
        scores, tokens = count_tokens(policy, batch, **kwargs)
        values = scores.logp_BT, scores.entropy_BT, scores.value_BT
        loss = sum(((n + 1) * weight * value).sum() for n, value in enumerate(values))
        results.append((tokens, values, torch.autograd.grad(loss, parameters)))
    (shared, ours, gradients), (plain, theirs, expected) = results
    assert shared == 3 * 7 + 7 * 3 and plain == 7 * 11
    for one, other in zip((*ours, *gradients), (*theirs, *expected), strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm()
        assert other.norm() > 0


@pytest.mark.parametrize("case", ["windows", "bf16", "fp64", "checkpointing", "different prompts"])
def test_prompts_are_not_shared_where_that_is_impossible_or_useless(make_policy, case):
    policy = make_policy("mistral" if case == "windows" else "llama", gradient_checkpointing=case == "checkpointing")
    policy = policy.double() if case == "fp64" else policy
    prompts = [[n, *prompt] for n, prompt in enumerate(GROUPS)] if case == "different prompts" else GROUPS
    batch = laid_out(prompts, ANSWERS)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=case == "bf16"):
        _, tokens = count_tokens(policy, batch, temperature=1.0)
    assert tokens == 7 * max(len(p) + len(a) for p, a in zip(prompts, ANSWERS, strict=True))


@pytest.mark.parametrize("family", ["gpt2", "gemma2"])
def test_a_detached_entropy_is_the_same_number_without_gradient(make_policy, family):
    policy = make_policy(family).double()
    parameters = policy.adapter_parameters()
    kwargs = {"temperature": 0.7, "with_entropy": True, "chunk": 3}
    whole = score_actions(policy, *laid_out(PROMPTS, COMPLETIONS), **kwargs)
    detached = score_actions(policy, *laid_out(PROMPTS, COMPLETIONS), detach_entropy=True, **kwargs)
    assert torch.equal(detached.entropy_BT, whole.entropy_BT.detach()) and torch.equal(detached.logp_BT, whole.logp_BT)
    assert whole.entropy_BT.requires_grad and not detached.entropy_BT.requires_grad
    expected = torch.autograd.grad(whole.logp_BT.sum(), parameters)
    gradients = torch.autograd.grad((detached.logp_BT + detached.entropy_BT).sum(), parameters)
    for ours, theirs in zip(gradients, expected, strict=True):
        assert (ours - theirs).norm() <= 1e-9 * theirs.norm()


class LargestOfVocabulary(TorchDispatchMode):
    """Watches every operation's results for the largest whose last dimension is the vocabulary."""

    def __init__(self, vocabulary):
        super().__init__()
        self.vocabulary, self.largest = vocabulary, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor) and tensor.ndim and tensor.shape[-1] == self.vocabulary:
                self.largest = max(self.largest, tensor.numel())
        return result


def test_no_tensor_of_all_tokens_times_vocabulary_ever_exists(make_policy):
    policy = make_policy("mistral")
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(1, 300, (16, 26), generator=generator).tolist()
    batch = laid_out([row[:6] for row in rows], [row[6:] for row in rows])
    with LargestOfVocabulary(300) as watch:
        scores = score_actions(policy, *batch, temperature=1.0, with_entropy=True, chunk=8)
        (scores.logp_BT.sum() + scores.entropy_BT.sum()).backward()
    # A chunk's logits, or the head's transposed weights (32 x 300); all actions would be 16 x 20 x 300.
    assert 8 * 300 <= watch.largest <= 32 * 300


def test_no_logits_are_kept_for_the_backward_pass(make_policy):
    policy = make_policy("mistral")
    kept = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tuple(tensor.shape))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        scores = score_actions(policy, *laid_out(PROMPTS, COMPLETIONS), temperature=1.0, with_entropy=True, chunk=4)
    assert scores.logp_BT.requires_grad and len(kept) > 20
    assert not [shape for shape in kept if shape and shape[-1] == 300]


def test_results_do_not_depend_on_the_chunk(make_policy):
    policy = make_policy()
    batch = laid_out(PROMPTS, COMPLETIONS)
    with torch.no_grad():
        whole = score_actions(policy, *batch, temperature=1.0, with_entropy=True)
        for chunk in (1, 3, 10):
            pieces = score_actions(policy, *batch, temperature=1.0, with_entropy=True, chunk=chunk)
            torch.testing.assert_close(pieces.logp_BT, whole.logp_BT, rtol=0, atol=1e-6)
            torch.testing.assert_close(pieces.entropy_BT, whole.entropy_BT, rtol=0, atol=1e-5)


@pytest.mark.parametrize("gradient_checkpointing", [False, True])
def test_old_and_new_logp_are_bit_equal_before_the_first_step(make_policy, gradient_checkpointing):
    policy = make_policy(gradient_checkpointing=gradient_checkpointing).train()
    batch = laid_out(PROMPTS, COMPLETIONS)
    with torch.no_grad():
        old = score_actions(policy, *batch, temperature=1.0).logp_BT
    new = score_actions(policy, *batch, temperature=1.0).logp_BT
    assert torch.equal(old, new)
    assert new.requires_grad


def test_value_loss_stays_out_of_the_backbone_unless_asked(make_policy):
    policy = make_policy()
    torch.nn.init.ones_(policy.value_head.linear.weight)
    batch = laid_out(PROMPTS, COMPLETIONS)
    for detach in (True, False):
        policy.zero_grad()
        scores = score_actions(policy, *batch, temperature=1.0, with_value=True, detach_value=detach)
        scores.value_BT.square().sum().backward()
        reached = any(p.grad is not None and p.grad.abs().max() > 0 for p in policy.adapter_parameters())
        assert reached is not detach
        assert policy.value_head.linear.weight.grad.abs().max() > 0


def test_no_actions_give_zeros_and_zero_gradients(make_policy):
    policy = make_policy()
    ids, is_real, is_action = laid_out(PROMPTS, COMPLETIONS)
    nothing = torch.zeros_like(is_action)
    scores = score_actions(policy, ids, is_real, nothing, temperature=1.0, with_entropy=True, with_value=True)
    assert scores.logp_BT.tolist() == scores.value_BT.tolist() == [[0.0] * 6] * 3
    (scores.logp_BT.sum() + scores.entropy_BT.sum()).backward()
    assert all(p.grad is not None and p.grad.abs().max() == 0 for p in policy.adapter_parameters())


def test_one_autocast_context_around_everything_keeps_gradients_and_sees_new_weights(make_policy):
    """Autocast's weight cache would break both: weights first cast under no_grad, and weights changed by a step."""
    policy = make_policy()
    batch = laid_out(PROMPTS, COMPLETIONS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.no_grad():
            before = score_actions(policy, *batch, temperature=1.0).logp_BT
        score_actions(policy, *batch, temperature=1.0).logp_BT.sum().backward()
        assert all(p.grad is not None and p.grad.abs().max() > 0 for p in policy.adapter_parameters())
        with torch.no_grad():
            for parameter in policy.adapter_parameters():
                parameter.mul_(0.5)
            inside = score_actions(policy, *batch, temperature=1.0).logp_BT
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        afresh = score_actions(policy, *batch, temperature=1.0).logp_BT
    assert torch.equal(inside, afresh)
    assert not torch.allclose(inside, before, atol=1e-2)


def test_left_padding_gives_finite_gradients(make_policy):
    policy = make_policy()
    loss = score_actions(policy, *laid_out([[1] * 30, [2]], [[3], [4]]), temperature=1.0).logp_BT.sum()
    loss.backward()
    assert math.isfinite(loss.item())
    assert all(torch.isfinite(p.grad).all() for p in policy.adapter_parameters())


def test_bad_input_is_refused(make_policy):
    policy = make_policy(with_value=False)
    ids, is_real, is_action = laid_out(PROMPTS, COMPLETIONS)
    with pytest.raises(AssertionError, match="temperature"):
        score_actions(policy, ids, is_real, is_action, temperature=0.0)
    with pytest.raises(AssertionError, match="padding is no action"):
        score_actions(policy, ids, is_real, torch.ones_like(is_action), temperature=1.0)
    with pytest.raises(AssertionError, match="a prompt must end"):
        score_actions(policy, ids, is_real.roll(3, dims=1), is_action, temperature=1.0)
    with pytest.raises(AssertionError, match="contiguous"):
        gap = is_real.clone()
        gap[0, 2] = False
        score_actions(policy, ids, gap, is_action, temperature=1.0)
    with pytest.raises(AssertionError, match="no value head"):
        score_actions(policy, ids, is_real, is_action, temperature=1.0, with_value=True)
