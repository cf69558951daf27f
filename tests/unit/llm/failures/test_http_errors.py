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
from pytest_llmbench.llm.failures.http_errors import http_failure
from pytest_llmbench.llm.failures.pauses import retry_after_s
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


# Limits that pass, and limits that do not

GROQ = (
    "Rate limit reached for model `m` on tokens per minute (TPM): Limit 6000, Used 5800, Requested 700. Please try "
    "again in 1s. Need more tokens? Upgrade at https://console.groq.com/settings/billing"
)
GEMINI = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("body", "pause_s", "stops"),
    [
        ({"error": {"message": GROQ, "type": "tokens", "code": "rate_limit_exceeded"}}, 1.0, False),
        ([{"error": {"code": 429, "message": f"{GEMINI} Please retry in 1s."}}], 1.0, False),
        ([{"error": {"code": 429, "message": GEMINI}}], 1.0, False),
        ([{"error": {"code": 429, "message": GEMINI}}], None, True),
        ({"error": {"message": f"{GEMINI} Try again later."}}, None, False),
        ({"error": {"message": "5 requests per minute on your plan. See billing."}}, None, False),
        ({"error": {"message": "Slow down. https://x.test/billing"}}, None, False),
        ({"error": {"message": "Limit", "code": "insufficient_quota"}}, 1.0, True),
        ({"error": {"message": "Limit", "type": "insufficient_quota"}}, None, True),
        ({"message": "Billing hard limit has been reached", "code": "billing_hard_limit_reached"}, None, True),
        ({"error": {"message": "Your account has insufficient balance"}}, None, True),
    ],
)
def test_limits(body: Any, pause_s: float | None, stops: bool) -> None:
    found = http_failure(429, json.dumps(body), endpoint="http://h/v1", model="m", pause_s=pause_s)
    assert (found.kind, found.stops_model) == ("rate_limited", stops)


# Errors inside of an answer


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        ({"detail": "Model is busy"}, "server_error", 200, "Model is busy"),
        ({"detail": [{"loc": ["body", "n"], "msg": "bad", "type": "x"}]}, "server_error", 200, "body.n: bad"),
        ({"object": "error", "message": "The model is overloaded", "code": 50300}, "server_error", 503, "overloaded"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "auth", 200, "insufficient bal"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, "rate_limited", 200, "rate limit"),
        ({"error": {"message": "Slow", "code": "rate_limit_exceeded"}}, "rate_limited", 200, "Slow"),
        ({"error": {"message": "Slow", "code": "429"}}, "rate_limited", 429, "Slow"),
        ({"error": {"message": "no", "code": 401}}, "auth", 401, "no"),
        ({"error": "rate_limited", "message": "Wait a bit"}, "rate_limited", 200, "rate_limited: Wait a bit"),
        ({"code": "Throttling.RateQuota", "message": "Requests throttled"}, "rate_limited", 200, "throttled"),
        ({"errors": [{"code": 7003, "message": "no route"}], "success": False}, "server_error", 200, "no route"),
        ({"error": {"message": "x", "type": "invalid_request_error"}}, "bad_request", 200, "x"),
        ({"error": {"message": "Invalid API key"}}, "auth", 200, "Invalid API key"),
        ({"error": {"message": "n_keep: 9 >= n_ctx: 4 context length"}}, "context_overflow", 200, "n_keep"),
        (
            {"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": "CUDA out of memory"}}},
            "server_error",
            502,
            "Provider returned error: CUDA out of memory",
        ),
        ('event: error\ndata: {"error": {"message": "boom"}}\n\n', "server_error", 200, ": boom."),
    ],
)
def test_errors_with_status_200(body: Any, kind: str, status: int, said: str) -> None:
    found = failure(200, body)
    assert (found.kind, found.http_status) == (kind, status)
    assert said in found.message


def test_the_balance_is_told_whatever_the_status() -> None:
    found = failure(400, {"error": {"message": "Your credit balance is too low to access the API."}})
    assert (found.kind, found.stops_model) == ("auth", True)
    assert found.message.endswith("Check the account's balance.")


@pytest.mark.parametrize(
    ("status", "kind", "stops", "advice"),
    [
        (405, "bad_request", True, "Check the base URL."),
        (407, "auth", True, "proxy that HTTP_PROXY"),
        (409, "server_error", False, "server's log"),
        (413, "bad_request", False, "larger than the server"),
        (425, "server_error", False, "server's log"),
        (522, "server_error", False, "server's log"),
    ],
)
def test_statuses_and_what_to_do(status: int, kind: str, stops: bool, advice: str) -> None:
    found = failure(status, "<html>later</html>")
    assert (found.kind, found.stops_model) == (kind, stops)
    assert advice in found.message


def test_a_redirect_says_where_it_leads_and_no_more() -> None:
    found = http_failure(
        302, "", endpoint="http://h/v1", model="m", location="https://me:secret@sso.example.org/login?token=abc"
    )
    assert "a redirect to sso.example.org/login. Check the base URL" in found.message
    assert "secret" not in found.message + found.cause
    assert "abc" not in found.message + found.cause
