"""A scenario: a stream, how it is cut into chunks, what is done with it, and what is to be heard of it."""

from __future__ import annotations

import itertools
import runpy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_llmbench import shortened

_STANDARD = runpy.run_path(str(Path(__file__).with_name("standard.py")))
Event, interpret = _STANDARD["Event"], _STANDARD["interpret"]


@dataclass(frozen=True)
class Scenario:
    """A stream, and what is done with it."""

    stream: bytes
    cuts: tuple[int, ...] = ()
    """Where chunks end, apart from the last."""
    burst: int = 1
    """How many chunks come together; the next ones come when nothing happens any more."""
    end: str = "close"
    """What comes after the last chunk: ``close``, ``error``, or nothing for ever (``open``)."""
    onmessage: bool = True
    """Whether ``onmessage`` and ``onerror`` are set."""
    listen: tuple[str, ...] = ()
    """The types that get a listener, one for each time that they are named."""
    close: str = ""
    """When ``close()`` is called: ``while waiting`` or ``in the first event``."""
    late: bytes = b""
    """What arrives when all else has been read."""
    error: str = ""
    """The message of the error in the end."""

    @property
    def chunks(self) -> list[bytes]:
        """The stream as it is cut."""
        ends = [*self.cuts, len(self.stream)]
        return [self.stream[start:end] for start, end in itertools.pairwise([0, *ends]) if end > start]

    @property
    def deliveries(self) -> list[list[bytes]]:
        """The chunks that come together."""
        return [self.chunks[start : start + self.burst] for start in range(0, len(self.chunks), self.burst)] or [[]]

    @property
    def commands(self) -> list[dict[str, Any]]:
        """As the actor takes them, one for each delivery first."""
        first, *rest = map(_hexadecimal, self.deliveries)
        closing = self.close == "in the first event"
        begin = {"what": "begin", "onmessage": self.onmessage, "listen": self.listen, "closing": closing}
        found = [begin | {"chunks": first}, *({"what": "feed", "chunks": each} for each in rest)]
        if self.close == "while waiting":
            found.append({"what": "close"})
        if self.late:
            found.append({"what": "feed", "chunks": _hexadecimal([self.late])})
        *others, last = found
        return [
            *(each | {"end": "open", "error": ""} for each in others),
            last | {"end": self.end, "error": self.error},
        ]

    @property
    def sent(self) -> list[int]:
        """How many bytes of the stream were sent by the end of each command."""
        sizes = [sum(map(len, chunks)) for chunks in self.deliveries]
        sizes += [0] * (len(self.commands) - len(sizes))
        return [*itertools.accumulate(sizes)]

    @property
    def events(self) -> list[Event]:
        """The events in the order in which they are to be heard, once for each place."""
        return [event for event, _ in self._heard]

    @property
    def notes(self) -> list[list[str]]:
        """Where each event is to be heard: place, type, data and last event ID."""
        return [[place, *event[:3]] for event, place in self._heard]

    @property
    def _heard(self) -> list[tuple[Event, str]]:
        heard = []
        for event in interpret(self.stream).events:
            places = ["onmessage"] if self.onmessage and event.type == "message" else []
            places += [f"listener for {kind}" for kind in self.listen if kind == event.type]
            heard += [(event, place) for place in places]
        return heard

    def __str__(self) -> str:
        return shortened(" | ".join(repr(chunk)[1:] for chunk in self.chunks))


def _hexadecimal(chunks: Iterable[bytes]) -> str:
    return "".join(f"{chunk.hex()} " for chunk in chunks)
