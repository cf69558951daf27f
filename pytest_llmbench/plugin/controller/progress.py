"""A sign of life while models are asked and replies are graded: how far it is, and how long the rest will take."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmbench.llm.protocols import Progress
from pytest_llmbench.plugin.controller.status_line import Part, Screen, as_line
from pytest_llmbench.plugin.controller.time_left import GradingPace, generation_left_s
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.text import printable

TERMINAL_S, PLAIN_S = 1.0, 30.0
"""Between two signs: of the line that is redrawn on a terminal, and of the lines in a log."""


class ProgressReporter:
    """Shows the progress of a session until its end: on a terminal in one line redrawn in place, else line by line.

    Nothing with ``-q``. It goes to the terminal alone: reports in files know nothing of it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._screen: Screen | None = None
        self._attempt_of: dict[str, AttemptKey] = {}
        """Of each test item that has not ended."""
        self._items_left: Counter[AttemptKey] = Counter()
        self._graded = 0
        dist, workers = config.getoption("dist", "no"), config.getoption("tx", None) or ()
        self._grading = GradingPace(1 if dist == "no" else len(workers))
        self._hushed = False
        self._ended = threading.Event()

    def begin(self, plan: Plan, progress: Callable[[], Progress]) -> None:
        """Show it from now on."""
        unavailable = {card.id for card in plan.tasks if card.unavailable}
        keys = {key: key for key in plan.attempts()}  # one object for each, however many items it has
        self._attempt_of = {item: keys[ref.key] for item, ref in plan.items.items() if ref.task not in unavailable}
        self._items_left = Counter(self._attempt_of.values())
        self._grading.begin(len(self._attempt_of))
        if self._screen is not None:
            work = (self._screen, progress)
            threading.Thread(target=self._show, args=work, name="llmbench-life", daemon=True).start()

    def say(self, line: str) -> None:
        """Write a line that stays, at once: also while pytest captures what is written."""
        screen, terminal = self._screen, self._terminal
        if screen is not None:
            self._say_at(screen, line)
        elif terminal is not None and self._config.get_verbosity() >= 0:
            terminal.ensure_newline()
            terminal.write_line(line)

    def ended(self, nodeid: str, took_s: float) -> None:
        """A test item has ended: an attempt of which all have is graded."""
        key = self._attempt_of.pop(nodeid, None)
        if key is not None:
            self._grading.ended(took_s, time.monotonic())
            self._items_left[key] -= 1
            self._graded += not self._items_left[key]

    # -- hooks -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Take a place at the terminal before it writes."""
        terminal = self._terminal
        if terminal is None or self._config.get_verbosity() < 0:
            return
        uncaptured = self._config.getoption("capture", "fd") == "no"  # what tests print would run into the line
        dumb = os.name == "nt" or os.environ.get("TERM", "dumb") == "dumb"
        redraws = bool(terminal.isatty) and not (os.environ.get("CI") or uncaptured or dumb)
        try:
            # No hook sees all that is written.
            self._screen = terminal._tw._file = Screen(terminal._tw._file, redraws=redraws)  # noqa: SLF001
        except (AttributeError, OSError, ValueError):
            return  # no terminal of pytest's own kind, or none of the system's

    def pytest_enter_pdb(self) -> None:
        """Keep out of the way of somebody who types."""
        self._hushed = True
        if self._screen is not None:
            self._screen.clear()

    def pytest_leave_pdb(self) -> None:
        """Go on."""
        self._hushed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Nothing more comes: what follows is the summary."""
        self._end()

    def pytest_unconfigure(self) -> None:
        """Give the terminal back, also when the session never began."""
        self._end()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _show(self, screen: Screen, progress: Callable[[], Progress]) -> None:
        began = time.monotonic()
        while not self._ended.wait(TERMINAL_S if screen.redraws else PLAIN_S):
            now, moment = progress(), time.monotonic()
            if self._graded >= now.total:
                screen.clear()
                return
            if self._hushed:
                continue
            left_s = time_left_s(now, self._grading.left_s(moment))
            parts = [
                [printable(text) for text in part]
                for part in sign_of_life(now, moment - began, graded=self._graded, left_s=left_s)
            ]
            if screen.redraws:
                screen.draw(parts)
            else:
                self._say_at(screen, as_line(parts, self._terminal._tw.fullwidth))  # noqa: SLF001 - no other way

    def _say_at(self, screen: Screen, line: str) -> None:
        screen.say(line)
        if not screen.redraws:
            self._terminal.currentfspath = None  # the next test's outcome begins a line of its own

    @property
    def _terminal(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")

    def _end(self) -> None:
        self._ended.set()
        if self._screen is not None:
            self._terminal._tw._file = self._screen.close()  # noqa: SLF001 - as it was
            self._screen = None


def sign_of_life(progress: Progress, elapsed_s: float, *, graded: int = 0, left_s: float | None = None) -> list[Part]:
    """How far the session is, how long the rest will take and what it took: parts of a line, the weightiest first.

    ``graded``: attempts with a verdict on everything. ``left_s``: None where nothing is known of it.
    """
    generated = progress.answered + progress.failed
    parts: list[Part] = [
        [
            f"llmbench: {generated} generated, {graded} graded of {progress.total}",
            f"llmbench: {graded} graded of {progress.total}",
        ]
    ]
    if left_s is not None and left_s >= 1:
        parts.append([f"about {_duration(left_s)} left"])
    if progress.in_flight:
        models = list(dict.fromkeys(key.model for key in progress.in_flight))
        flying = f"{len(progress.in_flight)} in flight"
        shorter = [f"asking {len(models)} models ({flying})"] if len(models) > 1 else []
        parts.append([f"asking {', '.join(models)} ({flying})", *shorter, flying])
    if progress.tokens and elapsed_s > 0:
        parts.append([f"{progress.tokens / elapsed_s:.1f} tokens/s"])
    if progress.spent_usd:
        parts.append([f"{progress.spent_usd:.4f} USD spent"])
    return parts


def time_left_s(progress: Progress, grading_s: float | None) -> float | None:
    """Until everything is graded, which goes on while other replies are generated; None: nothing to go by."""
    if progress.answered + progress.failed >= progress.total:
        return grading_s
    generation_s = generation_left_s(progress.paces)
    return None if generation_s is None else max(generation_s, grading_s or 0.0)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - seconds read better
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - then hours read better
