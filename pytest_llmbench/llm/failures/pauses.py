"""How long a server asks to wait before the same request is sent again: in headers, fields or words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pytest_llmbench import clock
from pytest_llmbench.llm.guarded_json import read_json
from pytest_llmbench.schema.numbers import MOST, is_figure

_LONGEST_PAUSE = 100
"""Characters of a header or field that says when."""
_SEARCHED_CHARS = 5000
_DEEP = 6
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNIT = (
    r"(?:(?P<ms>ms|milli-?seconds?)|(?P<s>s|secs?|seconds?)|(?P<m>m|mins?|minutes?)"
    r"|(?P<h>h|hrs?|hours?)|(?P<d>d|days?))"
)
_STEP = re.compile(rf"\s*(?P<count>[0-9]{{1,12}}(?:\.[0-9]{{1,9}})?)\s*{_UNIT}(?![a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[0-9]{1,12}(?:\.[0-9]{1,9})?(?![\w.]*\w)")
_WHEN = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing|[- ]after)?|wait(?:ing)?|available|resets?|come back)\b[^0-9\n]{0,60}?"
    r"(?=(?<![\w.-])[0-9])",
    re.IGNORECASE,
)
_FIELDS = re.compile(
    r"retry[_-]?(?:after|delay|in)(?:[_-]?(?P<ms>ms|milli\w*)|[_-]?s(?:ec\w*)?)?|estimated_time", re.IGNORECASE
)
_SECONDS, _MILLISECONDS = ("retry-after",), ("retry-after-ms", "x-ms-retry-after-ms", "x-retry-after-ms")


def asked_pause_s(headers: Mapping[str, str], body: str = "", now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait; None: it does not say.

    Headers count first (``retry-after-ms``, then ``Retry-After``), then a field of the error such as ``retryDelay``,
    then its words: "try again in 6m0s", "retry after 20 seconds".
    """
    told = retry_after_s(headers, now)
    if told is None:
        told = _in_fields(body)
    return _in_words(body[:_SEARCHED_CHARS]) if told is None else told


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the headers of an answer ask for, as a number, a duration or a date; None: nothing to use."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    for names, unit in ((_MILLISECONDS, 0.001), (_SECONDS, 1.0)):
        for name in names:
            if (value := lower.get(name, "")) and (seconds := _seconds(value, unit, now)) is not None:
                return seconds
    return None


def _seconds(value: str, unit: float, now: datetime | None = None) -> float | None:
    if len(value) > _LONGEST_PAUSE:
        return None
    try:
        asked = float(value) * unit
    except ValueError:
        found = _duration(value)
        return _until(value, now or clock.now()) if found is None else found
    return 0.0 if asked < 0 else asked if is_figure(asked) else None


def _until(date: str, now: datetime) -> float | None:
    """Seconds until a date as HTTP writes it; None: it is none that a calendar has."""
    try:
        until = parsedate_to_datetime(date)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(max(0.0, (until - now).total_seconds()), MOST)
    except (ValueError, OverflowError, TypeError):
        return None


def _duration(text: str, at: int = 0) -> float | None:
    """Seconds of a duration that begins there: ``1s``, ``20ms``, ``6m0s``, ``1 minute and 3 seconds``."""
    total: float | None = None
    while found := _STEP.match(text, at):
        total = (total or 0.0) + float(found["count"]) * _UNITS[str(found.lastgroup)]
        at = found.end()
        at += len(text[at : at + 5]) - len(text[at : at + 5].removeprefix(" and ").removeprefix(", "))
    return None if total is None else min(total, MOST)


def _in_words(text: str) -> float | None:
    for found in _WHEN.finditer(text):
        if (seconds := _duration(text, found.end())) is not None:
            return seconds
        if number := _NUMBER.match(text, found.end()):
            return float(number.group())
    return None


def _in_fields(body: str) -> float | None:
    try:
        value = read_json(body)
    except ValueError:
        return None
    return next(_told(value, _DEEP), None)


def _told(value: Any, deep: int) -> Iterator[float]:
    """What fields that are named for it say, wherever in an error they are."""
    if not deep:
        return
    if isinstance(value, list):
        for each in value:
            yield from _told(each, deep - 1)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if (named := _FIELDS.fullmatch(name)) and (seconds := _of_field(each, bool(named["ms"]))) is not None:
                yield seconds
            else:
                yield from _told(each, deep - 1)


def _of_field(value: Any, milli: bool) -> float | None:
    if isinstance(value, Mapping):  # a Duration of Google's, written out
        value = value.get("seconds")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return _seconds(str(value), 0.001 if milli else 1.0)
