"""The clocks of one sending: which of them runs, and which one ended it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from pytest_llmbench import clock
from pytest_llmbench.llm.failures.connection import late_failure, silent_failure, timeout_failure
from pytest_llmbench.schema.attempt import Failure

CONNECT_S = 10.0
_AFTER_DONE_S = 1.0
"""How long the body's end is waited for after ``[DONE]``, so that the connection can be used again."""

_Phase = Literal["connecting", "sent", "answering", "ending"]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Limits in seconds, besides that of the whole; None: no limit of its own."""

    connect_s: float = CONNECT_S
    """Longest wait for a connection."""
    first_byte_s: float | None = None
    """Longest wait from sending to the first byte of the answer; headers and keep-alives are no answer."""
    silence_s: float | None = None
    """Longest pause between two parts of the answer, whatever keep-alives come in it."""


class Watch:
    """One timer for all clocks but that of the connection, set anew as the exchange goes on.

    Made inside the running event loop. Times are ``clock.monotonic()``.
    """

    def __init__(self, clocks: Clocks, total_s: float) -> None:
        """Start the clock of the whole."""
        self.began = clock.monotonic()
        self._clocks = clocks
        self._total_s = total_s
        self._phase: _Phase = "connecting"
        self._since = self.began
        self._due = asyncio.get_running_loop().time() + total_s
        self._whole_due = self._due
        self.limit = asyncio.timeout_at(self._due)
        """To be entered around the exchange."""

    def sent(self) -> None:
        """The request goes out: the clock of the first byte starts."""
        self._start("sent", self._clocks.first_byte_s)

    def received(self) -> None:
        """A part of the answer came: the clock of silence starts again."""
        if self._phase != "ending":
            self._start("answering", self._clocks.silence_s)

    def done(self) -> None:
        """All there is to know is known; some servers leave the connection open."""
        if self._phase != "ending":
            self._start("ending", _AFTER_DONE_S)

    def failure(self, endpoint: str, partial: str) -> Failure:
        """What the clock that ended the exchange has to say; ``partial``: the text that had come."""
        now, first_byte_s, silence_s = clock.monotonic(), self._clocks.first_byte_s, self._clocks.silence_s
        if self._due < self._whole_due:
            if self._phase == "sent" and first_byte_s is not None:
                return late_failure(endpoint, limit_s=first_byte_s, waited_s=now - self._since)
            if self._phase == "answering" and silence_s is not None:
                return silent_failure(endpoint, limit_s=silence_s, waited_s=now - self._since, partial=partial)
        return timeout_failure(endpoint, limit_s=self._total_s, waited_s=now - self.began, partial=partial)

    def _start(self, phase: _Phase, limit_s: float | None) -> None:
        self._phase, self._since = phase, clock.monotonic()
        due = self._whole_due if limit_s is None else asyncio.get_running_loop().time() + limit_s
        due = due if phase == "ending" else min(due, self._whole_due)
        if due != self._due and not self.limit.expired():
            self._due = due
            self.limit.reschedule(due)
