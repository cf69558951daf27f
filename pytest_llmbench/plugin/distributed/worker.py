"""An xdist worker's link to the controller, and its end when the session ends without it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from pytest_llmbench.llm.solving import FeedbackJob, SubmissionSource
from pytest_llmbench.plugin.distributed.channel import ChannelClient
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Ended
from pytest_llmbench.schema.plan import Plan

WORKER_INPUT = "llmbench"
"""Key of xdist's ``workerinput`` under which the controller says where the channel is."""

_GRACE_S = 0.3


class WorkerLink(SubmissionSource):
    """An xdist worker's way to the controller."""

    def __init__(self, given: Mapping[str, Any], on_closed: Callable[[], None]) -> None:
        """``given`` is the controller's ``worker_input``; ``on_closed`` is called when the session ends without us."""
        self._channel = ChannelClient(given["address"], given["key"])
        self._channel.on_closed(on_closed)

    def announce(self, plan: Plan, *, ask: bool) -> None:
        """Tell the controller what this worker collected, unless nothing is to be asked."""
        if ask:
            # As a text: the controller has to read only one of many equal plans.
            self._channel.call("announce", json.dumps(plan.model_dump(mode="json")))

    def fetch(self, key: AttemptKey) -> Ended | FeedbackJob:
        """Wait for the end of an attempt's generation, or for a job to do meanwhile."""
        return self._channel.fetch(key)

    def tell(self, key: TurnKey, told: str | None, problem: str = "") -> None:
        """The result of a job."""
        self._channel.tell(key, told, problem)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


class WorkerShutdown:
    """How a worker ends when the session ends without it.

    Ctrl-C reaches every process of the terminal's group at once. A worker leaves it to the controller, which hangs up;
    a ``KeyboardInterrupt`` wherever a worker happens to be would litter the terminal with tracebacks.
    """

    def __init__(self) -> None:
        self._hung_up = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._on_key)

    def now(self) -> None:
        """The controller hung up: stop what is being done, at once and quietly."""
        self._hung_up = True
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if threading.main_thread().is_alive():
            signal.raise_signal(signal.SIGINT)
        time.sleep(_GRACE_S)
        os._exit(2)

    def _on_key(self, _number: int, _frame: FrameType | None) -> None:
        if self._hung_up:
            raise KeyboardInterrupt
