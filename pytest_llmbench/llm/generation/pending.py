"""What became of each attempt's generation: the place where fetching threads meet the gateway's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.protocols import Progress, SourceClosedError
from pytest_llmbench.schema.attempt import Outcome
from pytest_llmbench.schema.keys import AttemptKey

Recall = Callable[[AttemptKey], Outcome | None]
"""Reads an ended attempt's outcome back from the run folder; None: it is not there."""

ROOM = 64
"""Outcomes kept for whoever takes them next: in the order of asking, which is about that of grading."""


@dataclass(slots=True)
class _Entry:
    sent: bool = False
    ended: bool = False
    awaited: bool = False
    outcome: Outcome | None = None
    """None before the end, and again where it can be recalled: once it was taken, or for want of room."""


class PendingGenerations:
    """Outcomes by attempt. Every method may be called from any thread.

    With ``recall`` at most ``ROOM`` outcomes that nobody has taken are kept, so that memory is bounded neither by
    replies seen nor by how far asking is ahead of grading; without it outcomes are kept for good.
    """

    def __init__(self, recall: Recall | None = None) -> None:
        self._recall = recall
        self._entries: dict[AttemptKey, _Entry] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._in_flight: dict[AttemptKey, None] = {}
        self._waiting = 0
        """Outcomes kept that were not taken."""
        self._total = self._asked = self._reused = self._answered = self._failed = self._earlier = 0

    def add(self, keys: Iterable[AttemptKey]) -> set[AttemptKey]:
        """Open attempts; returns those that are new. Raises ``SourceClosedError`` after ``close``."""
        with self._changed:
            if self._closed:
                raise SourceClosedError
            new = {key for key in keys if key not in self._entries}
            self._entries.update((key, _Entry()) for key in new)
            self._total += sum(map(_counts, new))
            return new

    def sent(self, key: AttemptKey) -> None:
        """The attempt's request goes out, for the first time or again."""
        with self._changed:
            entry = self._entries[key]
            self._asked += _counts(key) and not entry.sent
            entry.sent = True
            self._in_flight[key] = None

    def end(self, key: AttemptKey, outcome: Outcome, *, earlier: bool = False) -> None:
        """Publish an attempt's outcome; the first one stands. ``earlier``: a resumed run had it already."""
        with self._changed:
            entry = self._entries[key]
            if entry.ended:
                return
            entry.ended = True
            if not self._can_be_recalled(outcome):
                entry.outcome = outcome
            elif entry.awaited or self._waiting < ROOM:
                entry.outcome, self._waiting = outcome, self._waiting + 1
            self._in_flight.pop(key, None)
            if _counts(key):
                self._earlier += earlier
                self._reused += outcome.cached and not earlier
                self._answered += outcome.failure is None
                self._failed += outcome.failure is not None
            self._changed.notify_all()

    def take(self, key: AttemptKey, waiting: Callable[[], None]) -> Outcome:
        """Wait for an attempt's outcome; calls ``waiting`` first if it has not ended.

        Raises ``SourceClosedError`` once closed, ``HarnessError`` for an attempt that was never announced or can no
        longer be read back.
        """
        with self._changed:
            entry = self._entries.get(key)
            if entry is None and not self._closed:
                raise HarnessError(f"{key} was never announced, so nothing was generated for it: announce it first.")
            if entry is not None and not entry.ended and not self._closed:
                entry.awaited = True
                waiting()
                self._changed.wait_for(lambda: self._closed or entry.ended)
            if self._closed or entry is None:
                raise SourceClosedError
            outcome = entry.outcome
            if outcome is not None and self._can_be_recalled(outcome):
                entry.outcome, self._waiting = None, self._waiting - 1
        return outcome or self._read_back(key)

    def close(self) -> None:
        """Wake everybody who waits; nothing can be taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def progress(self) -> Progress:
        """The counts now."""
        with self._changed:
            return Progress(
                total=self._total,
                asked=self._asked,
                reused=self._reused,
                answered=self._answered,
                failed=self._failed,
                in_flight=tuple(self._in_flight),
                earlier=self._earlier,
            )

    def _can_be_recalled(self, outcome: Outcome) -> bool:
        return self._recall is not None and outcome.completion is not None

    def _read_back(self, key: AttemptKey) -> Outcome:
        outcome = self._recall(key) if self._recall is not None else None
        if outcome is None:
            raise HarnessError(f"the outcome of {key} is not in memory any more, and the run folder no longer has it.")
        return outcome


def _counts(key: AttemptKey) -> bool:
    """An attempt of several turns is one attempt, and it is its first turn."""
    return key.turn == 1
