"""Watches calls of ``top_k_frequent`` from inside: the sorts, the ``Counter`` objects and the work of each call.

Runs in the sandbox and imports the model's ``top_k``, so what it reports is evidence and it holds no expected value.
It counts instead of measuring time: a line of Python is one unit of work, and a function of C that walks a container
is charged for the elements it walks. The counts are the same on every machine, busy or not.
"""

from __future__ import annotations

import bisect
import builtins
import collections
import heapq
import random
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from math import log2
from pathlib import Path
from types import FrameType
from typing import Any

import llmbench_probe  # of the driver's process

LIBRARY = str(Path(heapq.__file__).parent)
BUDGET = 2_000_000
"""Units after which a call is given up: a hundred times what a plain solution needs for the largest input."""
MOVES_PER_UNIT = 32
"""Elements that ``list.insert`` shifts in the time of a line of Python."""


class OverBudgetError(BaseException):
    """The call did so much work that the verdict is certain."""


class Meter:
    """What one call did so far."""

    def __init__(self) -> None:
        self.on = False
        self.exhausted = False
        self.reset()

    def reset(self) -> None:
        """Forget the call before."""
        self.work = 0.0
        self.sorts: list[tuple[int, list[Any]]] = []
        """Number of elements, and the list that holds the result once the sort is done."""
        self.counters = 0

    def charge(self, units: float) -> None:
        """Add work. Raises ``OverBudgetError``."""
        if self.on:
            self.work += units
            if self.work > BUDGET:
                self.exhausted = True
                self.on = False
                raise OverBudgetError

    def sort(self, result: list[Any], caller: FrameType) -> None:
        """Note a sort, unless the standard library does it for its own ends."""
        self.charge(len(result))
        if self.on and not _in_library(caller):
            self.sorts.append((len(result), result))


meter = Meter()


def observe(nums: list[int], k: int) -> dict[str, Any]:
    """Call ``top_k_frequent`` once and tell what it did.

    ``sorts`` has the length of each sort, ``presented`` those that only brought the returned list into rising order.
    After one call over the budget no other is made: the verdict is certain.
    """
    function = llmbench_probe.load("top_k.py").top_k_frequent
    meter.reset()
    random.seed(0)
    value = None
    sys.setprofile(_on_call)
    sys.settrace(_on_line)
    meter.on = True
    try:
        with suppress(OverBudgetError):
            value = None if meter.exhausted else function(nums, k)
    finally:
        meter.on = False
        sys.settrace(None)
        sys.setprofile(None)
    rising = type(value) is list and all(a < b for a, b in pairwise(value))
    presented = [size for size, result in meter.sorts if rising and result == value]
    return {
        "finished": not meter.exhausted,
        "work": meter.work,
        "sorts": [size for size, _ in meter.sorts],
        "presented": presented,
        "counters": meter.counters,
    }


def _in_library(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith((LIBRARY, "<frozen"))


def _on_line(frame: FrameType, event: str, _arg: object) -> Any:
    if frame.f_code.co_filename == __file__:
        return None
    if event == "line":
        meter.charge(1)
    return _on_line


def _on_call(frame: FrameType, event: str, function: Any) -> None:
    """Charge for the methods of lists, which cannot be replaced as functions can."""
    if event != "c_call" or not isinstance(owner := getattr(function, "__self__", None), list):
        return
    match function.__name__:
        case "sort":
            meter.sort(owner, frame)
        case "insert":
            meter.charge(log2(len(owner) + 1) + len(owner) / MOVES_PER_UNIT)
        case "remove" | "index" | "count":
            meter.charge(len(owner))


def _charging(function: Callable[..., Any], units: Callable[[int], float]) -> Callable[..., Any]:
    """The function, charged by the length of its first argument; a lone iterator is drawn into a tuple first."""

    def charged(*args: Any, **kwargs: Any) -> Any:
        if not args:
            return function(**kwargs)
        first, *others = args
        if isinstance(first, Iterable) and not hasattr(first, "__len__"):
            first = tuple(first)
        meter.charge(units(len(first)) if hasattr(first, "__len__") else 1)
        return function(first, *others, **kwargs)

    return charged


def _watch_builtins() -> None:
    """Put watching functions in the place of those that a solution could call."""
    sort = builtins.sorted

    def sorted_(*args: Any, **kwargs: Any) -> list[Any]:
        result = sort(*args, **kwargs)
        meter.sort(result, sys._getframe(1))  # noqa: SLF001 - the caller decides
        return result

    builtins.sorted = sorted_
    for module, names, units in (
        (builtins, ("min", "max", "sum"), float),
        (bisect, ("insort", "insort_left", "insort_right"), float),
        (heapq, ("heapify",), float),
        (heapq, ("heappop", "heapreplace", "heappushpop"), lambda size: 2 * log2(size + 1)),
    ):
        for name in names:
            setattr(module, name, _charging(getattr(module, name), units))


def _watch_counter() -> None:
    """Note every ``Counter`` that code outside the standard library makes, by whatever name it got hold of it."""
    original = collections.Counter.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if meter.on and not _in_library(sys._getframe(1)):  # noqa: SLF001 - the caller decides
            meter.counters += 1
        original(self, *args, **kwargs)

    collections.Counter.__init__ = init


_watch_builtins()
_watch_counter()
