"""Annotations of a GitHub job: commands to its runner, one a line.

The format is that of "Workflow commands for GitHub Actions": ``::error title=...::message``, with ``%``, line ends and
in properties also ``:`` and ``,`` escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_llmbench.reporting.terminal import error_lines, number
from pytest_llmbench.schema.results import Results
from pytest_llmbench.text import printable

_MOST = 10
"""GitHub shows ten annotations of a kind for each step."""


def commands(results: Results, shortfalls: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Gates that were not reached as errors, causes of attempts without a score as warnings, totals as notices.

    ``shortfalls``: option and what is missing.
    """
    errors = [(f"llmbench {gate}", text) for gate, text in shortfalls if text]
    warnings = [("llmbench", line.removeprefix("error: ")) for line in error_lines(results)]
    notices = [
        (f"llmbench rank {row.rank}", f"{row.model}: {number(row.total)} of {number(row.max_total)} points")
        for row in results.leaderboard
    ]
    for command, messages in (("error", errors), ("warning", warnings), ("notice", notices)):
        for title, text in messages[:_MOST]:
            yield f"::{command} title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
