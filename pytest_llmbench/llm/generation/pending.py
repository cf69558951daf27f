"""What became of each attempt: the place where grading threads meet the gateway's."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pytest_llmbench import clock
from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.protocols import ModelPace, Progress
from pytest_llmbench.llm.solving import FeedbackJob, SourceClosedError
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Ended, Outcome, completion_of, failure_of

Recall = Callable[[TurnKey], Outcome | None]
"""Reads how a turn ended back from the run folder; None: it is not there."""

RECENT = 8
"""Replies of a model that tell its pace."""
ROOM = 64
"""Ends kept for whoever takes them next: in the order of asking, which is about that of grading."""


@dataclass(slots=True)
class _Entry:
    sent: bool = False
    reused: bool = False
    turns: int = 0
    """Once it ended."""
    awaited: bool = False
    outcome: Outcome | None = None
    """None before the end, and again where it can be recalled: once it was taken, or for want of room."""

    @property
    def ended(self) -> bool:
        return self.turns > 0


@dataclass(slots=True)
class _Offer:
    job: FeedbackJob
    told: asyncio.Future[str | None]
    lent: bool = False
    """Somebody who waits for another attempt has it; that process may be lost with it."""


class PendingGenerations:
    """Ends by attempt, and jobs for those who wait. Every method may be called from any thread.

    With ``recall`` at most ``ROOM`` ends that nobody has taken are kept, so that memory is bounded neither by
    replies seen nor by how far asking is ahead of grading; without it all are kept for good.
    """

    def __init__(self, recall: Recall | None = None) -> None:
        self._recall = recall
        self._entries: dict[AttemptKey, _Entry] = {}
        self._offers: dict[TurnKey, _Offer] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._in_flight: dict[AttemptKey, None] = {}
        self._unsent: Counter[str] = Counter()
        """Attempts of each model that have neither been sent nor ended."""
        self._sent_at: dict[AttemptKey, float] = {}
        """Attempts that were sent and have not ended: when, of ``time.monotonic``."""
        self._recent: dict[str, deque[float]] = {}
        """What the latest attempts of each model took from then to their ends, in seconds."""
        self._waiting = 0
        """Ends kept that were not taken."""
        self._total = self._asked = self._reused = self._answered = self._failed = self._earlier = 0

    def add(self, keys: Iterable[AttemptKey]) -> set[AttemptKey]:
        """Open attempts; returns those that are new. Raises ``SourceClosedError`` after ``close``."""
        with self._changed:
            if self._closed:
                raise SourceClosedError
            new = {key for key in keys if key not in self._entries}
            self._entries.update((key, _Entry()) for key in new)
            self._total += len(new)
            self._unsent.update(key.model for key in new)
            return new

    def sent(self, key: AttemptKey) -> None:
        """A request of the attempt goes out, for the first time or again."""
        with self._changed:
            entry = self._entries[key]
            if not entry.sent:
                entry.sent = True
                self._asked += 1
                self._unsent[key.model] -= 1
                self._sent_at[key] = clock.monotonic()
            self._in_flight[key] = None

    def known(self, key: AttemptKey, *, earlier: bool = False) -> None:
        """The attempt's first reply need not be asked for: it is stored, or the resumed run has it (``earlier``)."""
        with self._changed:
            entry = self._entries[key]
            if entry.reused or entry.sent:
                return
            entry.reused = True
            if earlier:
                self._earlier += 1
            else:
                self._reused += 1

    def end(self, key: AttemptKey, ended: Ended) -> None:
        """Publish an attempt's end; the first one stands."""
        with self._changed:
            entry = self._entries[key]
            if entry.ended:
                return
            entry.turns = ended.turns
            if not self._can_be_recalled(ended.outcome):
                entry.outcome = ended.outcome
            elif entry.awaited or self._waiting < ROOM:
                entry.outcome, self._waiting = ended.outcome, self._waiting + 1
            self._in_flight.pop(key, None)
            sent_at = self._sent_at.pop(key, None)
            if sent_at is None:
                self._unsent[key.model] -= 1
            elif failure_of(ended.outcome) is None or completion_of(ended.outcome) is not None:
                recent = self._recent.setdefault(key.model, deque(maxlen=RECENT))
                recent.append(clock.monotonic() - sent_at)
            if failure_of(ended.outcome) is None:
                self._answered += 1
            else:
                self._failed += 1
            self._changed.notify_all()

    def offer(self, job: FeedbackJob, told: asyncio.Future[str | None]) -> None:
        """A job for whoever waits; ``told`` belongs to the thread that calls ``done``."""
        with self._changed:
            self._in_flight.pop(job.key.attempt, None)
            self._offers[job.key] = _Offer(job, told)
            self._changed.notify_all()

    def done(self, key: TurnKey, told: str | None, problem: str) -> None:
        """A job's result, or what went wrong with it; the first one stands."""
        with self._changed:
            offer = self._offers.pop(key, None)
        if offer is None or offer.told.done():
            return
        if problem:
            offer.told.set_exception(HarnessError(problem))
        else:
            offer.told.set_result(told)

    def take(self, key: AttemptKey, waiting: Callable[[], None]) -> Ended | FeedbackJob:
        """Wait for an attempt's end; calls ``waiting`` first if it has not ended. Or a job to do meanwhile.

        A job of this very attempt is given however often it was given before: the process that had it may be lost.
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
                self._changed.wait_for(lambda: self._closed or entry.ended or self._offer_for(key) is not None)
            if self._closed or entry is None:
                raise SourceClosedError
            if not entry.ended and (offer := self._offer_for(key)) is not None:
                offer.lent = True
                return offer.job
            outcome, turns = entry.outcome, entry.turns
            if outcome is not None and self._can_be_recalled(outcome):
                entry.outcome, self._waiting = None, self._waiting - 1
        return Ended(outcome=outcome or self._read_back(key.turn(turns)), turns=turns)

    def close(self) -> None:
        """Wake everybody who waits; nothing can be taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def progress(self) -> Progress:
        """The counts now."""
        with self._changed:
            now = clock.monotonic()
            ages: dict[str, list[float]] = {}
            for key, sent_at in self._sent_at.items():
                ages.setdefault(key.model, []).append(now - sent_at)
            models = dict.fromkeys([*self._recent, *ages, *(name for name, count in self._unsent.items() if count)])
            return Progress(
                total=self._total,
                asked=self._asked,
                reused=self._reused,
                answered=self._answered,
                failed=self._failed,
                in_flight=tuple(self._in_flight),
                earlier=self._earlier,
                paces=tuple(
                    ModelPace(model, self._unsent[model], ages.get(model, ()), tuple(self._recent.get(model, ())))
                    for model in models
                ),
            )

    def _offer_for(self, key: AttemptKey) -> _Offer | None:
        own = next((offer for turn, offer in self._offers.items() if turn.attempt == key), None)
        return own or next((offer for offer in self._offers.values() if not offer.lent), None)

    def _can_be_recalled(self, outcome: Outcome) -> bool:
        return self._recall is not None and (failure_of(outcome) is None or completion_of(outcome) is not None)

    def _read_back(self, key: TurnKey) -> Outcome:
        outcome = self._recall(key) if self._recall is not None else None
        if outcome is None:
            raise HarnessError(
                f"the outcome of {key.attempt} is not in memory any more, and the run folder no longer has it."
            )
        return outcome
