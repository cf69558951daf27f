"""Which requests are sent again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server import BAD_KEY, CONTEXT_OVERFLOW, LOADING, ChatServer, Reply, Script

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.openai_client import OpenAIClient
from pytest_llmbench.llm.failures.retry import RetryPolicy, complete_with_retries
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Message, Retry

QUICK = RetryPolicy(wait_s=0.01, wait_max_s=0.02, retry_after_max_s=0.05, loading_s=10)
REQUEST = CompletionRequest(model="m", endpoint="x", messages=(Message(role="user", content="hi"),), epoch=1)
BOOM = Reply.error(500, "boom")


def ask(script: Script, policy: RetryPolicy = QUICK, **options: Any) -> tuple[Completion, tuple[Retry, ...], int]:
    """Completion, retries and the number of requests that the server saw."""

    async def run(url: str) -> tuple[Completion, tuple[Retry, ...]]:
        client = OpenAIClient(url)
        try:
            return await complete_with_retries(client, REQUEST, policy=policy, **{"timeout_s": 10.0, **options})
        finally:
            await client.aclose()

    with ChatServer(script) as server:
        try:
            return *asyncio.run(run(server.base_url)), server.chat_count
        except ModelError as error:
            error.add_note(str(server.chat_count))
            raise


def fails(script: Script, **options: Any) -> tuple[ModelError, int]:
    with pytest.raises(ModelError) as caught:
        ask(script, **options)
    return caught.value, int(caught.value.__notes__[0])


def test_first_answer_needs_no_retry() -> None:
    completion, retries, sent = ask("fine")
    assert (completion.text, retries, sent) == ("fine", (), 1)


@pytest.mark.parametrize(
    "reply",
    [
        BOOM,
        Reply.plain(502, "bad gateway"),
        Reply.plain(503, "no slot available"),
        Reply.plain(504, "gateway timeout"),
        Reply.plain(500, "proxy error: Failed to read connection"),
        Reply.plain(429, "slow down"),
        Reply(ending="drop"),
        Reply("abcdef", ending="cut"),
        Reply("abcdef", ending="broken"),
        Reply("abcdef", ending="proxy_error"),
    ],
)
def test_what_can_pass_is_sent_again(reply: Reply) -> None:
    completion, retries, sent = ask([reply, "fine"])
    assert (completion.text, sent) == ("fine", 2)
    (retry,) = retries
    assert retry.kind in ("server_error", "rate_limited", "connection")
    assert retry.message
    assert 0 < retry.waited_s < 0.1


def test_wall_time_is_that_of_the_try_that_counted() -> None:
    completion, _, _ = ask([Reply.plain(500, "slow failure"), "fine"], RetryPolicy(wait_s=1.0))
    assert completion.wall_s is not None
    assert completion.wall_s < 0.7


def test_tries_are_bounded_and_kept() -> None:
    error, sent = fails(BOOM)
    assert sent == 3
    assert [retry.kind for retry in error.retries] == ["server_error"] * 2
    assert error.failure.kind == "server_error"


@pytest.mark.parametrize(
    "reply",
    [
        BAD_KEY,
        CONTEXT_OVERFLOW,
        Reply.plain(404, "File Not Found"),
        Reply.error(400, "model 'm' not found"),
        Reply.error(500, "model name=m failed to load"),
        Reply.error(429, "You exceeded your current quota", "insufficient_quota"),
        Reply(body="{garbage"),
        Reply(""),
        Reply("", reasoning="hm"),
        Reply("cut", finish_reason="length"),
        Reply("<|channel|>x"),
    ],
)
def test_what_cannot_pass_is_sent_once(reply: Reply) -> None:
    error, sent = fails(reply)
    assert (sent, error.retries) == (1, ())


def test_timeout_is_not_sent_again() -> None:
    error, sent = fails(Reply(ending="hang"), timeout_s=0.2)
    assert (error.failure.kind, sent) == ("timeout", 1)


def test_refused_connection_is_not_tried_again() -> None:
    async def run() -> None:
        await complete_with_retries(OpenAIClient("http://127.0.0.1:1"), REQUEST, timeout_s=5, policy=QUICK)

    with pytest.raises(ModelError) as caught:
        asyncio.run(run())
    assert caught.value.retries == ()


def test_retry_after_is_honoured_up_to_a_limit() -> None:
    _, (retry,), _ = ask([Reply.plain(429, "", Retry_After="0.03"), "fine"])
    assert retry.waited_s == 0.03
    _, (retry,), _ = ask([Reply.plain(503, "", Retry_After="3600"), "fine"])
    assert retry.waited_s == QUICK.retry_after_max_s


def test_retry_after_nothing_is_sent_again_at_once() -> None:
    completion, (retry,), sent = ask([Reply.plain(429, "", Retry_After="0"), "fine"])
    assert (completion.text, retry.waited_s, sent) == ("fine", 0, 2)


def test_loading_model_is_waited_for_beyond_the_tries() -> None:
    completion, retries, sent = ask([LOADING] * 6 + [BOOM, BOOM, "fine"])
    assert (completion.text, sent, len(retries)) == ("fine", 9, 8)
    assert [retry.loading for retry in retries] == [True] * 6 + [False] * 2


def test_loading_for_ever_is_given_up() -> None:
    error, sent = fails(LOADING, policy=RetryPolicy(wait_s=0.01, loading_s=0))
    assert (error.failure.http_status, sent) == (503, 3)


def test_fault_of_ours_is_not_retried() -> None:
    class Broken:
        calls = 0

        async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Completion:
            self.calls += 1
            raise ZeroDivisionError

        async def aclose(self) -> None: ...

    client = Broken()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(complete_with_retries(client, REQUEST, timeout_s=1, policy=QUICK))
    assert client.calls == 1


@given(number=st.integers(1, 10_000), asked=st.none() | st.floats(0, 1e9))
def test_pauses_are_bounded(number: int, asked: float | None) -> None:
    policy = RetryPolicy()
    limit = policy.wait_max_s * 1.25 if asked is None else policy.retry_after_max_s
    assert 0 <= policy.pause_s(number, asked) <= limit
