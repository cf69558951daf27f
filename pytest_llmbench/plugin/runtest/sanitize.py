"""Sanitized test reports: what a program printed reaches terminal, records and other processes harmless, bounded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_llmbench.text import bounded, sanitize

_LONGEST_MESSAGE = 2000
_LONGEST_REPORT = 100_000
"""Characters of what one test has to say; a program may have printed a hundred times as many."""
_LONGEST_SECTION = 20_000
_SLACK = 100
"""A text that is hardly too long is not worth a cut; nor is one that was cut already."""
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_SANITIZED = "llm_sanitized"
"""Attribute of a report that was made harmless, and of what pytest makes out of it for a subtest."""


def clean(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """Control characters shown, memory addresses out, bounded: the same text on every run."""
    return bounded(sanitize(_ADDRESS.sub("0x...", text)), limit)


def sanitize_report(report: pytest.TestReport) -> None:
    """Make what a test has to say harmless: an assertion's text may be what a model's program printed.

    pytest writes it to the terminal as it is, terminal escapes and a million lines too, and xdist cannot send a lone
    surrogate.
    """
    report.longrepr = _ReportSanitizer(_LONGEST_REPORT).sanitized(report.longrepr)
    report.sections = [_section(name, text) for name, text in report.sections]
    report.user_properties = [
        (name, sanitize(value) if isinstance(value, str) else value) for name, value in report.user_properties
    ]
    setattr(report, _SANITIZED, True)


def sanitize_subtest(report: pytest.TestReport) -> None:
    """Do the same to what pytest put on a subtest's report after it was made: its name, and what it printed.

    Reports that ``sanitize_report`` never saw are not ours, and left as they are.
    """
    context = getattr(report, "context", None)
    if context is None or not getattr(report, _SANITIZED, False):
        return
    report.sections = [_section(name, text) for name, text in report.sections]
    named = {name: _shown(str(value), _LONGEST_MESSAGE) for name, value in context.kwargs.items()}
    message = None if context.msg is None else _shown(str(context.msg), _LONGEST_MESSAGE)
    report.context = dataclasses.replace(context, msg=message, kwargs=named)  # type: ignore[attr-defined]  # a subtest's


def _section(name: str, text: str) -> tuple[str, str]:
    return sanitize(name), _shown(text, _LONGEST_SECTION)


def _shown(text: str, limit: int) -> str:
    """Visible and bounded; what is so already stays as it is."""
    shown = sanitize(text if len(text) <= limit + _SLACK else bounded(text, limit))
    return bounded(shown, limit) if len(shown) > limit + _SLACK else shown


class _ReportSanitizer:
    """Makes every text in pytest's representation of an exception visible, and all of them together bounded."""

    def __init__(self, room: int) -> None:
        """``room``: characters."""
        self._room = room
        self._done: list[Any] = []

    def sanitized(self, part: Any) -> Any:
        """The part; texts and containers are new ones, pytest's own objects are changed in place."""
        if isinstance(part, str):
            return self._fitted(part)
        if isinstance(part, tuple):
            return tuple(map(self.sanitized, part))
        if isinstance(part, list):
            return list(self._items(part))
        if type(part).__module__ == "_pytest._code.code" and not any(part is one for one in self._done):
            self._done.append(part)  # the last link of a chain hangs on the chain itself as well
            for name, value in vars(part).items():
                # The message is told again in one line at the end, whatever room the traceback took.
                told = name == "message" and isinstance(value, str)
                setattr(part, name, _shown(value, _LONGEST_MESSAGE) if told else self.sanitized(value))
        return part

    def _items(self, parts: list[Any]) -> Iterator[Any]:
        for place, part in enumerate(parts):
            if isinstance(part, str) and not self._room:
                yield f"... ({len(parts) - place} more lines)"
                return
            yield self.sanitized(part)

    def _fitted(self, text: str) -> str:
        shown = _shown(text, max(self._room, _SLACK))
        self._room = max(0, self._room - len(shown))
        return shown
