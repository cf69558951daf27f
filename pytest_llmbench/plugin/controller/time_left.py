"""How long a session will still take: an estimate that falls as time passes, and can only rise when something ends."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from pytest_llmbench.llm.protocols import ModelPace


def generation_left_s(paces: Sequence[ModelPace]) -> float | None:
    """Seconds until everything is generated; None: no reply has come to go by.

    A reply takes what the latest of its model took, or of the others as long as it has none. What is in flight has a
    part of that behind it, and none left once it takes longer. Queues work side by side, the models of one in turn.
    """
    usual = {pace.model: median(pace.recent_s) for pace in paces if pace.recent_s}
    if not usual:
        return None
    queues: dict[str, float] = {}
    for pace in paces:
        reply_s = usual.get(pace.model) or fmean(usual.values())
        flying = [max(0.0, reply_s - age) for age in pace.ages_s]
        work = sum(flying) + pace.waiting * reply_s
        side_by_side = max(1, min(pace.concurrency, pace.waiting + len(flying)))
        queues[pace.queue] = queues.get(pace.queue, 0.0) + max(work / side_by_side, *flying, 0.0)
    return max(queues.values())


class GradingPace:
    """The time that grading takes, from the test items that have ended."""

    def __init__(self, workers: int = 1) -> None:
        """``workers``: processes that grade."""
        self._workers = max(1, workers)
        self._left = 0
        self._ended = 0
        self._took_s = 0.0
        self._last_end = 0.0

    def begin(self, items: int) -> None:
        """Grading begins with so many test items."""
        self._left = items

    def ended(self, took_s: float, now: float) -> None:
        """One has ended at ``now``, on a clock that only goes forward."""
        self._left -= 1
        self._ended += 1
        self._took_s += took_s
        self._last_end = now

    def left_s(self, now: float) -> float | None:
        """Seconds of grading that are left; None: nothing to go by."""
        if not self._ended:
            return None
        item_s = self._took_s / self._ended / self._workers
        return max(0.0, self._left * item_s - min(now - self._last_end, item_s))
