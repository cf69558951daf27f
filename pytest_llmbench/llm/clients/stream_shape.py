"""How an answer is asked for: as a stream with its usage, as a stream, or whole; what an endpoint refuses. Pure."""

from __future__ import annotations

import re
from typing import Any, Literal

from pytest_llmbench.llm.failures.error_body import read_error

Shape = Literal["usage", "stream", "whole"]
SHAPES: tuple[Shape, ...] = ("usage", "stream", "whole")
"""From the most to the least that is asked for."""

_REFUSING = (400, 403, 405, 406, 415, 422, 501)
_BROKEN = 500
"""What some answer to an option that they do not know."""
_OPTIONS = re.compile(r"stream_?options|include_?usage", re.IGNORECASE)
_STREAM = re.compile(r"\bstream(ing|ed)?\b", re.IGNORECASE)


def fields_of(shape: Shape) -> dict[str, Any]:
    """What a request says of it."""
    if shape == "usage":
        return {"stream": True, "stream_options": {"include_usage": True}}
    return {"stream": shape == "stream"}


def lesser(shape: Shape, status: int, body: str) -> Shape | None:
    """What to ask for in place of a shape that an error refuses; None: it is not about that."""
    if shape == "whole" or status not in (*_REFUSING, _BROKEN):
        return None
    told = read_error(body).searched
    if shape == "usage" and _OPTIONS.search(told):
        return "stream"
    return "whole" if status in _REFUSING and _STREAM.search(told) else None
