"""Streaming reader of ``results.json``: little memory for any size, without the rubric points of its attempts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_llmbench.schema.results import AttemptResult, Results
from pytest_llmbench.untrusted import files, json_text

_ATTEMPT = "attempts.item"
_LEFT_OUT = ("criteria", "dimensions", "timings", "phases")
"""What makes nine tenths of a file, and no total and no table is made from."""
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_MOST_BYTES = 2**30
_PIECE_BYTES = 4096
"""Small: the parser keeps the path of every value in a piece, which is as long as the nesting is deep."""
_BELOW = tuple(f"{_ATTEMPT}.{name}" for name in _LEFT_OUT)


def read_slim(path: Path) -> Results:
    """The results in a file, each attempt without its criteria, dimensions, timings and phases.

    Raises ``OSError``, ``ValueError`` for invalid JSON, or its subclass ``ValidationError`` for anything but results.
    """
    import ijson

    rest, one = ijson.ObjectBuilder(), ijson.ObjectBuilder()
    attempts: list[AttemptResult] = []
    depth = 0
    try:
        with files.opened(path.parent, path.name, most_bytes=_MOST_BYTES) as file:
            for prefix, event, value in ijson.parse(file, use_float=True, buf_size=_PIECE_BYTES):
                if event in _STEPS:
                    depth += _STEPS[event]
                    if depth > json_text.MOST_DEPTH:
                        raise ValueError(f"nested deeper than {json_text.MOST_DEPTH} levels")
                if not prefix.startswith(_ATTEMPT):
                    rest.event(event, _bounded(event, value))
                elif prefix != _ATTEMPT:
                    if not prefix.startswith(_BELOW):
                        one.event(event, _bounded(event, value))
                elif event == "end_map":
                    one.event(event, value)
                    attempts.append(AttemptResult.model_validate(one.value))
                elif not (event == "map_key" and value in _LEFT_OUT):
                    one = ijson.ObjectBuilder() if event == "start_map" else one
                    one.event(event, value)
    except ijson.JSONError as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    return Results.model_validate(getattr(rest, "value", None)).model_copy(update={"attempts": attempts})


def _bounded(event: str, value: Any) -> Any:
    if event == "number" and not abs(value) <= json_text.GREATEST:
        raise ValueError(f"a number beyond {json_text.GREATEST:g}")
    return value
