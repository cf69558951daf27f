"""Which failures are sent again, how often, and how long after."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import stamina

from pytest_llmbench import clock
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.protocols import LLMClient
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure, Retry

_UNAVAILABLE = 503
_TIMED_OUT = 408
_PASSING_STATUSES = (200, 409, 425, 500, 502, _UNAVAILABLE, 504, *range(520, 525), 529)
"""Of server errors; 200: reported inside an answer that had begun. 520 to 524: of Cloudflare, when what is behind it
did not answer. 529: some providers' "overloaded"."""
_LOADING = re.compile(r"loading (the )?model|model\b.{0,200}\b(is|being|still|currently) load(ing|ed)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient to be. Times are in seconds."""

    tries: int = 3
    """Sendings of one request, the first included; those that met a model still loading do not count."""
    wait_s: float = 1.0
    """Pause after the first try; doubled after each, and varied by a quarter so that requests do not come in step."""
    wait_max_s: float = 30.0
    retry_after_max_s: float = 60.0
    """The longest pause that a server may ask for; asked for more, it is asked again after this time."""
    loading_s: float = 600.0
    """How long a model may take to load."""

    def pause_s(self, number: int, retry_after_s: float | None = None) -> float:
        """The pause after try ``number``, counted from 1."""
        if retry_after_s is not None:
            return min(retry_after_s, self.retry_after_max_s)
        pause: float = min(self.wait_s * 2 ** min(number - 1, 30), self.wait_max_s)
        return pause * random.uniform(0.75, 1.25)  # noqa: S311 - guards nothing


def can_pass(failure: Failure) -> bool:
    """True when the same request may succeed a little later.

    Never so for what the request or the model is to blame for, and not for a timeout of ours: it has had all its time.
    """
    if failure.stops_model:
        return False
    if failure.kind == "timeout":
        return failure.http_status == _TIMED_OUT
    if failure.kind == "server_error":
        return failure.http_status in _PASSING_STATUSES
    return failure.kind in ("connection", "rate_limited")


def is_loading(failure: Failure) -> bool:
    """True when the server said that it is still loading the model."""
    return failure.http_status == _UNAVAILABLE and bool(_LOADING.search(failure.body))


async def complete_with_retries(
    client: LLMClient,
    request: CompletionRequest,
    *,
    timeout_s: float,
    policy: RetryPolicy | None = None,
) -> tuple[Completion, tuple[Retry, ...]]:
    """Ask, and ask again after what can pass; the completion, and the tries before it.

    ``timeout_s`` holds for each try. Raises the last try's ``ModelError``, its ``retries`` set.
    """
    tries = _Tries(policy or RetryPolicy())
    try:
        async for attempt in stamina.retry_context(on=tries.pause_after, attempts=None, timeout=None):
            with attempt:
                return await client.complete(request, timeout_s=timeout_s), tuple(tries.retries)
    except ModelError as error:
        error.retries = tuple(tries.retries)
        raise
    raise AssertionError("the loop above returns or raises")


class _Tries:
    """The tries of one request so far."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.retries: list[Retry] = []
        self._policy = policy
        self._counted = 0
        self._loads = 0
        self._began = clock.monotonic()

    def pause_after(self, error: Exception) -> bool | float:
        """Seconds until the request is sent again; False: it is not."""
        if not isinstance(error, ModelError) or not can_pass(error.failure):
            return False
        loading = is_loading(error.failure)
        if loading and clock.monotonic() - self._began < self._policy.loading_s:
            self._loads += 1
            number = self._loads
        else:
            self._counted += 1
            number = self._counted
            if number >= self._policy.tries:
                return False
        pause_s = self._policy.pause_s(number, error.retry_after_s)
        retry = Retry(kind=error.failure.kind, message=error.failure.message, waited_s=pause_s, loading=loading)
        self.retries.append(retry)
        return pause_s
