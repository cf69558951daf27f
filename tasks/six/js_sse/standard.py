"""What is right: a stream of bytes read as the WHATWG standard has it, rule by rule."""

from __future__ import annotations

import re
from typing import NamedTuple


class Event(NamedTuple):
    type: str
    data: str
    id: str
    known: int
    """With how many bytes of the stream it has to be known. Behind a CR there may come an LF, which some wait for."""


class Meaning(NamedTuple):
    """What a stream says."""

    events: list[Event]
    id: str
    retry: int | None


def interpret(stream: bytes) -> Meaning:
    """The standard's sections on parsing and interpreting an event stream, rule by rule."""
    events: list[Event] = []
    data, kind, buffered_id, last_id, retry = "", "", "", "", None
    text = stream.decode()
    start = len("\ufeff") if text.startswith("\ufeff") else 0
    for end in re.finditer("\r\n|\r|\n", text):
        line = text[start : end.start()]
        start = end.end()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            last_id = buffered_id
            if data:
                behind = start + (end[0] == "\r")
                events.append(Event(kind or "message", data.removesuffix("\n"), last_id, len(text[:behind].encode())))
            data, kind = "", ""
        elif field == "data":
            data += f"{value}\n"
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            buffered_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            retry = int(value)
    return Meaning(events, last_id, retry)
