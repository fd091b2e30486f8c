"""Drop-in callbacks: found by name, built with their arguments, refused where a hook would never be called."""

import inspect
import types

import pytest
from lightning import Callback

from rlsf_lightning.config.extension_points import CALLBACK
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.training.hooks import HOOKS, RLSFCallback, build_callbacks, check_hooks, check_rewards, emit


def test_emit_calls_in_order_and_skips_those_without_the_hook():
    heard = []

    class Listener(RLSFCallback):
        def __init__(self, name):
            self.name = name

        def on_rollout_end(self, trainer, module, rollout):
            heard.append((self.name, module, rollout))

    trainer = types.SimpleNamespace(callbacks=[Listener("a"), Callback(), Listener("b")], lightning_module="module")
    emit(trainer, "on_rollout_end", "rollout")
    assert heard == [("a", "module", "rollout"), ("b", "module", "rollout")]


def test_the_hooks_are_the_typed_ones():
    assert set(HOOKS) == {*("on_rollout_end", "on_rewards_due", "on_advantages_ready", "on_update_end")}


def test_a_misspelt_hook_is_refused_with_the_nearest():
    class Misspelt(RLSFCallback):
        def on_reward_due(self, trainer, module, rollout): ...

    with pytest.raises(UserError, match=r"Misspelt has a method `on_reward_due`.*did you mean `on_rewards_due`"):
        check_hooks([Misspelt()])


def test_lightnings_own_hooks_pass():
    class Fine(RLSFCallback):
        def on_train_epoch_end(self, trainer, module): ...

    check_hooks([Fine()])


def test_shipped_callbacks_are_found_and_built():
    built = build_callbacks({"samples": {"per_step": 3}, "kl_control": None})
    assert [type(callback).__name__ for callback in built] == ["Samples"]
    assert built[0].per_step == 3


def test_wrong_arguments_name_the_right_ones():
    with pytest.raises(UserError, match=r"callbacks.samples: .*\(its arguments: per_step\)"):
        build_callbacks({"samples": {"each_step": 3}})


def test_an_unknown_callback_lists_the_shipped_ones():
    with pytest.raises(UserError, match=r"verifyer: no such callback; did you mean `verifier`"):
        build_callbacks({"verifyer": {}})


@pytest.mark.parametrize(
    "entries", [{}, {"verifier": None}, {"samples": {}, "machine": {}, "progress": {}, "heldout": {}}]
)
def test_without_a_verifier_callback_the_line_to_add_is_told(entries):
    with pytest.raises(UserError, match=r"add `callbacks: \{verifier: \{\}\}`"):
        check_rewards(build_callbacks(entries))


def test_the_verifier_or_an_own_callback_may_write_rewards():
    class Reward(RLSFCallback):
        def on_rewards_due(self, trainer, module, rollout): ...

    check_rewards(build_callbacks({"verifier": {}}))
    check_rewards([Reward()])


def test_the_callbacks_said_to_write_no_reward_write_none():
    for name in CALLBACK.shipped():
        cls = resolve(CALLBACK, name)
        writes = "add_reward(" in inspect.getsource(inspect.getmodule(cls))
        assert getattr(cls, "writes_rewards", False) == writes


def test_a_class_of_another_package_is_a_callback():
    (built,) = build_callbacks({"lightning.pytorch.callbacks:EarlyStopping": {"monitor": "reward"}})
    assert type(built).__name__ == "EarlyStopping"
