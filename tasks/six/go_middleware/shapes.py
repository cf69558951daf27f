"""What may be taken for an answer of the probe, or of a server: strict, and bounded in size and depth."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

MOST_TEXT, MOST_ITEMS = 250_000, 1_000
LARGEST = 1e9
DEEPEST = 20
"""Levels of JSON that a server may send: far more than any answer has."""


def fits(value: object, shape: Any) -> bool:
    """Whether a value has the shape: [part], any number of such; (a, b), just these; {key: part}; types; or a value.

    Numbers are finite and small, a bool is no number, and texts are of a size that can be handled.
    """
    match shape:
        case list():
            return _is_list(value, MOST_ITEMS) and bool(value) and all(fits(each, shape[0]) for each in value)
        case tuple():
            return _is_list(value, len(shape)) and len(value) == len(shape) and all(map(fits, value, shape))
        case dict():
            return isinstance(value, dict) and all(fits(value.get(key), part) for key, part in shape.items())
    return type(value) in getattr(shape, "__args__", (shape,)) and _is_small(value)


def _is_list(value: Any, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most


def _is_small(value: Any) -> bool:
    match value:
        case str():
            return len(value) <= MOST_TEXT
        case dict():  # of a response's headers
            return len(value) <= MOST_ITEMS and all(fits(each, str) for each in value.values())
        case int() | float():
            return -LARGEST <= value <= LARGEST  # false for NaN; an int may be too large for any float
    return True


def parsed(text: str) -> Any:
    """The value of a JSON text; a text that says so where there is none, or it is nested too deeply."""
    if max(accumulate((character in "[{") - (character in "]}") for character in text), default=0) > DEEPEST:
        return "nested too deeply"
    try:
        return json.loads(text)
    except ValueError:
        return "no JSON"
