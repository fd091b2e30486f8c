"""The training step with every estimator, loss and critic that a recipe can choose, on a tiny random policy."""

import pytest
import torch
from test_module import Keeps, LikesShort, fit, make_recipe, parameters  # noqa: F401  make_recipe is a fixture

from rlsf_lightning.algorithms import ADVANTAGES
from rlsf_lightning.hooks import RLSFCallback
from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.rl.estimators import ESTIMATORS
from rlsf_lightning.symbolic.credit import assign


def certificate_of(text: str) -> Certificate:
    """PASS for a text of even length; the first character is what is wrong with any other."""
    if len(text) % 2 == 0:
        return Certificate(Verdict.PASS, score=1.0)
    return Certificate(Verdict.FAIL, (Finding("odd", "odd", (Span(0, 1),)),), dead_from=0)


class LikesEvenLength(RLSFCallback):
    """A verifier without a pool, and a policy that ends often: every fifth token ends a completion."""

    def on_train_start(self, trainer, module):
        module.policy.eos_token_ids = list(range(0, module.policy.vocabulary_size, 5))

    def on_rewards_due(self, trainer, module, rollout):
        rollout.certificates = [certificate_of(text) for text in rollout.completions]
        reward_BT = torch.zeros(rollout.is_action_BT.shape)
        for row, certificate in enumerate(rollout.certificates):
            spans, ended = rollout.spans[row], bool(rollout.ended_B[row])
            rewards = assign(certificate, spans, scheme="viable_prefix", ended=ended).rewards
            reward_BT[row, : len(spans)] = torch.tensor(rewards)
        rollout.add_reward("verifier", reward_BT)

    def on_verdicts_due(self, trainer, module, questions):
        questions.certificates = [certificate_of(text) for _, text in questions.pairs]


def test_every_name_has_an_estimator():
    assert ESTIMATORS.keys() == ADVANTAGES.keys()


@pytest.mark.parametrize("advantage", ADVANTAGES)
def test_every_estimator_trains_and_its_first_minibatch_has_ratio_one(make_recipe, tmp_path, advantage):  # noqa: F811
    kept = Keeps()
    recipe = make_recipe(f"algorithm.advantage={advantage}", "algorithm.kl.beta=0.01", "algorithm.minibatches=2")
    module = fit(recipe, tmp_path, LikesEvenLength(), kept)
    assert (module.policy.value_head is not None) == ADVANTAGES[advantage].needs_values
    assert ("kl" in kept.rollouts[0].rewards) != ADVANTAGES[advantage].folds_kl
    assert all(stats["grad_norm/policy"] > 0 for stats in kept.stats)
    for stats in kept.stats:
        assert stats["ratio_deviation_first_minibatch"] < 1e-5 and 0 <= stats["mixed_prompts"] <= 1
        assert all(map(torch.isfinite, map(torch.tensor, stats.values())))


@pytest.mark.parametrize(
    "settings",
    [
        ["algorithm.loss=dual_clip", "algorithm.clip_high=0.3"],
        ["algorithm.loss_mean=sequence"],
        ["algorithm.loss_mean=constant"],
        ["algorithm.kl.form=k2", "algorithm.kl.beta=0.1"],
        ["algorithm.kl.form=k3", "algorithm.kl.beta=0.1"],
        ["algorithm.importance_cap=2"],
        ["algorithm.entropy_coef=0.01"],
        ["algorithm.advantage=gae", "algorithm.critic=adapter", "algorithm.value_lam=1"],
    ],
    ids=lambda settings: settings[0].removeprefix("algorithm."),
)
def test_the_micro_batch_size_changes_nothing(make_recipe, tmp_path, settings):  # noqa: F811
    own = ["algorithm.advantage=rloo", "algorithm.epochs=2", *settings]
    whole, cut = (
        fit(make_recipe(f"algorithm.micro_batch_tokens={tokens}", *own), tmp_path / str(tokens), LikesEvenLength())
        for tokens in (100_000, 24)
    )
    torch.testing.assert_close(parameters(whole), parameters(cut), rtol=1e-4, atol=1e-6)
    values = [
        torch.cat([p.detach().flatten() for p in m.policy.value_parameters()] or [torch.ones(1)]) for m in (whole, cut)
    ]
    torch.testing.assert_close(*values, rtol=1e-4, atol=1e-6)


def test_a_kl_loss_pulls_towards_the_reference(make_recipe, tmp_path):  # noqa: F811
    far = {}
    for form, beta in (("k1", 0.0), ("k2", 50.0), ("k3", 50.0)):
        kept = Keeps()
        own = ["algorithm.lr=5e-3", f"algorithm.kl.form={form}", f"algorithm.kl.beta={beta}", "algorithm.epochs=3"]
        fit(make_recipe("algorithm.advantage=reward_to_go", *own), tmp_path / form, LikesShort(), kept, steps=10)
        watched = kept.rollouts[-1].kl_BT[:: kept.rollouts[-1].group_size]
        far[form] = float(watched.square().sum())
        assert all("kl" not in rollout.rewards for rollout in kept.rollouts) or form == "k1"
    assert far["k2"] < far["k1"] / 2 and far["k3"] < far["k1"] / 2


def test_only_mixed_prompts_are_learnt_from(make_recipe, tmp_path):  # noqa: F811
    kept = Keeps()
    recipe = make_recipe("rollout.keep=mixed", "algorithm.advantage=reward_to_go", "rollout.samples_per_prompt=2")
    fit(recipe, tmp_path, LikesEvenLength(), kept, steps=3)
    for rollout, stats in zip(kept.rollouts, kept.stats, strict=True):
        passed_PG = rollout.passed_B.view(-1, 2)
        is_mixed_P = passed_PG.any(1) & ~passed_PG.all(1)
        is_credited_P = rollout.is_credited_BT.any(1).view(-1, 2).any(1)
        assert torch.equal(is_credited_P, is_mixed_P)
        assert stats["mixed_prompts"] == pytest.approx(float(is_mixed_P.float().mean()))
    assert any(0 < stats["mixed_prompts"] < 1 for stats in kept.stats)


def test_vine_values_states_by_what_becomes_of_them(make_recipe, tmp_path):  # noqa: F811
    kept = Keeps()
    own = [
        "algorithm.advantage=vine",
        "algorithm.vine.rollouts=64",
        "algorithm.normalise=none",
        "algorithm.vine.steps=3",
    ]
    splitter = f"algorithm.vine.splitter={__name__}:thirds"
    fit(make_recipe(*own, splitter, "rollout.samples_per_prompt=2"), tmp_path, LikesEvenLength(), kept, steps=1)
    (rollout,) = kept.rollouts
    steps = rollout.steps
    assert int(steps.step_BT.max()) >= 1 and bool(steps.is_known_BK.all())
    # Before the first token all samples of a prompt are in one state.
    assert torch.equal(steps.value_BK[0::2, 0], steps.value_BK[1::2, 0])
    for row in range(len(rollout.prompts)):
        length, last = int(rollout.length_B[row]), int(steps.step_BT[row].max())
        assert not steps.value_BK[row, last + 1 :].any()
        reward = rollout.rewards["verifier"][row]
        for step in range(last + 1):
            tokens = steps.step_BT[row, :length] == step
            expected = reward[:length][tokens].sum() + steps.value_BK[row, step + 1] - steps.value_BK[row, step]
            torch.testing.assert_close(rollout.advantage_BT[row, :length][tokens], expected.expand(int(tokens.sum())))


def thirds(text: str) -> list[int]:
    """Three steps of about the same length."""
    return sorted({0, *(n * len(text) // 3 for n in (1, 2) if n * len(text) // 3)})
