"""SIGTERM and SIGINT as a request that is honoured at a good moment. No torch."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rlsf_lightning.errors import Stopped, stop_behind

ASKING = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Outside ``in_step`` a signal raises ``Stopped`` where it arrives; inside, the first one waits in ``asked``.

    A second one inside a step is impatience: it raises too. Once ``Stopped`` was raised, signals are ignored, so that what
    cleans up is not interrupted.

    Args:
        signals: those that ask for an end.
        is_told: whether a signal that waits is answered by a line on standard error.
    """

    def __init__(self, signals: tuple[int, ...] = ASKING, *, is_told: bool = False) -> None:
        self.signals, self.is_told = signals, is_told
        self.in_step = False
        self.asked: int | None = None
        self._is_over = False

    def install(self) -> dict[int, Any]:
        """Take the signals over; returns the handlers before. Elsewhere than in the main thread nothing can be done."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {signum: signal.signal(signum, self._receive) for signum in self.signals}

    @contextmanager
    def installed(self) -> Iterator[None]:
        before = self.install()
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, signal.SIG_DFL if handler is None else handler)

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._is_over:
            return
        if self.in_step and self.asked is None:
            self.asked = signum
            if self.is_told:  # not by print, which a handler may have interrupted
                name = signal.Signals(signum).name
                os.write(2, f"\n{name}: this step is finished first; once more to drop it\n".encode())
            return
        self._is_over = True
        raise Stopped(signum)


@contextmanager
def stops_alone() -> Iterator[None]:
    """Inside, an error on account of a signal is that signal."""
    try:
        yield
    except Exception as error:
        stop = stop_behind(error)
        if stop is None:
            raise
        raise stop from None
