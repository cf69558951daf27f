"""Whether what came out of the sandbox has the shape that it should have: pydantic's types, applied strictly."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, TypeVar

import pytest
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from pytest_llmbench.plugin.author.values import shortened

T = TypeVar("T")

_MOST_ERRORS = 1_000
MOST_PARTS = 1_000_000
"""Of a value that is checked: items of lists and entries of dictionaries, at all levels."""


def _from_list(value: object) -> object:
    return tuple(value) if type(value) is list else value


Row = Annotated[T, BeforeValidator(_from_list)]
"""In a shape, a list of fixed length with a type for each place: ``Row[tuple[int, str]]``."""


def fits(value: object, shape: Any) -> bool:
    """Whether the value has the shape (see ``checked``)."""
    return not _misfit(value, shape)


def checked(value: Any, shape: Any, about: str) -> Any:
    """The value as it is, when it has the shape; a miss that begins with ``about`` when it has not.

    ``shape``: whatever pydantic makes a validator of: ``list[int]``, a ``TypedDict``, ``Row[tuple[int, str]]``,
    ``Annotated[int, Ge(0)]``. It is applied strictly: True is not an integer, nor is a text that says ``1``. An integer
    is a ``float`` as well. A value of more than 1,000,000 parts has no shape.
    """
    misfit = _misfit(value, shape)
    if misfit:
        pytest.fail(f"{about}: {misfit}")
    return value


def _misfit(value: object, shape: Any) -> str:
    """What does not fit, in words; empty when all fits."""
    if _has_more_parts(value, MOST_PARTS):
        return f"more than {MOST_PARTS} parts"
    try:
        _adapter(shape).validate_python(value, strict=True)
    except ValidationError as error:
        if error.error_count() > _MOST_ERRORS:  # to list them would take longer than to find them
            return f"{error.error_count()} parts do not fit"
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = "".join(f"[{key!r}]" for key in first["loc"])
        return shortened(f"{first['msg']}{place and f', at {place}'}")
    return ""


@lru_cache(maxsize=64)
def _adapter_of(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _adapter(shape: Any) -> TypeAdapter[Any]:
    """The shape's validator, made once where the shape can be told from others by its hash."""
    try:
        return _adapter_of(shape)
    except TypeError:
        return TypeAdapter(shape)


def _has_more_parts(value: object, most: int) -> bool:
    """Whether there are more; looks at no more than that."""
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        parts = inside.values() if isinstance(inside, dict) else inside if isinstance(inside, list) else ()
        most -= len(parts)
        if most < 0:
            return True
        waiting += parts
    return False
