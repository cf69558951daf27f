"""An event loop with timers that tests cannot stop or hurry: its time is not that of a fixture that freezes clocks."""

from __future__ import annotations

import asyncio

from pytest_llmbench import clock


class _Loop(asyncio.SelectorEventLoop):
    def time(self) -> float:
        return clock.monotonic()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """In the place of ``asyncio.new_event_loop``."""
    return _Loop()
