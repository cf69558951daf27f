"""Values of marker arguments: names and numbers, validated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

from pytest_llmbench.errors import TaskError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_POINTS = 1_000_000.0


def is_id(value: object) -> TypeGuard[str]:
    """True for a name of letters, digits and ``-._``."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def refuse_unknown(kwargs: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise ``TaskError`` for an unknown key, with the nearest known one."""
    for key in kwargs:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}=?" if near else f"; it takes {', '.join(known)}"
            raise TaskError(f"{where} has no argument {key}={hint}")


def number(value: object, what: str) -> float:
    """A number of points; raises ``TaskError``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_POINTS:
        raise TaskError(f"{what} is {value!r:.40}: it must be a number from 0 to {_MOST_POINTS:.0f}.")
    return float(value)


def names(value: object, what: str) -> tuple[str, ...]:
    """A list of names; raises ``TaskError``."""
    if (
        isinstance(value, str)
        or not isinstance(value, list | tuple)
        or not all(isinstance(v, str) and v for v in value)
    ):
        raise TaskError(f'{what} must be a list of names, such as ["node"] (got {value!r}).')
    return tuple(cast("Sequence[str]", value))
