"""How long a server asks to wait, in whatever place and words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.failures.pauses import asked_pause_s

GOOGLE = "type.googleapis.com/google.rpc.RetryInfo"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"X-MS-Retry-After-Ms": "250"}, 0.25),
        ({"Retry-After": "2s"}, 2.0),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({}, None),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_pause_s(headers) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached. Please try again in 1s. Need more tokens? https://x.test/billing", 1.0),
        ("Please try again in 6m0s.", 360.0),
        ("Please try again in 7.66s.", 7.66),
        ("Please try again in 20ms.", 0.02),
        ("Please try again in 1h2m3s.", 3723.0),
        ("Please retry in 36.5s.", 36.5),
        ("Please retry after 20 seconds.", 20.0),
        ("Retry after 5", 5.0),
        ("Retry-After: 5", 5.0),
        ("limit reached, wait 3 s", 3.0),
        ("You must wait 2 minutes before the next request", 120.0),
        ("Wait for 1 minute and 30 seconds", 90.0),
        ("Limit resets in 12 sec", 12.0),
        ("Try again later.", None),
        ("Limit 6000, used 5800. Try another model.", None),
        ("retry with gpt-4 or 2024-version", None),
        ("", None),
    ],
)
def test_words(text: str, seconds: float | None) -> None:
    assert asked_pause_s({}, text) == seconds
    assert asked_pause_s({}, json.dumps({"error": {"message": text}})) == seconds


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ([{"error": {"details": [{"@type": GOOGLE, "retryDelay": "1s"}]}}], 1.0),
        ({"error": {"details": [{"@type": GOOGLE, "retryDelay": {"seconds": 4}}]}}, 4.0),
        ({"error": {"retry_after": 2.5}}, 2.5),
        ({"retry_after_ms": 1500}, 1.5),
        ({"error": {"metadata": {"retryAfterSeconds": "7"}}}, 7.0),
        ({"error": "Model m is currently loading", "estimated_time": 20.0}, 20.0),
        ({"error": {"retry_after": True}}, None),
        ({"error": {"retry_after": -1}}, 0.0),
        ({"error": {"retry_after": "never"}}, None),
    ],
)
def test_fields(body: Any, seconds: float | None) -> None:
    assert asked_pause_s({}, json.dumps(body)) == seconds


def test_headers_count_before_fields_and_fields_before_words() -> None:
    body = json.dumps({"error": {"message": "try again in 9s", "retryDelay": "4s"}})
    assert asked_pause_s({"Retry-After": "2"}, body) == 2
    assert asked_pause_s({}, body) == 4


@given(st.text() | st.from_regex(r"(retry|wait) in [0-9.]{1,30}(s|m|h|ms)?"))
def test_any_text(text: str) -> None:
    pause = asked_pause_s({"Retry-After": text}, text)
    assert pause is None or pause >= 0
