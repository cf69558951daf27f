"""Clocks that go on while a test has stopped time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_llmbench import clock
from pytest_llmbench.llm.event_loop import new_event_loop
from pytest_llmbench.sandbox.supervise.watchdog import Watchdog
from pytest_llmbench.schema.execution import Limits

FROZEN = 1_577_836_800.0


class _FrozenDate(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls(2020, 1, 1, tzinfo=tz)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Time stands still, as freezegun does it: in ``time``, and in every module that holds one of its functions."""
    fakes = {id(getattr(time, name)): lambda: FROZEN for name in ("time", "monotonic", "perf_counter")}
    fakes[id(datetime)] = _FrozenDate
    for module in [module for name, module in sys.modules.items() if name.startswith(("pytest_llmbench", "asyncio"))]:
        for name, value in list(vars(module).items()):
            if id(value) in fakes:
                monkeypatch.setattr(module, name, fakes[id(value)])
    for name in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, lambda: FROZEN)
    yield
    monkeypatch.undo()  # before pytest looks at its own clocks


def test_time_goes_on(frozen: None) -> None:
    assert time.monotonic() == FROZEN
    began = clock.monotonic()
    time.sleep(0.02)
    assert 0.01 < clock.monotonic() - began < 60
    assert clock.wall() > FROZEN + 1
    assert clock.now().tzinfo is UTC
    assert abs(clock.now().timestamp() - clock.wall()) < 60


def test_timers_of_the_loop_go_on_and_are_not_hurried(frozen: None) -> None:
    async def wait() -> bool:
        await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            await asyncio.sleep(0.01)
        return True

    loop = new_event_loop()
    try:
        assert loop.run_until_complete(wait())
    finally:
        loop.close()


def test_a_time_limit_of_the_sandbox_goes_on(frozen: None) -> None:
    watchdog = Watchdog(0, Limits(wall_s=0.01))
    time.sleep(0.02)
    assert 0.02 <= watchdog.wall_s < 60
