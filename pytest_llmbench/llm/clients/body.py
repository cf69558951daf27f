"""The body of a good answer, told by its first byte: one JSON text, or a stream of events. Pure.

A content type is often not what it says. A byte order mark and blanks before the body are dropped.
"""

from __future__ import annotations

from pytest_llmbench.llm.clients.sse import Event, EventParser

_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"


class BodyParser:
    """Cuts a body into events, wherever its chunks happen to end; whole JSON is one event, at the end."""

    def __init__(self) -> None:
        self._head = b""
        self._whole: list[bytes] | None = None
        self._events: EventParser | None = None
        self._blank = True

    @property
    def within(self) -> bool:
        """True when the last chunk was part of an answer that has not come to an end, and no mere keep-alive."""
        if self._events is not None:
            return self._events.within
        return self._whole is not None and not self._blank

    def feed(self, chunk: bytes) -> list[Event]:
        """Events that this chunk completes; raises ``ValueError`` for too many lines."""
        if self._events is not None:
            return self._events.feed(chunk)
        if self._whole is not None:
            self._blank = not chunk.strip(_BLANKS)
            self._whole.append(chunk)
            return []
        begin = self._head + chunk
        begun = begin.removeprefix(_MARK).lstrip(_BLANKS)
        if not begun or _MARK.startswith(begin):
            self._head = begin if _MARK.startswith(begin) else b""
            return []
        if begun.startswith((b"{", b"[")):
            self._whole, self._blank = [begun], False
            return []
        self._events = EventParser()
        return self._events.feed(begun)

    def close(self) -> list[Event]:
        """What is left when the body ends."""
        if self._whole is not None:
            return [Event("whole", b"".join(self._whole).decode(errors="replace"))]
        return self._events.close() if self._events is not None else []
