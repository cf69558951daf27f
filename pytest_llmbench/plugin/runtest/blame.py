"""Whose fault an exception of a rubric test is: a miss, a test that raised over what was handed in, or a fault of ours.

What comes from a reply (a file, an answer, a text) is data, and a test that chokes on it did not find what it asks for:
that is a miss. The rule goes by the exception's type and by the place where it was raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from pytest_llmbench.errors import LLMBenchError, ModelError
from pytest_llmbench.shipped import PACKAGE, SUITES

Blame = Literal["missed", "raised", "not_reached", "grader"]
"""``raised`` is a miss too, by an exception that is no assertion."""

OVER_BUDGET = "over budget: "
"""How ``pytest.fail`` begins where looking at what was handed in took too much: a miss, in a fixture as well."""

_NEVER_DATA = (
    OSError,
    ImportError,
    NameError,
    NotImplementedError,
    SystemError,
    Warning,
    pytest.FixtureLookupError,
    pytest.UsageError,
)
"""Whatever was handed in, these come of a test, a machine or an option that is wrong."""
_Place = tuple[str, Path]
_READS_REPLIES = (PACKAGE / "extraction", PACKAGE / "plugin/author/source.py")
"""Code of ours that look at the text of a reply, and may choke on it like a test."""


def blame(error: BaseException, when: str, folder: Path) -> Blame:
    """Whose fault ``error`` is, raised in the phase ``when`` of a rubric test whose module lies in ``folder``.

    A miss: an ``AssertionError`` or ``pytest.fail`` in the body. Raised over what was handed in: any other
    ``Exception`` in the body, or in a fixture that is written in ``folder``, but for the kinds that data never causes
    and for what this package raises itself. Everything else is the grader's fault; of a group, every member counts.
    """
    way = list(_places(error))
    verdicts = {_blame(member, [*way, *_places(member)], when, folder) for member in _members(error)}
    return next(verdict for verdict in _HEAVIEST_FIRST if verdict in verdicts)


_HEAVIEST_FIRST: tuple[Blame, ...] = ("not_reached", "grader", "raised", "missed")


def _blame(error: BaseException, places: list[_Place], when: str, folder: Path) -> Blame:
    if isinstance(error, ModelError):
        return "not_reached"
    if _is_ours(error) or when not in ("setup", "call"):
        return "grader"
    if isinstance(error, AssertionError | pytest.fail.Exception):
        over_budget = isinstance(error, pytest.fail.Exception) and str(error).startswith(OVER_BUDGET)
        # pytest calls the body from ``_pytest.python``; a failure that begins there is its refusal to run an async def.
        refused = [name for name, _ in places if name != "_pytest.outcomes"][-1:] == ["_pytest.python"]
        return "missed" if over_budget or (when == "call" and not refused) else "grader"
    if not isinstance(error, Exception) or isinstance(error, _NEVER_DATA) or _is_of_a_tool(error, folder):
        return "grader"
    if any(map(_is_ours, _reasons(error))):  # while a test cleans up after a fault of ours, say
        return "grader"
    return "raised" if _raised_for_task(places, folder) else "grader"


def _members(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _members(member)
    else:
        yield error


def _places(error: BaseException) -> Iterator[_Place]:
    """Module and file of every call on the way to where it was raised, the outermost first."""
    entry = error.__traceback__
    while entry is not None:
        frame = entry.tb_frame
        # A cached module of a project that was moved has code objects that name its old place.
        yield (
            str(frame.f_globals.get("__name__")),
            Path(str(frame.f_globals.get("__file__") or frame.f_code.co_filename)),
        )
        entry = entry.tb_next


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """The exception and those while which it was raised."""
    seen: set[int] = set()
    reason: BaseException | None = error
    while reason is not None and id(reason) not in seen:
        seen.add(id(reason))
        yield reason
        reason = reason.__cause__ or (None if reason.__suppress_context__ else reason.__context__)


def _is_ours(error: BaseException) -> bool:
    """Raised on purpose by this package, or by pytest-timeout."""
    timed_out = isinstance(error, pytest.fail.Exception) and any(name == "pytest_timeout" for name, _ in _places(error))
    return timed_out or isinstance(error, LLMBenchError)


def _is_of_a_tool(error: Exception, folder: Path) -> bool:
    """A program that the test started itself, or a syntax error in a file beside the task's module."""
    broken = isinstance(error, SyntaxError) and bool(error.filename) and Path(str(error.filename)).parent == folder
    return broken or type(error).__module__ == "subprocess"


def _raised_for_task(places: list[_Place], folder: Path) -> bool:
    """By the task's own code, or by a library that it called: not by this package, and not before the task's turn."""
    for _, path in reversed(places):
        if path.parent == folder:
            return True
        if path.is_relative_to(PACKAGE) and not any(map(path.is_relative_to, (SUITES, *_READS_REPLIES))):
            return False
    return False
