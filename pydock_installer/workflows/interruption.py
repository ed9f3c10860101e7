"""Ctrl-C and SIGTERM while hosts are worked on: the first lets running steps finish, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """How often somebody has asked to stop."""

    def __init__(self) -> None:
        self._times = 0
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        """Nothing new is to begin."""
        return self._event.is_set()

    @property
    def at_once(self) -> bool:
        """What runs is not waited for either."""
        return self._times > 1

    def ask(self) -> None:
        """One more time."""
        self._times += 1
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait, but not on once somebody asks; whether somebody has."""
        return self._event.wait(seconds)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """The signals ask instead of tearing the run apart; a third one is the usual end."""
    interruption = Interruption()

    def stop(number: int, _frame: FrameType | None) -> None:
        if interruption.at_once:
            raise KeyboardInterrupt
        interruption.ask()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupt_raises() -> Iterator[None]:
    """While a person is asked, Ctrl-C ends the question."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
