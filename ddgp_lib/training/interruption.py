"""Signals that end a program are put off until a training has written its state."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what systems send to a program that is to end."""


class Interruptions:
    """Signals that have arrived and have not been acted on."""

    def __init__(self) -> None:
        self.waiting: list[int] = []

    def act(self) -> None:
        """Do what the first signal in waiting asks for, if there is one: as a rule, this does not return."""
        if self.waiting:
            signal.raise_signal(self.waiting.pop(0))


@contextmanager
def put_off() -> Iterator[Interruptions]:
    """Put Ctrl-C and SIGTERM off until :meth:`Interruptions.act` is called, or until the end.

    A second signal of a kind acts at once.  Handlers are those of before afterwards.  In other threads than the main
    one, which alone may set handlers, nothing is put off.
    """
    arrived = Interruptions()
    if threading.current_thread() is not threading.main_thread():
        yield arrived
        return
    before = {int(number): signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        arrived.waiting.append(number)
        signal.signal(number, before[number])

    for number, handler in before.items():
        if handler not in (None, signal.SIG_IGN):
            signal.signal(number, note)
    try:
        yield arrived
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
        arrived.act()
