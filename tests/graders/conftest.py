"""With ``LLMBENCH_TEST_BUSY_LOOPS=8`` the rubrics are tested beside as many busy processes: the points stay equal."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

BUSY = "import sys, threading\nthreading.Thread(target=lambda: (sys.stdin.read(), __import__('os')._exit(0))).start()\n"
"""Ends by itself when the test session has ended, however it did."""


@pytest.fixture(scope="session", autouse=True)
def busy_machine() -> Iterator[None]:
    """Keep this worker's share of the busy loops running."""
    loops = int(os.environ.get("LLMBENCH_TEST_BUSY_LOOPS", "0"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    command = [sys.executable, "-S", "-c", BUSY + "while True: pass"]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(-(-loops // workers))]
    yield
    for process in started:
        with process:
            process.kill()
