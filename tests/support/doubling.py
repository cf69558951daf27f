"""Does the work that a text causes grow with its length, or with the square of it?"""

from __future__ import annotations

import time
from collections.abc import Callable

_NOISE_S = 0.1


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds that this thread needs for it, of two tries the better one."""
    times = []
    for _ in range(2):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def assert_linear(work: Callable[[str], object], unit: str, *, length: int, around: tuple[str, str] = ("", "")) -> None:
    """Twice as much of a text, made of repeated units between two ends, takes at most three times as long."""
    before, after = around
    once, twice = (before + unit * (size // len(unit)) + after for size in (length, 2 * length))
    first, second = cpu_s(lambda: work(once)), cpu_s(lambda: work(twice))
    assert second <= 3 * first + _NOISE_S, (
        f"{unit[:40]!r}: {first:.2f} s for {length} characters, {second:.2f} s for twice"
    )
