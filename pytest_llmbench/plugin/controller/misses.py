"""Missed points in pytest's terms: a state of their own, which is a failure to everybody but the terminal."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.plugin.runtest.outcome import MESSAGE, OUTCOME
from pytest_llmbench.reporting.misses import Miss, miss_lines
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.run_files import BASE

if TYPE_CHECKING:
    from pytest_llmbench.plugin.controller.controller import Controller

MISSED = "missed"
"""The state: pytest's key of these reports, and the word in its closing line."""
_USUAL_REPORT_CHARS, _USUAL_TRACEBACK = "fE", "auto"
"""pytest's defaults of ``-r`` and ``--tb``."""


class Misses:
    """Collects the misses of a session, and shows them on the terminal.

    Without further options that is a line for each. Tracebacks come with ``-v`` or a ``--tb`` that was asked for, lines
    in pytest's short summary with a ``-r`` that asks for failures.
    """

    def __init__(self, config: pytest.Config, controller: Controller) -> None:
        self._config = config
        self._controller = controller
        self._of: dict[AttemptKey, dict[ItemRef, Miss]] = {}

    # -- hooks -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Have misses counted as the failures that they are."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            _count_as_failures(terminal)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Give a miss its category, letter and word."""
        if not _is_miss(report):
            return None
        if hasattr(report, "context"):  # a subtest
            return MISSED, "m", f"SUBMISSED{str(report.head_line).removeprefix(report.location[2]).strip()}"
        return MISSED, "M", "MISSED"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a miss; of several reports on one test, such as its subtests', the first is told."""
        ref = self._controller.recorder.plan.items.get(report.nodeid)
        if ref is not None and _is_miss(report):
            misses = self._of.setdefault(ref.key, {})
            misses.setdefault(ref, Miss(ref.point, ref.case, getattr(report, MESSAGE, "")))

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write what there is between pytest's failures and its short summary."""
        option = self._config.option
        if not self._of or option.no_summary:
            return
        if self._tracebacks:
            combined = terminalreporter.summary_failures_combined
            # Older ones look the style up themselves.
            style = {"style": option.tbstyle} if "style" in inspect.signature(combined).parameters else {}
            combined(MISSED, "MISSED", **style)
        if not terminalreporter.hasopt("f"):
            return
        if option.reportchars == _USUAL_REPORT_CHARS:
            self._write_lines(terminalreporter)
        else:
            stats = terminalreporter.stats
            stats["failed"] = [*stats.get("failed", ()), *stats.get(MISSED, ())]

    def summarized(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Take misses out of pytest's failures again: its short summary is written."""
        stats = terminalreporter.stats
        listed = {id(report) for report in stats.get(MISSED, ())}
        failed = [report for report in stats.pop("failed", ()) if id(report) not in listed]
        if failed:
            stats["failed"] = failed

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        """Make misses failures in pytest-json-report's file, which takes tests' states from the terminal."""
        for test in json_report.get("tests", ()):
            if test.get("outcome") == MISSED:
                test["outcome"] = "failed"
        summary = json_report.get("summary", {})
        if missed := summary.pop(MISSED, 0):
            summary["failed"] = summary.get("failed", 0) + missed

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def _tracebacks(self) -> bool:
        """Whether they were asked for."""
        words = [str(word) for word in self._config.invocation_params.args]
        asked = "--tb=auto" in words or ("--tb", "auto") in itertools.pairwise(words)
        return asked or self._config.option.tbstyle != _USUAL_TRACEBACK or self._config.get_verbosity() > 0

    def _write_lines(self, terminal: pytest.TerminalReporter) -> None:
        terminal.write_sep("=", "missed points")
        base = self._controller.settings.run_base.absolute()
        here = Path.cwd()
        show = ["llmbench", "show"]
        if base != here / BASE:
            show.append(f"--run-dir={base.relative_to(here) if base.is_relative_to(here) else base}")
        keys = dict.fromkeys(ref.key for ref in self._controller.recorder.plan.items.values())
        missed = {key: list(self._of[key].values()) for key in keys if key in self._of}
        width = terminal._tw.fullwidth  # noqa: SLF001  # no other way
        for line in miss_lines(missed, width=width, show=show):
            terminal.write_line(line)


def _is_miss(report: Any) -> bool:
    """True for a report of a miss that counts as a failure: no bonus, none that was expected."""
    return getattr(report, OUTCOME, "") == MISSED and bool(report.failed)


def _count_as_failures(terminal: Any) -> None:
    """Let pytest's closing line, and the colour of its progress, take misses for failures."""
    count, colour = terminal.build_summary_stats_line, getattr(terminal, "_determine_main_color", None)

    def closing_line() -> tuple[list[tuple[str, dict[str, bool]]], str]:
        parts, main = count()
        missed = [(text, {"red": True, "bold": True}) for text, _ in parts if _word(text) == MISSED]
        if not missed:
            return parts, main
        others = [part for part in parts if _word(part[0]) != MISSED]
        first = sum(_word(text) == "failed" for text, _ in others)  # these come first
        return [*others[:first], *missed, *others[first:]], "red"

    terminal.build_summary_stats_line = closing_line
    if colour is not None:  # a method of pytest's own
        terminal._determine_main_color = lambda unknown: "red" if MISSED in terminal.stats else colour(unknown)  # noqa: SLF001


def _word(part: str) -> str:
    return part.partition(" ")[2]
