"""Reading a ``results.json`` of any size in little memory: without the rubric points of its attempts."""

from __future__ import annotations

from pathlib import Path

from pytest_llmbench.schema.results import AttemptResult, Results

_ATTEMPT = "attempts.item"
_LEFT_OUT = ("criteria", "dimensions", "timings", "phases")
"""What makes nine tenths of a file, and no total and no table is made from."""
_BELOW = tuple(f"{_ATTEMPT}.{name}" for name in _LEFT_OUT)


def read_slim(path: Path) -> Results:
    """The results in a file, each attempt without its criteria, dimensions, timings and phases.

    Raises ``OSError``, ``ValueError`` for text that is no JSON, or pydantic's ``ValidationError``, which is one.
    """
    import ijson

    rest, one = ijson.ObjectBuilder(), ijson.ObjectBuilder()
    attempts: list[AttemptResult] = []
    try:
        with path.open("rb") as file:
            for prefix, event, value in ijson.parse(file, use_float=True):
                if not prefix.startswith(_ATTEMPT):
                    rest.event(event, value)
                elif prefix != _ATTEMPT:
                    if not prefix.startswith(_BELOW):
                        one.event(event, value)
                elif event == "end_map":
                    one.event(event, value)
                    attempts.append(AttemptResult.model_validate(one.value))
                elif not (event == "map_key" and value in _LEFT_OUT):
                    one = ijson.ObjectBuilder() if event == "start_map" else one
                    one.event(event, value)
    except ijson.JSONError as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    return Results.model_validate(rest.value).model_copy(update={"attempts": attempts})
