"""Statuses, bodies and whole answers, told apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.clients.chat_response import Answer
from pytest_llmbench.llm.credentials.secret_forms import hide
from pytest_llmbench.llm.failures.classify import http_failure, retry_after_s
from pytest_llmbench.schema.attempt import ErrorKind, Failure, Usage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def failure(status: int, body: Any) -> Failure:
    text = body if isinstance(body, str) else json.dumps(body)
    return http_failure(status, text, endpoint="http://h/v1", model="m")


@pytest.mark.parametrize(
    ("status", "body", "kind", "stops"),
    [
        (400, {"error": {"message": "This model's maximum context length is 8192 tokens."}}, "context_overflow", False),
        (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, "context_overflow", False),
        (400, {"error": "prompt is too long: 9 > 8"}, "context_overflow", False),
        (413, {"message": "The input exceeds the model's context window"}, "context_overflow", False),
        (500, {"error": {"message": "the request exceeds the available context size"}}, "context_overflow", False),
        (400, "litellm.ContextWindowExceededError: too big", "context_overflow", False),
        (400, {"error": {"message": "Unsupported value: 'temperature'"}}, "bad_request", False),
        (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, "bad_request", True),
        (404, "<html>nothing here</html>", "bad_request", True),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "bad_request", False),
        (402, {"error": {"message": "Insufficient credits"}}, "auth", True),
        (408, "", "timeout", False),
        (429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, "rate_limited", False),
        (429, {"error": {"message": "Quota", "type": "insufficient_quota"}}, "rate_limited", True),
        (500, {"error": {"message": "[json.exception.parse_error.101]"}}, "server_error", False),
        (529, {"error": {"message": "Overloaded"}}, "server_error", False),
        (200, {"error": "boom"}, "server_error", False),
        (400, [{"error": {"message": "model not found"}}], "bad_request", True),
    ],
)
def test_kinds(status: int, body: Any, kind: str, stops: bool) -> None:
    found = failure(status, body)
    assert (found.kind, found.stops_model, found.http_status) == (kind, stops, status)


def test_message_says_what_where_and_what_next() -> None:
    assert failure(404, {"error": {"message": "model 'm' not found."}}).message == (
        "http://h/v1 answered 404 for model 'm': model 'm' not found. Ask for a model that the endpoint lists."
    )


def test_overflow_names_both_sizes() -> None:
    body = {"error": {"message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 404, "n_ctx": 256}}
    assert "too long (prompt 404, context 256 tokens). Give the model" in failure(400, body).message


def test_numbers_do_not_make_another_cause() -> None:
    one, other = (failure(429, {"error": f"limit reached, wait {seconds} s"}) for seconds in (3, 17))
    assert one.message != other.message
    assert one.cause == other.cause
    assert one.cause != failure(429, {"error": "too many connections"}).cause


@pytest.mark.slow
@given(status=st.integers(200, 599), body=JSON.map(json.dumps) | st.text())
def test_any_body_is_classified(status: int, body: str) -> None:
    found = failure(status, body)
    assert found.kind in get_args(ErrorKind)
    assert found.message.isprintable()
    assert len(found.message) < 600
    assert len(found.body) <= 500


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e400", None),
        ("9" * 13, None),
        ("9" * 5000, None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 9999 00:00:00 GMT", 251_578_197_120.0),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Mon, 41 Jan 2026 99:00:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    now = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)
    assert retry_after_s({"retry-After": value}, now) == seconds


@given(st.text())
def test_any_retry_after(value: str) -> None:
    pause = retry_after_s({"Retry-After": value})
    assert pause is None or pause >= 0


# Answers


@given(JSON)
def test_any_json_object_can_be_fed(value: Any) -> None:
    answer = Answer()
    answer.feed({"choices": value, "usage": value, "model": value, "timings": value})
    answer.feed({"choices": [value]})
    answer.feed({"choices": [{"delta": value, "message": value, "finish_reason": value}]})
    answer.feed({"choices": [{"delta": {"content": value, "reasoning": value}}]})
    answer.text.encode()
    answer.reasoning.encode()


def test_usage_and_timings_come_from_any_chunk() -> None:
    answer = Answer()
    answer.feed({"choices": [{"delta": {}, "finish_reason": "stop"}], "timings": {"predicted_n": 5}})
    answer.feed({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": True}})
    assert (answer.finish_reason, answer.timings) == ("stop", {"predicted_n": 5})
    assert answer.usage == Usage(prompt_tokens=1)


def test_content_in_typed_parts() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "42"}]
    answer = Answer()
    assert answer.feed({"choices": [{"message": {"content": parts}}]})
    assert (answer.text, answer.reasoning) == ("42", "hm")


def test_refusal_is_the_answer() -> None:
    answer = Answer()
    answer.feed({"choices": [{"message": {"content": None, "refusal": "I will not."}}]})
    assert answer.text == "I will not."


# Secrets


def test_secrets_are_hidden_but_no_ordinary_words() -> None:
    assert hide("key sk-123456 of me", ["sk-123456", "me", ""]) == "key *** of me"
