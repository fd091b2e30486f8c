"""The training step with every estimator, loss and critic that a recipe can choose, on a tiny random policy."""

import pytest
import torch
from training_cases import Keeps, LikesEvenLength, LikesShort, fit, parameters

from rlsf_lightning.config.estimator_specs import ESTIMATORS, find_estimator
from rlsf_lightning.records import Certificate, Verdict


def test_every_name_has_an_estimator():
    assert all(callable(find_estimator(name)[0]) for name in ESTIMATORS)


@pytest.mark.parametrize("advantage", ESTIMATORS)
def test_every_estimator_trains_and_builds_no_more_than_it_needs(make_recipe, tmp_path, advantage):
    kept = Keeps()
    recipe = make_recipe(f"algorithm.advantage={advantage}", "algorithm.kl.beta=0.01")
    module = fit(recipe, tmp_path, LikesEvenLength(), kept)
    assert (module.policy.value_head is not None) == ESTIMATORS[advantage].needs_values
    assert ("kl" in kept.rollouts[0].rewards) != ESTIMATORS[advantage].folds_kl
    for stats in kept.stats:
        assert stats["grad_norm/policy"] > 0 and 0 <= stats["mixed_prompts"] <= 1
        assert ("grad_norm/value" in stats) == ESTIMATORS[advantage].needs_values
        assert all(map(torch.isfinite, map(torch.tensor, stats.values())))


NUMERICS = {"fp32": ("none", "32-true"), "bf16-mixed": ("none", "bf16-mixed"), "nf4": ("nf4", "32-true")}
#: Makes the update's pieces those that were scored: no row is left out, in one optimiser step, and all is credited.
SAME_PIECES = ["algorithm.entropy_coef=1e-4", "algorithm.old_scores=recompute"]
OTHER_PIECES = ["algorithm.minibatches=4"]


def first_minibatches(make_recipe, folder, advantage, numerics, *more, scheme):
    """Statistics of two steps with a policy that moves fast, each with two passes."""
    quantize, precision = NUMERICS[numerics]
    own = [f"policy.quantize={quantize}", "algorithm.kl.beta=0.01", "algorithm.epochs=2", "algorithm.lr=1e-2", *more]
    kept = Keeps()
    recipe = make_recipe(f"algorithm.advantage={advantage}", *own)
    fit(recipe, folder, LikesEvenLength(scheme), kept, steps=2, precision=precision)
    assert all(stats["ratio_deviation"] > 1e-3 for stats in kept.stats)  # the last one: it is no constant
    return kept.stats


@pytest.mark.parametrize("numerics", NUMERICS)
@pytest.mark.parametrize("advantage", ESTIMATORS)
def test_in_the_first_minibatch_nothing_has_moved(make_recipe, tmp_path, advantage, numerics):
    """Old log-probabilities come from the update's own computation: the same pieces give the same bits."""
    for stats in first_minibatches(make_recipe, tmp_path, advantage, numerics, *SAME_PIECES, scheme="located"):
        assert stats["ratio_deviation_first_minibatch"] == 0.0
        assert stats["clip_fraction_first_minibatch"] == stats["approx_kl_first_minibatch"] == 0.0


@pytest.mark.parametrize(("numerics", "tolerance"), [("fp32", 1e-6), ("bf16-mixed", 1e-3), ("nf4", 1e-3)])
def test_other_pieces_differ_by_rounding_alone(make_recipe, tmp_path, numerics, tolerance):
    """A matrix product may add in another order where it has other rows; bf16 has 8 bits to tell."""
    for stats in first_minibatches(make_recipe, tmp_path, "gae", numerics, *OTHER_PIECES, scheme="viable_prefix"):
        assert stats["ratio_deviation_first_minibatch"] < tolerance
        assert stats["clip_fraction_first_minibatch"] == 0.0


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
def test_the_micro_batch_size_changes_nothing(make_recipe, tmp_path, settings):
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


class Abstains(LikesEvenLength):
    """The tool has no opinion of every third completion, and its row holds ``noise`` wherever anything can be written."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def on_rewards_due(self, trainer, module, rollout):
        super().on_rewards_due(trainer, module, rollout)
        rows = slice(0, None, 3)
        rollout.certificates[rows] = [Certificate(Verdict.ABSTAIN)] * len(rollout.certificates[rows])
        rollout.rewards["verifier"][rows] = self.noise * rollout.is_action_BT[rows]
        rollout.is_credited_BT[rows] = False
        if rollout.logp_BT is not None:
            rollout.logp_BT[rows] *= 1 + self.noise
        rollout.kl_BT[rows] = self.noise * rollout.is_action_BT[rows]
        rollout.value_BT[rows] = self.noise


@pytest.mark.parametrize("advantage", ESTIMATORS)
def test_an_abstained_sample_touches_nothing(make_recipe, tmp_path, advantage):
    own = [f"algorithm.advantage={advantage}", "algorithm.kl.beta=0.1", "algorithm.entropy_coef=0.01"]
    found, rewards = [], []
    for noise in (0.0, 7.0):
        kept = Keeps()
        found.append(parameters(fit(make_recipe(*own), tmp_path / str(noise), Abstains(noise), kept, steps=1)))
        rewards.append({k: v for k, v in kept.stats[0].items() if k.startswith(("reward", "loss", "mixed", "grad"))})
        assert not kept.rollouts[0].advantage_BT[::3].any() and not kept.rollouts[0].is_credited_BT[::3].any()
    assert torch.equal(*found)
    assert rewards[0] == rewards[1] and "reward/verifier" in rewards[0]


@pytest.mark.parametrize("loss", ["k2", "k3"])
def test_a_kl_loss_pulls_towards_the_reference(make_recipe, tmp_path, loss):
    far = {}
    for form, beta in (("k1", 0.0), (loss, 50.0)):
        kept = Keeps()
        own = ["algorithm.lr=5e-3", f"algorithm.kl.form={form}", f"algorithm.kl.beta={beta}", "algorithm.epochs=3"]
        own += ["algorithm.kl.watch_every=1"]
        fit(make_recipe("algorithm.advantage=reward_to_go", *own), tmp_path / form, LikesShort(), kept, steps=10)
        watched = kept.rollouts[-1].kl_BT[:: kept.rollouts[-1].group_size]
        far[form] = float(watched.square().sum())
        assert all("kl" not in rollout.rewards for rollout in kept.rollouts) or form == "k1"
    assert far[loss] < far["k1"] / 2


def test_etpo_has_a_temperature_unless_told_otherwise(make_recipe, tmp_path):
    betas = {}
    for advantage, more in (("etpo", []), ("gae", []), ("etpo", ["algorithm.kl.beta=0"])):
        module = fit(make_recipe(f"algorithm.advantage={advantage}", *more), tmp_path, LikesEvenLength(), steps=1)
        betas[advantage, *more] = module.kl_beta
    assert betas == {("etpo",): 0.05, ("gae",): 0.0, ("etpo", "algorithm.kl.beta=0"): 0.0}


def test_the_values_gradient_reaches_the_backbone_where_it_may(make_recipe, tmp_path):
    """While the critic warms up, the policy's own losses move nothing; a fresh head passes no gradient on."""
    for reaches in (False, True):
        kept = Keeps()
        own = ["algorithm.value_warmup_steps=9", f"algorithm.value_reaches_backbone={reaches}"]
        fit(make_recipe(*own), tmp_path, LikesEvenLength(), kept, steps=2)
        assert [stats["grad_norm/policy"] > 0 for stats in kept.stats] == [False, reaches]
        assert all(stats["grad_norm/value"] > 0 for stats in kept.stats)


def test_only_mixed_prompts_are_learnt_from(make_recipe, tmp_path):
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


def test_vine_values_states_by_what_becomes_of_them(make_recipe, tmp_path):
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
