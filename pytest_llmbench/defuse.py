"""Text of unknown origin, made fit for terminals, reports and records."""

from __future__ import annotations

import re
from typing import Any

import pytest

_LONGEST_MESSAGE = 2000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def clean(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """Control characters shown, memory addresses out, bounded: the same text on every run."""
    text = visible(_ADDRESS.sub("0x...", text))
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more characters)"


def visible(text: str) -> str:
    """The text with tabs as blanks and every other control character, lone surrogate and the like as its escape."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text.expandtabs(4))


def defuse(report: pytest.TestReport) -> None:
    """Make what a test has to say harmless: an assertion's text may be what a model's program printed.

    pytest writes it to the terminal as it is, terminal escapes too, and xdist cannot send a lone surrogate.
    """
    report.longrepr = _defused(report.longrepr)
    report.sections = [(name, visible(text)) for name, text in report.sections]


def _defused(part: Any) -> Any:
    """Make every text in pytest's representation of an exception, a tree of plain objects, visible; in place."""
    if isinstance(part, str):
        return visible(part)
    if isinstance(part, list | tuple):
        return type(part)(map(_defused, part))
    if type(part).__module__ == "_pytest._code.code":
        for name, value in vars(part).items():
            setattr(part, name, _defused(value))
    return part
