"""Throughput of a model, from its server's timings and the client's clock. Pure; None: not measurable.

A quotient beyond the bounds of ``schema/numbers.py``, as from a time near zero, is not a speed.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_llmbench.schema.attempt import Completion, Retry
from pytest_llmbench.schema.numbers import positive

_LEAST_PROMPT_TOKENS = 32
"""Fewer are done before a clock can tell: their speed would be noise."""
_LEAST_TOKENS = 8
"""Of a reply: with fewer, one interval more or less is too much of the figure, and an empty answer has none."""
_LEAST_STREAM_S = 0.01
"""A stream that lasted less came in one piece: nothing was generated while it was watched."""


def tokens_per_s(completion: Completion) -> float | None:
    """Tokens generated per second.

    From llama-server's ``timings``, otherwise tokens over the time from the first to the last byte of a stream. Either
    time begins when the first token is there: n tokens are n - 1 intervals. None below ``_LEAST_TOKENS``.
    """
    timings = completion.timings or {}
    written = positive(completion.usage.completion_tokens)
    count, spent_ms = positive(timings.get("predicted_n")), positive(timings.get("predicted_ms"))
    tokens = count if count is not None else written
    if tokens is not None and tokens < _LEAST_TOKENS:
        return None
    if (told := positive(timings.get("predicted_per_second"))) is not None:
        return told
    if count is not None and spent_ms is not None:
        return positive((count - 1) / spent_ms * 1000)
    if written is None or completion.wall_s is None or completion.first_token_s is None:
        return None
    streamed_s = completion.wall_s - completion.first_token_s
    return positive((written - 1) / streamed_s) if streamed_s >= _LEAST_STREAM_S else None


def prompt_tokens_per_s(completion: Completion) -> float | None:
    """Prompt tokens read per second, from llama-server's ``timings``.

    None if a part of the prompt was in the server's cache, or too few tokens were read for a meaningful quotient.
    """
    timings = completion.timings or {}
    if positive(timings.get("cache_n")) or positive(completion.usage.cached_tokens):
        return None
    count, spent_ms = positive(timings.get("prompt_n")), positive(timings.get("prompt_ms"))
    if count is None or spent_ms is None or count < _LEAST_PROMPT_TOKENS:
        return None
    return positive(count / spent_ms * 1000)


def load_s(retries: Iterable[Retry], inside_s: float | None = None) -> float | None:
    """Seconds in which the server loaded the model: waited because it said so, and ``inside_s``; None: unknown."""
    waits = [retry.waited_s for retry in retries if retry.loading]
    return sum(waits, inside_s or 0.0) if waits or inside_s is not None else None
