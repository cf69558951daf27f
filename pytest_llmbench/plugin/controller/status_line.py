"""A line at the end of a terminal's output that is redrawn in place and out of the way of whatever else is written."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

_ERASE = "\r\x1b[K"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LEAST_COLUMNS = 20

Part = Sequence[str]
"""One thing that a line tells, in words that are shorter and shorter."""


class Screen:
    """Stands in for the file that pytest's terminal writes to; everything but ``write`` is that file's own.

    What is drawn or said goes past pytest's capturing, which may be on at that moment. May be used from any thread.
    """

    def __init__(self, file: TextIO, *, redraws: bool) -> None:
        """``redraws``: the file is a terminal that can erase a line.

        Raises ``OSError`` (``io.UnsupportedOperation`` is one) for a file that is none of the system's.
        """
        file.flush()
        self.redraws = redraws
        self._file = file
        self._past_capture = os.dup(file.fileno())
        self._lock = threading.RLock()
        self._open = ""
        """What pytest wrote since its last line break, colours included: drawn over, and put back."""
        self._drawn = ""
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write for pytest, in place of what is drawn."""
        with self._lock:
            self.clear()
            written = self._file.write(text)
            self._file.flush()  # while capturing is off; and before anything is drawn
            self._open = text.rpartition("\n")[2] if "\n" in text else self._open + text
            return written

    def draw(self, parts: Sequence[Part]) -> None:
        """Show one line, the parts of it that there is room for, until the next ``write``, ``draw`` or ``clear``."""
        with self._lock:
            columns = max(self._columns(), _LEAST_COLUMNS)
            shown = as_line(parts, columns - 1)
            if self._closed or shown == self._drawn:
                return
            if not self._drawn and _width(self._open) >= columns:
                self._put("\n")  # wrapped by the terminal: it could not be put back
                self._open = ""
            self._put(f"{_ERASE}{shown}")
            self._drawn = shown

    def say(self, text: str) -> None:
        """Write a line that stays: above what pytest has begun to write, or where that cannot be, after it."""
        with self._lock:
            if self._closed:
                return
            self.clear()
            if self.redraws and _width(self._open) < self._columns():
                self._put(f"{_ERASE}{text}\n{self._open}")
            else:
                self._put(("\n" if self._open else "") + f"{text}\n")
                self._open = ""

    def clear(self) -> None:
        """Take away what is drawn, and put back what it covered."""
        with self._lock:
            if self._drawn:
                self._put(f"{_ERASE}{self._open}")
                self._drawn = ""

    def close(self) -> TextIO:
        """Draw nothing more; returns the file itself. May be called again."""
        with self._lock:
            if not self._closed:
                self.clear()
                self._closed = True
                os.close(self._past_capture)
            return self._file

    def _put(self, text: str) -> None:
        data = text.encode(self._file.encoding or "utf-8", "backslashreplace")
        while data:
            data = data[os.write(self._past_capture, data) :]

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._past_capture).columns or 80
        except (OSError, ValueError):
            return 80


def _width(text: str) -> int:
    """Columns that a text takes after its last carriage return."""
    return sum(map(_columns_of, _ESCAPE.sub("", text.rpartition("\r")[2])))


def as_line(parts: Sequence[Part], columns: int) -> str:
    """The parts that fit, each as long as it fits; the first one, which is always there, is cut behind a word."""
    first, *others = parts
    line = next((shape for shape in first if _width(shape) <= columns), "")
    if not line:
        cut = _cut(first[-1], columns)
        return cut.rpartition(" ")[0] or cut
    for part in others:
        line = next((text for shape in part if _width(text := f"{line}; {shape}") <= columns), line)
    return line


def _cut(text: str, columns: int) -> str:
    room = columns
    for place, character in enumerate(text):
        room -= _columns_of(character)
        if room < 0:
            return text[:place]
    return text


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
