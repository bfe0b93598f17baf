"""Ctrl-C between two steps, never within one."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def deferred_interrupt(*, several: bool = False) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed; a second Ctrl-C acts at once.

    Of several processes each gets Ctrl-C, once from the terminal and once from torchrun, which also ends them by
    SIGTERM: all of that only asks.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread receives signals
        return
    pressed = threading.Event()
    heeded = (signal.SIGINT, signal.SIGTERM) if several else (signal.SIGINT,)
    before = {number: signal.getsignal(number) for number in heeded}

    def note(number: int, _frame: FrameType | None) -> None:
        pressed.set()
        if not several:
            signal.signal(number, before[signal.Signals(number)])

    for number in heeded:
        signal.signal(number, note)
    try:
        yield pressed.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
