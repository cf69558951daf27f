"""A limit on this thread's own CPU time."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from pytest_llmbench.untrusted.cpu_time import cpu_limit


class OverError(Exception):
    """What the limit raises here."""


def burn(cpu_s: float) -> None:
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        pass


def test_work_beyond_the_limit_is_interrupted() -> None:
    began = time.thread_time()
    with pytest.raises(OverError), cpu_limit(0.3, OverError):
        burn(20)
    assert 0.3 <= time.thread_time() - began < 2


def test_waiting_and_what_others_use_do_not_count() -> None:
    other = threading.Thread(target=burn, args=(0.6,))
    with cpu_limit(0.3, OverError):
        other.start()
        subprocess.run([sys.executable, "-c", "sum(range(10_000_000))"], check=True)
        time.sleep(0.4)
        other.join()


@pytest.mark.slow
def test_code_that_goes_on_meets_it_again() -> None:
    began = time.thread_time()
    with cpu_limit(0.2, OverError):
        for _ in range(3):
            with pytest.raises(OverError):
                burn(20)
    assert time.thread_time() - began < 6


def test_everything_is_as_before_afterwards() -> None:
    mine = signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
    try:
        with pytest.raises(OverError), cpu_limit(0.1, OverError):
            burn(20)
        assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_IGN
        assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGVTALRM, mine)


def test_in_a_thread_nothing_is_limited_and_nothing_fails() -> None:
    ended: list[str] = []

    def work() -> None:
        with cpu_limit(0.01, OverError):
            burn(0.3)
        ended.append("whole")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == ["whole"]
