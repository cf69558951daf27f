"""A limit on the CPU time of the process's own main thread, for work on text that a stranger wrote.

What child processes and other threads use does not count, nor does waiting. A parser or any other call into C is not
interrupted: it has to be bounded by the size of what it is given.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

_TICK_S = 0.1
"""CPU time of the process between two looks."""
_GRACE_S = 0.5
"""CPU time for cleaning up, before code that went on in spite of the exception meets it again."""


def can_limit() -> bool:
    """Whether a limit holds here: not on Windows, and not in a thread, where no signal arrives."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def cpu_limit(limit_s: float, over: Callable[[], BaseException]) -> Iterator[None]:
    """Raise what ``over`` makes in the body once that has used ``limit_s`` seconds of CPU; no limit where none holds.

    A timer of virtual time looks every now and then; ``SIGALRM``, which pytest-timeout uses, stays free.
    """
    if not can_limit():
        yield
        return
    end = time.thread_time() + limit_s

    def look(_signal: int, _frame: FrameType | None) -> None:
        nonlocal end
        if time.thread_time() >= end:
            end = time.thread_time() + _GRACE_S
            raise over()

    handler = signal.signal(signal.SIGVTALRM, look)
    timer = signal.setitimer(signal.ITIMER_VIRTUAL, _TICK_S, _TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, *timer)
        signal.signal(signal.SIGVTALRM, handler)
