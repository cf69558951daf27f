"""Other people's work on the machine: processes that do nothing but take CPU time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_LOOP = (
    "import sys, threading\nthreading.Thread(target=lambda: (sys.stdin.read(), __import__('os')._exit(0))).start()\n"
)
"""Ends by itself when the test session has ended, however it did."""


@contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """Keep so many running."""
    command = [sys.executable, "-S", "-c", _LOOP + "while True: pass"]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(number)]
    try:
        yield
    finally:
        for process in started:
            with process:
                process.kill()
