"""An xdist worker's link to the controller, and its end when the session ends without it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pytest_llmbench.llm.channel import ChannelClient
from pytest_llmbench.llm.client import CompletionSource
from pytest_llmbench.schema.attempt import Outcome
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.plan import Plan

WORKER_INPUT = "llmbench"
"""Key of xdist's ``workerinput`` under which the controller says where the channel is."""

_GRACE_S = 0.3


class WorkerLink(CompletionSource):
    """An xdist worker's way to the controller."""

    def __init__(self, given: Mapping[str, Any], on_closed: Callable[[], None]) -> None:
        """``given`` is the controller's ``worker_input``; ``on_closed`` is called when the session ends without us."""
        self._channel = ChannelClient(given["address"], given["key"])
        self._channel.on_closed(on_closed)

    def announce(self, plan: Plan, *, ask: bool) -> None:
        """Tell the controller what this worker collected, unless nothing is to be asked."""
        if ask:
            self._channel.call("announce", plan.model_dump(mode="json"))

    def fetch(self, key: AttemptKey) -> Outcome:
        """Wait for the end of an attempt's generation."""
        return self._channel.fetch(key)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


def end_this_worker() -> None:
    """The session ended without this worker: stop what it is doing, at once and quietly."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if threading.main_thread().is_alive():
        signal.raise_signal(signal.SIGINT)
    time.sleep(_GRACE_S)
    os._exit(2)
