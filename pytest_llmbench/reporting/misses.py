"""The missed points of a session, a line for each, grouped by attempt. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from pytest_llmbench.reporting.names import fitted
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.text import printable

MOST_LINES = 24
"""About a screen, the attempts' own lines included."""


class Miss(NamedTuple):
    """One missed rubric point, or one case of it."""

    point: str
    case: str
    message: str


def miss_lines(
    missed: Mapping[AttemptKey, Sequence[Miss]], *, width: int, show: Sequence[str] = ("llmbench", "show")
) -> Iterator[str]:
    """Each attempt with its misses, ``width`` columns wide; of many, some of each, and where the others are.

    ``show``: the command that shows an attempt, which its name is added to.
    """
    shown = dict(islice(missed.items(), MOST_LINES // 3))
    shares = _shares([len(misses) for misses in shown.values()], MOST_LINES - len(shown))
    epochs = any(key.epoch > 1 for key in missed)
    for (key, misses), share in zip(shown.items(), shares, strict=True):
        name = f"{key.task}/{key.model}" + (f"/{key.epoch}" if epochs else "")
        yield fitted(printable(f"{name}: {len(misses)} missed"), width)
        for miss in misses[:share]:
            case = f"[{miss.case}]" if miss.case else ""
            yield fitted(printable(f"  {miss.point}{case}: {miss.message}"), width)
        if len(misses) > share:
            yield printable(f"  {len(misses) - share} more: {shlex.join([*show, name])}")
    others = [len(misses) for key, misses in missed.items() if key not in shown]
    if others:
        attempts = "attempt" if len(others) == 1 else "attempts"
        yield f"{sum(others)} more in {len(others)} {attempts}: {shlex.join(show)} TASK/MODEL" + (
            "/EPOCH" if epochs else ""
        )


def _shares(counts: Sequence[int], room: int) -> list[int]:
    """How many lines each gets, one after the other, while there is room; the line that counts the others is one."""
    shares = [0] * len(counts)
    while True:
        before = room
        for place, count in enumerate(counts):
            if room and shares[place] < count:
                shares[place] += 1
                room -= 1
        if room == before or not room:
            break
    return [share - (share < count) if share > 1 else share for share, count in zip(shares, counts, strict=True)]
