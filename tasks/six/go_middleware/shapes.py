"""What may be taken for an answer of the probe, or of a server: strict, and bounded in size and depth."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Annotated, Any, TypeVar

from annotated_types import Interval, Len
from typing_extensions import TypedDict

MOST_TEXT, MOST_ITEMS = 250_000, 1_000
LARGEST = 10**9
DEEPEST = 20
"""Levels of JSON that a server may send: far more than any answer has."""

T = TypeVar("T")
Number = Annotated[float, Interval(ge=-LARGEST, le=LARGEST)]
Whole = Annotated[int, Interval(ge=-LARGEST, le=LARGEST)]
Text = Annotated[str, Len(0, MOST_TEXT)]
Some = Annotated[list[T], Len(1, MOST_ITEMS)]
"""Any number of such, and one at least."""
Headers = Annotated[dict[str, Text], Len(0, MOST_ITEMS)]


def record(**parts: Any) -> Any:
    """A dictionary with these entries."""
    return TypedDict("record", parts)


def parsed(text: str) -> Any:
    """The value of a JSON text; a text that says so where there is none, or it is nested too deeply."""
    if max(accumulate((character in "[{") - (character in "]}") for character in text), default=0) > DEEPEST:
        return "nested too deeply"
    try:
        return json.loads(text)
    except ValueError:
        return "no JSON"
