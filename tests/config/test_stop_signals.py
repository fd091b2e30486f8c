"""Signals wait for the end of a step, and raise outside of one."""

from __future__ import annotations

import signal

import pytest

from rlsf_lightning.config.stop_signals import StopSignals, stops_alone
from rlsf_lightning.errors import Stopped


def test_outside_a_step_a_signal_raises_at_once_and_then_no_more():
    signals = StopSignals()
    with signals.installed():
        with pytest.raises(Stopped) as stopped:
            signal.raise_signal(signal.SIGTERM)
        assert stopped.value.code == 143 and signals.asked is None
        signal.raise_signal(signal.SIGINT)  # what cleans up is left alone


def test_inside_a_step_the_first_waits_and_the_second_raises(capfd):
    signals = StopSignals(is_told=True)
    with signals.installed():
        signals.in_step = True
        signal.raise_signal(signal.SIGINT)
        assert signals.asked == signal.SIGINT
        assert "SIGINT: this step is finished first" in capfd.readouterr().err
        with pytest.raises(Stopped) as stopped:
            signal.raise_signal(signal.SIGINT)
    assert stopped.value.code == 130


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals().installed():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_error_on_account_of_a_signal_is_that_signal():
    def write() -> None:
        try:
            raise Stopped(signal.SIGTERM)
        finally:
            raise RuntimeError("unexpected position")  # as torch's writer, which is left in the middle of a record

    with pytest.raises(Stopped), stops_alone():
        write()
    with pytest.raises(RuntimeError, match="by itself"), stops_alone():
        raise RuntimeError("by itself")
