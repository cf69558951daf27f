"""Does the work that a text causes grow with its length, or with the square of it?"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

_NOISE_S = 0.1
_TRIES = 8
"""Another program's noise goes away by trying again, quadratic growth does not."""


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds that this thread needs for it, without garbage collection.

    That goes through everything that the tests of this process have left alive, and the longer text may be the one
    that makes it due.
    """
    gc.disable()
    try:
        began = time.thread_time()
        work()
        return time.thread_time() - began
    finally:
        gc.enable()


def assert_linear(work: Callable[[str], object], unit: str, *, length: int, around: tuple[str, str] = ("", "")) -> None:
    """Twice as much of a text, made of repeated units between two ends, takes at most three times as long."""
    before, after = around
    once, twice = (before + unit * (size // len(unit)) + after for size in (length, 2 * length))
    first = second = float("inf")
    for _ in range(_TRIES):
        first, second = min(first, cpu_s(lambda: work(once))), min(second, cpu_s(lambda: work(twice)))
        if second <= 3 * first + _NOISE_S:
            return
    raise AssertionError(f"{unit[:40]!r}: {first:.2f} s for {length} characters, {second:.2f} s for twice")
