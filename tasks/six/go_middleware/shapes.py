"""What may be taken for an answer of the probe, or of a server: strict, and bounded in size and depth."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Annotated, Any, TypeVar

from annotated_types import Interval, Len
from typing_extensions import TypedDict

from pytest_llmbench import Row

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


Status = Whole | Text
Sent = Row[tuple[Number, Number, Status]]
Answer = Row[tuple[Number, Number, Status, Headers, Text]]
TRIED = {"timely": bool, "excess": Number, "waited": Number}
BURSTS = {"first": Some[Sent], "second": Some[Sent], **TRIED}
Bursts, Around = record(**BURSTS), record(opener=Some[Sent], **BURSTS)
OBSERVATIONS = {
    "limit": record(burst=Some[Sent], forged=Some[Sent], other=Some[Sent], again=Some[Sent], **TRIED),
    "steady": record(below=Some[Sent], beyond=Some[Sent]),
    "strangers": record(asked=Some[Sent], answers=Some[Row[tuple[Text, Whole]]]),
    "windows": record(around=Row[tuple[(Around,) * 4]], within=Row[tuple[(Bursts,) * 4]]),
    "parallel": record(reports=Row[tuple[(Answer,) * 3]], **TRIED),
    "api": record(answers=Some[Answer], burst=Some[Sent], report=Answer, exit=Whole | None, log=Text),
    "shutdown": record(
        answer=Answer,
        signalled=Number,
        refused=Number | None,
        alive=bool,
        accepted=bool,
        exit=Whole | None,
        **TRIED,
    ),
    "crowd": record(memory_kb=Some[Whole], let_through=Some[Whole]),
}
"""What the probe says of each scenario."""
