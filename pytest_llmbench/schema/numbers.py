"""Numbers: which of those that others report are believed, and decimals as they were written.

Pure, and standard library only. A reported number is kept and computed with only where it is finite and within 0 and
``MOST``; no sum, product or quotient of a few of these leaves what a float and JSON can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any, TypeGuard

from pytest_llmbench.text import is_short_line

MOST = 10**12
"""More tokens, milliseconds or bytes than anybody measures."""

MAX_FIGURES = 200
MAX_NAME_CHARS = 100
_DEPTH = 3


@lru_cache(maxsize=4096)  # the same few numbers again and again
def exact(value: float) -> Fraction:
    """The decimal that was written, as a fraction: 0.1 is 1/10."""
    return Fraction(str(value))


def half_up(value: Fraction | float, digits: int = 0) -> float:
    """Rounded as people round, a half away from zero: 1.65 to one digit is 1.7. Exact up to the last step."""
    scaled = (value if isinstance(value, Fraction) else exact(value)) * 10**digits
    whole = floor(abs(scaled) + Fraction(1, 2))
    return float(Fraction(whole if scaled >= 0 else -whole, 10**digits))


def is_figure(value: object) -> TypeGuard[int | float]:
    """True for a number within 0 and ``MOST``; NaN, the infinities and booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST


def positive(value: object) -> float | None:
    """The number, if it is one above zero and at most ``MOST``."""
    return float(value) if is_figure(value) and value > 0 else None


def count(value: object) -> int | None:
    """The whole number, if it is one within 0 and ``MOST``."""
    return value if is_figure(value) and isinstance(value, int) else None


def figures(told: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The part of a table of figures that can be kept, and the names of what was left out.

    Kept are numbers as ``is_figure`` has them, short texts on one line, true, false and null, in at most
    ``MAX_FIGURES`` entries on three levels. A list or an inner table with anything else in it is left out as a whole.
    """
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    room = MAX_FIGURES
    for name, value in told.items():
        size = _size(value, _DEPTH - 1, room) if room > 0 and is_short_line(name, MAX_NAME_CHARS) else None
        if size is None:
            left_out.append(ascii(str(name)[:MAX_NAME_CHARS])[1:-1])
        else:
            kept[name] = value
            room -= size
        if len(left_out) >= MAX_FIGURES:
            break
    return kept, tuple(left_out)


def _size(value: object, depth: int, room: int) -> int | None:
    """How many values it is made of; None: it holds what is not kept, or more than there is room for."""
    if value is None or isinstance(value, bool) or is_figure(value) or is_short_line(value, MAX_NAME_CHARS):
        return 1
    if not isinstance(value, Mapping | list | tuple) or depth <= 0 or len(value) >= room:
        return None
    if isinstance(value, Mapping) and not all(is_short_line(name, MAX_NAME_CHARS) for name in value):
        return None
    total = 1
    for each in value.values() if isinstance(value, Mapping) else value:
        size = _size(each, depth - 1, room - total)
        if size is None:
            return None
        total += size
    return total if total <= room else None
