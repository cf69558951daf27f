"""What a limiter of ten requests in a second owes: no more than that, and no less.

A sequence is the requests of one IP in the order in which they were sent, each as ``[sent, answered, status]`` in
seconds. When the server decided on a request is not known, but it lies between the two times, and whatever delays a
request makes that longer: neither verdict depends on the speed of the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LIMIT = 10
SLACK_S = 0.03
"""By which a limiter's second may be longer."""

Sent = Sequence[Any]


def passed(sent: Sequence[Sent]) -> int:
    """How many of some requests got through."""
    return sum(status == 200 for _, _, status in sent)


def too_many(sent: Sequence[Sent], spare: int = 0) -> str:
    """The first stretch of t seconds in which more than 10 + 10 t requests got through, in words; empty: none.

    A stretch begins when its first request was sent and ends when its last one was answered. ``spare``: so many more
    may, where another point judges the ten, and how fast the machine is would decide on an eleventh.
    """
    through = [(begin, end) for begin, end, status in sent if status == 200]
    for first, (begin, _) in enumerate(through):
        for count, (_, end) in enumerate(through[first:], 1):
            most = LIMIT + spare + LIMIT * (end - begin)
            if count > most:
                return f"{count} got through in {end - begin:.2f} s, {most:.1f} may"
    return ""


def too_few(sent: Sequence[Sent]) -> str:
    """The first request that was refused though at most nine got through in the second before, in words; empty: none.

    That much a sliding window lets through, and a bucket that is refilled steadily never has less.
    """
    for number, (begin, _, status) in enumerate(sent):
        before = sum(end > begin - 1 - SLACK_S for _, end, got in sent[:number] if got == 200)
        if status != 200 and before < LIMIT:
            return f"number {number + 1} got {status} although only {before} got through in the second before"
    return ""
