"""Values that go into the sandbox, and values in a message."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from pytest_llmbench.text import stable_repr


def seeded(seed: int | str) -> random.Random:
    """Random numbers that are the same for every model and on every machine.

    A text, such as a reply, gives numbers that nobody who wrote the text could have known before.
    """
    if isinstance(seed, str):
        return random.Random(hashlib.sha256(seed.encode("utf-8", "replace")).digest())  # noqa: S311 - no secret
    return random.Random(seed)  # noqa: S311 - as above


def shortened(value: object, most: int = 300) -> str:
    """A value in at most so many characters, for a message: a text as it is, anything else as Python writes it."""
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[:most]}..."
    return stable_repr(value, most)


def same(value: object, expected: object) -> bool:
    """Whether two values are equal, and of the same types at all levels.

    True is not 1, 1 is not 1.0, -0.0 is not 0.0, a tuple is not a list. A nan is the same as any other nan. The order
    of a dictionary's keys does not count.
    """
    waiting: list[tuple[Any, Any]] = [(value, expected)]
    while waiting:
        one, other = waiting.pop()
        kind = type(one)
        if kind is not type(other):
            return False
        if issubclass(kind, list | tuple | set | frozenset | dict):
            if len(one) != len(other):
                return False
            if issubclass(kind, list | tuple):
                waiting += zip(one, other, strict=True)
                continue
            counterparts = {key: key for key in other}
            if any(key not in counterparts for key in one):
                return False
            waiting += ((key, counterparts[key]) for key in one)
            if issubclass(kind, dict):
                waiting += ((one[key], other[key]) for key in one)
        elif repr(one) != repr(other) if issubclass(kind, float | complex) else one != other:
            return False
    return True
