"""A line that is redrawn in place, on a real terminal."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator

import pyte
import pytest

from pytest_llmbench.plugin.controller.status_line import Screen

COLUMNS, ROWS = 40, 10


class Terminal:
    """A pseudo-terminal, and what it shows."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.file = os.fdopen(theirs, "w", encoding="utf-8")
        self._shown = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._shown)

    def lines(self) -> list[str]:
        os.set_blocking(self._ours, False)
        try:
            while data := os.read(self._ours, 65536):
                self._stream.feed(data)
        except BlockingIOError:
            pass
        return [line.rstrip() for line in self._shown.display if line.strip()]

    def close(self) -> None:
        self.file.close()
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def screen(terminal: Terminal) -> Iterator[Screen]:
    screen = Screen(terminal.file, redraws=True)
    yield screen
    screen.close()


def test_it_is_redrawn_in_place_and_covers_what_pytest_began(terminal: Terminal, screen: Screen) -> None:
    screen.write("first\ntest_a.py \x1b[32m..\x1b[0m")
    screen.draw([["1 of 3"]])
    assert terminal.lines() == ["first", "1 of 3"]
    screen.draw([["2 of 3, shorter than before it is not"]])
    screen.draw([["3"]])
    assert terminal.lines() == ["first", "3"]
    screen.write(".")
    assert terminal.lines() == ["first", "test_a.py ..."]
    screen.draw([["4"]])
    screen.clear()
    assert terminal.lines() == ["first", "test_a.py ..."]
    screen.write("\nsecond")
    screen.draw([["5"]])
    assert screen.close() is terminal.file
    screen.draw([["never"]])
    assert terminal.lines() == ["first", "test_a.py ...", "second"]


@pytest.mark.parametrize("text", ["x" * 200, "語" * 200, "é" * 200])
def test_it_never_takes_two_rows(terminal: Terminal, screen: Screen, text: str) -> None:
    screen.write("above\n")
    for number in range(5):
        screen.draw([[f"{number}{text}"]])
    above, drawn = terminal.lines()
    assert (above, drawn[:2]) == ("above", "4" + text[0])
    assert len(drawn) > COLUMNS / 2 - 2
    screen.clear()
    assert terminal.lines() == ["above"]


def test_what_the_terminal_wrapped_is_left_as_it_is(terminal: Terminal, screen: Screen) -> None:
    screen.write("." * (COLUMNS + 5))
    screen.draw([["drawn"]])
    assert terminal.lines() == ["." * COLUMNS, "." * 5, "drawn"]
    screen.write("!")
    assert terminal.lines() == ["." * COLUMNS, "." * 5, "!"]


def test_a_line_that_stays_comes_above_what_pytest_began(terminal: Terminal, screen: Screen) -> None:
    screen.write("collecting ... ")
    screen.draw([["drawn"]])
    screen.say("said")
    assert terminal.lines() == ["said", "collecting ..."]
    screen.write("\rcollected 3 items\n")
    assert terminal.lines() == ["said", "collected 3 items"]


def test_it_goes_past_capturing(terminal: Terminal, tmp_path) -> None:
    """pytest lets its file lead elsewhere while a test runs."""
    screen = Screen(terminal.file, redraws=True)
    screen.write("test_a.py ")
    kept = os.dup(terminal.file.fileno())
    with (tmp_path / "captured").open("w") as captured:
        os.dup2(captured.fileno(), terminal.file.fileno())
        screen.draw([["drawn"]])
        os.dup2(kept, terminal.file.fileno())
    os.close(kept)
    assert terminal.lines() == ["drawn"]
    screen.close()
    assert terminal.lines() == ["test_a.py"]
    assert (tmp_path / "captured").read_text() == ""


def test_without_a_terminal_a_line_begins_on_its_own(tmp_path) -> None:
    with (tmp_path / "log").open("w", encoding="ascii") as file:
        screen = Screen(file, redraws=False)
        screen.write("test_a.py ..")
        screen.say("said: é")
        screen.write("\n")
        screen.say("again")
        screen.close()
        screen.say("never")
    assert (tmp_path / "log").read_text() == "test_a.py ..\nsaid: \\xe9\n\nagain\n"


def test_a_file_that_is_none_is_refused() -> None:
    with pytest.raises(OSError):
        Screen(io.StringIO(), redraws=False)
