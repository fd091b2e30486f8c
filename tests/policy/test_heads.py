import pytest
import torch

from rlsf_lightning.policy.heads import ValueHead, lm_head


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "granite", "cohere", "phi"])
def test_lm_head_gives_the_models_own_logits(make_model, family):
    model = make_model(family)
    ids = torch.tensor([[5, 17, 200, 3, 3, 91]])
    with torch.no_grad():
        hidden = model.base_model(ids).last_hidden_state
        torch.testing.assert_close(lm_head(model)(hidden), model(ids).logits, rtol=0, atol=1e-5)


def test_soft_cap_and_scales_are_really_applied(make_model):
    hidden = torch.full((1, 32), 3.0)
    model = make_model("gemma2")
    assert lm_head(model)(hidden).abs().max() <= 0.5
    for family, factor in (("granite", 1 / 8), ("cohere", 0.0625)):
        model = make_model(family)
        plain = hidden @ model.get_output_embeddings().weight.T
        torch.testing.assert_close(lm_head(model)(hidden), plain * factor)


def test_lm_head_is_fp32_for_bf16_weights_and_under_autocast(make_model):
    model = make_model("llama").bfloat16()
    hidden = torch.randn(7, 32, generator=torch.Generator().manual_seed(0)).bfloat16()
    weight = model.lm_head.weight
    expected = (hidden.double() @ weight.double().T).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = lm_head(model)(hidden)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
    assert (hidden @ weight.T - expected).abs().max() > 1e-3  # what bf16 logits would have lost


def test_value_head_starts_at_zero_and_has_fp32_weights():
    head = ValueHead(16)
    value = head(torch.randn(5, 16))
    assert value.shape == (5,)
    assert torch.equal(value, torch.zeros(5))
    assert {p.dtype for p in head.parameters()} == {torch.float32}


def test_value_head_computes_in_fp32_under_autocast():
    head = ValueHead(2)
    torch.nn.init.constant_(head.linear.weight, 1.0)
    hidden = torch.tensor([[1.0, 2**-12]])  # bf16 cannot hold the sum
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert head(hidden).item() == 1.000244140625


def test_value_gradient_reaches_the_hidden_state_only_when_asked():
    head = ValueHead(3)
    torch.nn.init.constant_(head.linear.weight, 2.0)
    hidden = torch.ones(4, 3, requires_grad=True)
    head(hidden).sum().backward()
    assert hidden.grad is None
    assert head.linear.weight.grad.tolist() == [[4.0, 4.0, 4.0]]
    head(hidden, detach=False).sum().backward()
    assert hidden.grad.tolist() == [[2.0] * 3] * 4
