import pytest

from rlsf_lightning.rl.controllers import AdaptiveKl, FixedKl


def test_fixed_stays():
    controller = FixedKl(0.05)
    controller.update(kl=100.0, samples=64)
    assert controller.beta == 0.05


def test_adaptive_literals():
    controller = AdaptiveKl(0.1, target=6.0, horizon=1000)
    controller.update(kl=60.0, samples=100)
    assert controller.beta == pytest.approx(0.102, abs=1e-12)
    controller.update(kl=0.0, samples=500)
    assert controller.beta == pytest.approx(0.0918, abs=1e-12)


def test_it_holds_a_kl_that_answers_to_it():
    """A policy whose KL falls as beta grows settles at the target."""
    controller = AdaptiveKl(1.0, target=0.5, horizon=100)
    for _ in range(400):
        controller.update(kl=0.1 / controller.beta, samples=10)
    assert controller.beta == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize("make", [lambda: FixedKl(0.3), lambda: AdaptiveKl(0.3, target=1.0, horizon=100)])
def test_a_resumed_run_goes_on_as_the_straight_one(make):
    straight, stopped, resumed = make(), make(), make()
    for controller in (straight, stopped):
        controller.update(kl=3.0, samples=50)
    resumed.load_state_dict(stopped.state_dict())
    for controller in (straight, resumed):
        controller.update(kl=0.2, samples=50)
    assert resumed.beta == straight.beta and resumed.state_dict() == {"beta": straight.beta}


def test_nonsense_is_refused():
    with pytest.raises(AssertionError, match="beta"):
        FixedKl(-0.1)
    with pytest.raises(AssertionError, match="target"):
        AdaptiveKl(0.1, target=0.0, horizon=1)
