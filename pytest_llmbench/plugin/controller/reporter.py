"""Hooks of the one process that reports: header, records as they arrive, results, summary and exit status."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

from pytest_llmbench.errors import StoreError
from pytest_llmbench.plugin.controller import publish
from pytest_llmbench.plugin.controller.controller import Controller
from pytest_llmbench.plugin.controller.gates import GateResult, rule
from pytest_llmbench.plugin.controller.listeners import Listeners
from pytest_llmbench.plugin.controller.misses import Misses
from pytest_llmbench.plugin.controller.progress import ProgressReporter
from pytest_llmbench.plugin.runtest.outcome import CAUSE, OUTCOME, RECORD
from pytest_llmbench.plugin.runtest.sanitize import clean
from pytest_llmbench.reporting.terminal import render
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import Results
from pytest_llmbench.text import printable

LOST = "???"
"""Phase of the report that xdist makes up for a test whose worker was lost."""


class Reporter:
    """Listens to the session on the controller's side."""

    def __init__(self, config: pytest.Config, baseline: Results | None = None) -> None:
        """``baseline``: the results that this run is judged against, if any."""
        self._config = config
        self._baseline = baseline
        self._controller: Controller | None = None
        self._results: Results | None = None
        self._told: dict[str, tuple[str, str | None]] = {}
        """Cause of errors -> the report that tells it."""
        self._stopped_by = ""
        self._ordinary_failure = False
        self._rulings: list[GateResult] = []
        self._report: str = ""
        self._old_sigterm: Any = None
        self._life = ProgressReporter(config)
        self._misses: Misses | None = None
        self._listeners = Listeners(config)

    def attach(self, controller: Controller) -> None:
        """Report on this controller's run."""
        self._controller = controller
        self._config.pluginmanager.register(self._life, "llmbench-life")
        self._misses = Misses(self._config, controller)
        self._config.pluginmanager.register(self._misses, "llmbench-misses")
        if threading.current_thread() is threading.main_thread():
            self._old_sigterm = signal.signal(signal.SIGTERM, self._on_sigterm)

    @property
    def controller(self) -> Controller:
        """The session's controller."""
        assert self._controller is not None
        return self._controller

    # -- before and while ------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """Models and what they resolved to, sandbox, run folder."""
        return [printable(line) for line in self.controller.header_lines()]

    def on_planned(self, plan: Plan) -> None:
        """Say how much there is to do, once it is known; may be called from a worker's thread."""
        progress = self.controller.gateway.progress()
        local = self.controller.count_local(plan)
        parts = [f"{local} from files"] if local else []
        if progress.earlier:
            parts.append(f"{progress.earlier} already in this run")
        to_ask = progress.total - local - progress.reused - progress.earlier
        if to_ask or progress.reused:
            parts.append(f"{progress.reused} replies reused, {to_ask} to request")
        if progress.reused and self.controller.settings.llm.cache != "only":
            parts[-1] += "; --llm-cache=refresh asks again"
        self._life.say(f"llmbench: attempts: {len(plan.attempts())}; {', '.join(parts) or 'none can be graded here'}")
        self._life.begin(plan, self.controller.gateway.progress)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep every record the moment it arrives; a lost worker's test gets one too."""
        record = getattr(report, RECORD, None)
        recorder = self.controller.recorder
        if report.failed and report.nodeid not in recorder.plan.items:
            self._ordinary_failure = True
        if record is not None:
            item = ItemRecord.model_validate(record)
            self._keep(item)
            delattr(report, RECORD)  # pytest keeps reports to the end
            self._life.ended(report.nodeid, item.duration_s)
        elif str(report.when) == LOST and (ref := recorder.plan.items.get(report.nodeid)):
            setattr(report, OUTCOME, "grader")
            message = "the process that graded this point was lost (it crashed or was killed)"
            self._keep(ItemRecord(**ref._asdict(), outcome="grader", message=message))
            self._life.ended(report.nodeid, 0.0)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be collected is a failure like that of any test."""
        self._ordinary_failure |= report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Failures that are no verdict on a model are errors; of one cause only the first is told in full.

        pytest and others ask as often as they like, and always get the same answer.
        """
        outcome = getattr(report, OUTCOME, None)
        cause = getattr(report, CAUSE, None)
        if outcome != "grader" and (outcome != "not_reached" or cause is None):
            return None
        this = (report.nodeid, report.when)
        first = cause is None or self._told.setdefault(cause, this) == this
        return ("error" if first else "not reached"), "E", "ERROR"

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that the session did not come to its end, before a second Ctrl-C cuts short what others do here."""
        # pytest's own ways to stop are kinds of KeyboardInterrupt, and say why.
        by_key = type(excinfo.value) is KeyboardInterrupt
        self._stopped_by = "interrupted" if by_key else str(excinfo.value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A plugin that raised ends the session."""
        self._stopped_by = f"internal error: {clean(excinfo.exconly().partition(chr(10))[0], limit=200)}"

    # -- after -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Work out the results before anybody reports, and hand the exit status to the score if asked to."""
        stopped = self._stopped_by or str(session.shouldstop or session.shouldfail or "")
        self._results = self.controller.finish(stopped_by=stopped)
        trouble = self.controller.recorder.trouble
        gates = self.controller.settings.gates
        check = self._results.selfcheck
        if check is not None and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            sound = check.passed and not (stopped or trouble or self._ordinary_failure)
            session.exitstatus = pytest.ExitCode.OK if sound else pytest.ExitCode.TESTS_FAILED
        elif gates.any and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            before = stopped or str(trouble or "") or ("an ordinary test failed" if self._ordinary_failure else "")
            rulings = rule(self._results, gates, self._baseline)
            self._rulings = [GateResult(gate, before or shortfall) for gate, shortfall in rulings]
            missed = any(ruling.shortfall for ruling in self._rulings)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED if missed else pytest.ExitCode.OK
        elif trouble is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.controller.settings.html is not None:
            try:
                self._report = publish.write_html(self.controller.run, self._results, self.controller.settings.html)
            except StoreError as error:
                self._report = f"llmbench: {error}"
                if session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._listeners.finished(self._results, self.controller.recorder)
        return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        """Add the results to pytest-json-report's file."""
        if self._results is not None:
            json_report["llmbench"] = self._results.model_dump(mode="json")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """The answer comes last: behind pytest's own summary and that of all other plugins."""
        try:
            return (yield)
        finally:
            if self._misses is not None:
                self._misses.summarized(terminalreporter)
            self._write_answer(terminalreporter)

    def _write_answer(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The leaderboard and what is missing from it; what listeners raised, however quiet the session is."""
        for line in self._listeners.troubles():
            terminalreporter.write_line(printable(f"llmbench: {line}"))
        if self._results is None or self._config.get_verbosity() < -1:
            return
        terminalreporter.write_sep("=", "llmbench")
        width, colour = terminalreporter._tw.fullwidth, terminalreporter.hasmarkup  # noqa: SLF001  # no other way
        for line in render(self._results, width=width, colour=colour).splitlines():
            terminalreporter.write_line(line)
        for ruling in self._rulings:
            terminalreporter.write_line(printable(publish.ruling_line(ruling)))
        trouble = self.controller.recorder.trouble
        if trouble is not None:
            terminalreporter.write_line(f"llmbench: {trouble}", red=True)
        elif self.controller.kept:
            terminalreporter.write_line(f"results: {self.controller.results_path}")
        else:
            terminalreporter.write_line("llmbench: no attempts, so no run was kept")
        if self._stopped_by == "interrupted" and self.controller.kept:
            resume = f"--llm-resume={self.controller.run.id}"
            terminalreporter.write_line(f"llmbench: to resume this run, give the same command with {resume}")
        for line in self.controller.damaged:
            terminalreporter.write_line(printable(f"llmbench: {line} It was treated as missing."))
        if self._report:
            terminalreporter.write_line(self._report)
        try:
            for line in publish.tell_github(self._results, self._rulings):
                terminalreporter.write_line(line)
        except StoreError as error:
            terminalreporter.write_line(f"llmbench: {error}", red=True)

    def pytest_unconfigure(self) -> None:
        """Let go of everything, also when the session never began."""
        for line in self._listeners.troubles():  # the session had no summary
            sys.stderr.write(printable(f"llmbench: {line}") + "\n")
        if self._controller is not None:
            self._controller.release()
            if self._old_sigterm is not None:
                signal.signal(signal.SIGTERM, self._old_sigterm)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _keep(self, record: ItemRecord) -> None:
        self.controller.recorder.item(record)
        self._listeners.recorded(record, self.controller.plan, self.controller.recorder)

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt("SIGTERM")
