"""Whether what came out of the sandbox has the shape that it should have: pydantic's types, applied strictly."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import pytest
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from pytest_llmbench.plugin.author.values import shortened
from pytest_llmbench.text import stable_repr

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

T = TypeVar("T")

_MOST_ERRORS = 1_000
"""To list more would take longer than to find them."""
_MOST_ERRORS_OF_SETS = 50
"""The same where each has to be put in words, to choose one that does not depend on the order of a set."""
MOST_PARTS = 1_000_000
"""Of a value that is checked: items of containers and entries of dictionaries, at all levels."""


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
    ``Annotated[int, Ge(0)]``. It is applied strictly: True is not an integer, nor is a text that says ``1``, and a list
    is not a ``tuple``. An integer is a ``float`` as well. A value of more than 1,000,000 parts has no shape.
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
        has_set = _holds_a_set(value)
        if error.error_count() > (_MOST_ERRORS_OF_SETS if has_set else _MOST_ERRORS):
            return f"{error.error_count()} parts do not fit"
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        told = (_told(value, each) for each in errors)
        # The first one, but for sets, whose members have no order.
        return min(told) if has_set else next(told)
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


def _told(value: Any, error: ErrorDetails) -> str:
    """An error in words, with its place: a member of a set is named itself, for its number means nothing."""
    place = ""
    for step in error["loc"]:
        if isinstance(value, set | frozenset) and isinstance(step, int):
            value = next(islice(value, step, None), None)
            place += f"{{{stable_repr(value)}}}"
            continue
        place += f"[{step!r}]"
        try:
            value = value[step]
        except (LookupError, TypeError):  # a step of the shape and none of the value, as the member of a union
            continue
    return shortened(f"{error['msg']}{place and f', at {place}'}")


def _has_more_parts(value: object, most: int) -> bool:
    """Whether there are more; looks at no more than that."""
    waiting = [value]
    while waiting:
        parts = _parts(waiting.pop())
        most -= len(parts)
        if most < 0:
            return True
        waiting += parts
    return False


def _holds_a_set(value: object) -> bool:
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, set | frozenset):
            return True
        waiting += _parts(inside)
    return False


def _parts(value: object) -> Collection[object]:
    """The items of a container, the keys of a dictionary among them unless they are texts."""
    if isinstance(value, dict):
        keys = [key for key in value if type(key) is not str]
        return [*keys, *value.values()] if keys else value.values()
    return value if isinstance(value, list | tuple | set | frozenset) else ()
