"""Clocks that tests cannot stop: freezegun and its kin replace those of ``time`` wherever a module holds them.

The real ones are kept where nobody looks, as default arguments. pytest loads this at start, before any test.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


def monotonic(*, _read: Callable[[], float] = time.monotonic) -> float:
    """Seconds since some moment, for all that is measured or has a deadline."""
    return _read()


def wall(*, _read: Callable[[], float] = time.time) -> float:
    """Seconds since 1970."""
    return _read()


def now(*, _datetime: type[datetime] = datetime) -> datetime:
    """Date and time, in UTC."""
    return _datetime.fromtimestamp(wall(), UTC)
