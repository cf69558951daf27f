r"""Answers of a driver in between what untrusted code prints on the same stream: ``\n<nonce> <JSON array>\n``.

The nonce frames, it proves nothing: code in the driver's process can read it and answer in the driver's place.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

_MOST_LEVELS = 404
"""Of nested lists and objects: 400 of a value, and what a frame puts around it. Whoever shows or compares what a
program answered must not run out of stack."""

_MOST_DIGITS = 4300
"""Of an integer; Python's own limit, which may have been lifted: reading takes quadratic time."""
_MANY_DIGITS = re.compile(rf"(?<!\d)\d{{{_MOST_DIGITS + 1}}}")


class Frame(NamedTuple):
    """One answer, and where it stands in the output."""

    value: Any
    """None for what is no JSON, nested too deeply, or has a number that Python has no form for."""
    start: int
    end: int
    text: str
    """As it was read."""


def new_nonce() -> str:
    """A word that nobody can guess; the driver learns it from its standard input."""
    return secrets.token_hex(16)


def read_frames(output: str, nonce: str) -> Iterator[Frame]:
    """The answers in ``output``, in order."""
    for match in re.finditer(rf"\n{nonce} (.*)\n", output):
        yield Frame(_parsed(match[1]), match.start(), match.end(), match[1])


def without_frames(output: str, nonce: str) -> str:
    """What the code printed."""
    return re.sub(rf"\n{nonce} .*\n", "", output)


def _parsed(text: str) -> Any:
    try:
        # A function of ours for each integer would double the time of reading.
        integer = _short_integer if _MANY_DIGITS.search(text) else int
        value = json.loads(text, parse_float=_finite, parse_constant=_finite, parse_int=integer)
    except (ValueError, RecursionError):
        return None
    return None if _is_deeper(value, _MOST_LEVELS) else value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _short_integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(text[:_MOST_DIGITS])
    return int(text)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in more than so many levels."""
    inside = [value]
    for _ in range(levels + 1):
        inside = [
            item
            for part in inside
            if isinstance(part, list | dict)
            for item in (part.values() if isinstance(part, dict) else part)
        ]
    return bool(inside)
