"""Speeds: from what the server told, else from what was seen, else not at all."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_llmbench.grading.throughput import load_s, prompt_tokens_per_s, tokens_per_s
from pytest_llmbench.schema.attempt import Completion, Retry, Usage


def completion(timings: dict[str, Any] | None = None, tokens: int | None = None, **fields: Any) -> Completion:
    return Completion(text="x", timings=timings, usage=Usage(completion_tokens=tokens), **fields)


@pytest.mark.parametrize(
    ("timings", "figure"),
    [
        ({"predicted_per_second": 50.5, "predicted_n": 10, "predicted_ms": 1000}, 50.5),
        ({"predicted_n": 11, "predicted_ms": 500}, 20),
        ({"predicted_n": 10, "predicted_ms": 0}, None),
        ({"predicted_per_second": "fast"}, None),
        ({"predicted_per_second": 10**400}, None),
        ({"predicted_per_second": 1e308}, None),
        ({"predicted_n": 10**8, "predicted_ms": 5e-324}, None),
        ({"predicted_n": 10**8, "predicted_ms": 1e-10}, None),
        ({"predicted_n": 10**400, "predicted_ms": 10**400}, None),
        ({"predicted_per_second": float("inf")}, None),
        ({"predicted_per_second": float("nan")}, None),
        ({"predicted_n": 1, "predicted_ms": 0.001, "predicted_per_second": 0.0}, None),
        ({"predicted_n": 1, "predicted_ms": 0.001, "predicted_per_second": 1_000_000.0}, None),
        ({"predicted_n": 2, "predicted_ms": 526.0, "predicted_per_second": 1.9}, None),
        (None, None),
    ],
)
def test_generation_as_the_server_says(timings: dict[str, Any] | None, figure: float | None) -> None:
    assert tokens_per_s(completion(timings)) == figure


def test_generation_as_it_was_seen() -> None:
    assert tokens_per_s(completion(tokens=31, wall_s=4.0, first_token_s=1.0)) == 10
    assert tokens_per_s(completion(tokens=1, wall_s=4.0, first_token_s=1.0)) is None, "no interval"
    assert tokens_per_s(completion({"predicted_per_second": 50.0}, tokens=2)) is None, "counted beside the timings"
    assert tokens_per_s(completion(tokens=30, wall_s=4.0)) is None, "no stream"
    assert tokens_per_s(completion(tokens=30, wall_s=1.001, first_token_s=1.0)) is None, "all came at once"
    assert tokens_per_s(completion(wall_s=4.0, first_token_s=1.0)) is None, "nobody counted"


@pytest.mark.parametrize(
    ("timings", "cached", "figure"),
    [
        ({"prompt_n": 100, "prompt_ms": 200.0}, None, 500),
        ({"prompt_n": 100, "prompt_ms": 200.0, "cache_n": 0}, 0, 500),
        ({"prompt_n": 100, "prompt_ms": 200.0, "cache_n": 900}, None, None),
        ({"prompt_n": 100, "prompt_ms": 200.0}, 900, None),
        ({"prompt_n": 1, "prompt_ms": 40.0}, None, None),
        ({"prompt_n": 100, "prompt_ms": 0.0}, None, None),
        ({"prompt_n": 100, "prompt_ms": 5e-324}, None, None),
        ({"prompt_n": 10**400, "prompt_ms": 1}, None, None),
        ({"prompt_n": 100, "prompt_ms": 200.0}, 10**400, 500),
        (None, None, None),
    ],
)
def test_reading_of_the_prompt(timings: dict[str, Any] | None, cached: int | None, figure: float | None) -> None:
    asked = completion(timings).model_copy(update={"usage": Usage(cached_tokens=cached)})
    assert prompt_tokens_per_s(asked) == figure


def test_loading_is_what_was_waited_for_it() -> None:
    tries = [Retry(kind="server_error", message="", waited_s=wait, loading=wait < 9) for wait in (1.0, 2.0, 9.0)]
    assert load_s(tries) == 3
    assert load_s(tries, 4.5) == 7.5
    assert load_s([], 4.5) == 4.5
    assert load_s(tries[2:]) is None
