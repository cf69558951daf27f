"""Errors found inside of answers, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.failures.error_body import error_in, read_error

CHOICES = [{"index": 0, "delta": {"content": "x"}}]


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"code": 429, "message": "slow"}, "choices": CHOICES},
        {"error": "boom", "choices": CHOICES},
        {"choices": [{"error": {"code": 502, "message": "busy"}, "finish_reason": "error"}]},
        {"object": "error", "message": "x"},
        {"type": "error", "error": {"type": "overloaded_error"}},
        {"type": "internal_error", "message": "x"},
        {"base_resp": {"status_code": 1008, "status_msg": "x"}, "choices": None},
        {"detail": "busy"},
        {"code": 50300, "message": "busy"},
        {"code": "Throttling.RateQuota", "message": "later"},
        {"success": False, "errors": [{"message": "x"}]},
    ],
)
def test_errors(value: dict[str, Any]) -> None:
    assert error_in(value) is not None


@pytest.mark.parametrize(
    "value",
    [
        {"choices": CHOICES},
        {"choices": CHOICES, "error": None},
        {"choices": CHOICES, "error": {}},
        {"choices": CHOICES, "error": {"code": 0, "message": ""}},
        {"choices": CHOICES, "error": False},
        {"choices": CHOICES, "base_resp": {"status_code": 0, "status_msg": "success"}},
        {"choices": CHOICES, "code": 7, "message": "ok"},
        {"choices": [], "usage": {"prompt_tokens": 1}},
        {"type": "ping"},
        {"message": "still there"},
        {"type": "status", "status": "processing", "message": "queued"},
        {"code": 0, "message": "ok"},
        {},
    ],
)
def test_no_errors(value: dict[str, Any]) -> None:
    assert error_in(value) is None


def test_an_event_that_is_called_an_error_is_one() -> None:
    assert error_in({"message": "CUDA out of memory"}, named_error=True) is not None


@given(st.text(max_size=60) | st.from_regex(r"[\[{].{0,40}[\]}]"))
def test_any_body(body: str) -> None:
    assert isinstance(read_error(body).searched, str)
