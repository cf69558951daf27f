"""Server-sent events, read from bytes as they come. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

MAX_LINES = 500_000
"""Of one stream. A server that sends each token as an event of its own has less than that in 20 MB."""

_FIELDS = ("id", "retry")
_TROUBLE = ("error", "fail", "exception")
"""In the name of an event."""


class Event(NamedTuple):
    """One thing found in a stream."""

    kind: Literal["data", "error", "stray", "whole"]
    """``error``: data of an event that is called one. ``stray``: a line that is no field of the format, such as a
    proxy's error message. ``whole``: a body that is no stream."""
    text: str


class EventParser:
    """Cuts a stream into events, wherever its chunks happen to end."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[str] = []
        self._name = ""
        self._count = 0

    @property
    def within(self) -> bool:
        """True inside of an event that has not come to its end; comments and empty data are none."""
        begun = next((part for part in self._rest if part), b":")
        return any(self._data) or not begun.startswith((b":", b"\r"))

    def feed(self, chunk: bytes) -> list[Event]:
        """Events that this chunk completes; raises ``ValueError`` for more than ``MAX_LINES`` lines in all."""
        head, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            # Joined only where a line ends, so that one long line in many chunks is not copied again and again.
            self._rest.append(chunk)
            return []
        lines = (b"".join(self._rest) + head).split(b"\n")
        self._rest = [tail]
        return self._lines(lines)

    def close(self) -> list[Event]:
        """Events left over when the stream ends without a blank line after its last event."""
        lines = [b"".join(self._rest), b""]
        self._rest = []
        return self._lines(lines)

    def _lines(self, lines: list[bytes]) -> list[Event]:
        self._count += len(lines)
        if self._count > MAX_LINES:
            raise ValueError(f"more than {MAX_LINES} lines")
        events = []
        for raw in lines:
            line = raw.decode(errors="replace").removesuffix("\r")
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            elif not line.strip():
                if self._data:
                    named = any(word in self._name.lower() for word in _TROUBLE)
                    events.append(Event("error" if named else "data", "\n".join(self._data)))
                self._data, self._name = [], ""
            elif name == "event":
                self._name = value.strip()
            elif name and name not in _FIELDS:  # no name: a comment, sent to keep the connection open
                events.append(Event("stray", line))
        return events
