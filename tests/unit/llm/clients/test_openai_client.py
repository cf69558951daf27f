"""The client of OpenAI-compatible endpoints, against a real HTTP server."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import socket
import time
from typing import Any

import pytest
from support.raw_server import END, RawServer, event, head, said
from support.server import BAD_KEY, CONTEXT_OVERFLOW, LOADING, ChatServer, Reply, Script

from pytest_llmbench.errors import ModelError, OptionError
from pytest_llmbench.llm.clients import exchange, sse
from pytest_llmbench.llm.clients.openai_client import OpenAIClient
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure, Message, Usage

KEY = "sk-very-secret-key-0123456789"
TIMINGS = {"prompt_n": 13, "prompt_ms": 2.11, "predicted_n": 5, "predicted_ms": 0.885}


def request(model: str = "m", **params: Any) -> CompletionRequest:
    return CompletionRequest(
        model=model, endpoint="here", messages=(Message(role="user", content="say hi"),), epoch=1, params=params
    )


def ask(
    url: str,
    asked: CompletionRequest | None = None,
    *,
    api_key: str | None = None,
    timeout_s: float = 10,
    **options: Any,
) -> Completion:
    async def run() -> Completion:
        client = OpenAIClient(url, api_key, **options)
        try:
            return await client.complete(asked or request(), timeout_s=timeout_s)
        finally:
            await client.aclose()

    return asyncio.run(run())


def ask_scripted(script: Script, **options: Any) -> Completion:
    with ChatServer(script) as server:
        return ask(server.base_url, **options)


def fails(script: Script, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        ask_scripted(script, **options)
    return caught.value


# What arrives


def test_streamed_answer_with_its_figures() -> None:
    usage = {
        "prompt_tokens": 13,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    reply = Reply("def f(): ...\n", reasoning="Let me think.", usage=usage, timings=TIMINGS, model="alias")
    completion = ask_scripted(reply)
    assert completion.text == "def f(): ...\n"
    assert completion.reasoning == "Let me think."
    assert completion.finish_reason == "stop"
    assert completion.model_answered == "alias"
    assert completion.usage.model_dump() == {
        "prompt_tokens": 13,
        "completion_tokens": 5,
        "cached_tokens": 2,
        "reasoning_tokens": 3,
    }
    assert completion.timings == TIMINGS
    assert completion.started is not None
    assert completion.started.endswith("+00:00")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_has_several_names(key: str) -> None:
    completion = ask_scripted(Reply("42", reasoning="six times seven", reasoning_key=key))
    assert (completion.text, completion.reasoning) == ("42", "six times seven")


def test_times_leave_out_nothing_but_the_wait_before_sending() -> None:
    completion = ask_scripted(Reply("one two three", latency_s=0.2, chunk_delay_s=0.1))
    assert completion.first_token_s is not None
    assert completion.wall_s is not None
    assert 0.4 <= completion.first_token_s < completion.wall_s  # latency, role chunk, first text chunk
    assert completion.wall_s >= 0.9


def test_plain_json_is_read_too() -> None:
    answer = {"model": "m", "choices": [{"message": {"content": "whole"}, "finish_reason": None}], "timings": TIMINGS}
    completion = ask_scripted(Reply(body=json.dumps(answer)))
    assert (completion.text, completion.timings, completion.first_token_s) == ("whole", TIMINGS, None)
    assert completion.finish_reason is None


def test_closed_thought_in_the_content_is_moved() -> None:
    completion = ask_scripted("<think>\nadd them\n</think>\n\n```python\nx = 1\n```\n")
    assert (completion.text, completion.reasoning) == ("```python\nx = 1\n```\n", "add them")


def test_prose_is_a_completion() -> None:
    assert ask_scripted("I cannot do that.").text == "I cannot do that."


def test_characters_cut_in_two_by_the_stream() -> None:
    halves = [{"choices": [{"delta": {"content": half}}]} for half in ("\ud83d", "\ude00 \ud800")]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in (*halves, end)) + "data: [DONE]\n\n"
    completion = ask_scripted(Reply(body=body, content_type="text/event-stream"))
    assert completion.text == "\N{GRINNING FACE} \N{REPLACEMENT CHARACTER}"


def test_stream_that_lingers_after_its_end_is_not_waited_for() -> None:
    """A body longer than what is sent: the server seems to have more to say, and never says it."""
    body = 'data: {"choices":[{"delta":{"content":"all"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    reply = Reply(body=body, content_type="text/event-stream", headers={"Content-Length": "100000"})
    began = time.monotonic()
    assert ask_scripted(reply, timeout_s=30).text == "all"
    assert time.monotonic() - began < 10


# What is sent


def test_only_what_was_asked_for_is_sent() -> None:
    with ChatServer() as server:
        ask(server.base_url)
        ask(server.base_url, request(temperature=0.6, max_tokens=9, stream=False))
        first, second = (seen.body for seen in server.requests)
    stream = {"stream": True, "stream_options": {"include_usage": True}}
    messages = [{"role": "user", "content": "say hi"}]
    assert first == {"model": "m", "messages": messages, **stream}
    assert second == {"model": "m", "messages": messages, "temperature": 0.6, "max_tokens": 9, **stream}


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions", "/api/v2/"])
def test_base_url_with_and_without_version(path: str) -> None:
    with ChatServer() as server:
        assert ask(server.url + path).text == "ok"


def test_key_is_sent_and_never_shown() -> None:
    with ChatServer(api_key=KEY) as server:
        assert ask(server.base_url, api_key=KEY).text == "ok"
        client = OpenAIClient(server.base_url, KEY)
        assert KEY not in repr(client) + repr(vars(client).get("_headers"))


@pytest.mark.parametrize(
    "script",
    [
        Reply.error(401, f"Incorrect API key provided: {KEY}", "authentication_error"),
        Reply.plain(500, f"trace of {KEY}"),
        Reply.plain(200, f"no stream but {KEY}"),
        Reply(body=f'{{"error": "bad key {KEY}"}}'),
        Reply(body=f'{{"key": "{KEY}"}}'),
    ],
)
def test_key_echoed_by_the_server_is_hidden(script: Reply) -> None:
    error = fails(script, api_key=KEY)
    assert KEY not in str(error) + error.failure.model_dump_json()
    assert "***" in str(error) + error.failure.body


def test_credentials_in_the_url_are_used_and_never_shown() -> None:
    with ChatServer(Reply.error(500, "no")) as server:
        url = server.base_url.replace("http://", "http://user:pass-word@")
        with pytest.raises(ModelError) as caught:
            ask(url)
        assert server.requests[0].headers["authorization"].startswith("Basic ")
    assert "pass-word" not in str(caught.value) + caught.value.failure.model_dump_json()
    assert "user" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x/y", "http://", "http://[::1", "http://x:port/v1"])
def test_url_that_is_none(url: str) -> None:
    with pytest.raises(OptionError, match="Write it like http://localhost:8080/v1"):
        OpenAIClient(url)


def test_key_with_a_line_break_is_refused_without_showing_it() -> None:
    with pytest.raises(OptionError) as caught:
        OpenAIClient("http://127.0.0.1:1", f"{KEY}\nX: y")
    assert KEY not in str(caught.value)


def test_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask_scripted("direct").text == "direct"


# Errors


@pytest.mark.parametrize(
    ("reply", "kind", "status", "stops"),
    [
        (BAD_KEY, "auth", 401, True),
        (Reply.plain(403, "forbidden"), "auth", 403, True),
        (Reply.error(404, "The model `m` does not exist", "invalid_request_error"), "bad_request", 404, True),
        (Reply.error(400, "model 'm' not found", "invalid_request_error"), "bad_request", 400, True),
        (
            Reply.error(400, "Field 'temperature': type must be number", "invalid_request_error"),
            "bad_request",
            400,
            False,
        ),
        (CONTEXT_OVERFLOW, "context_overflow", 400, False),
        (Reply.plain(429, "slow down", Retry_After="7"), "rate_limited", 429, False),
        (Reply.error(500, "boom"), "server_error", 500, False),
        (Reply.plain(500, "proxy error: Failed to read connection"), "server_error", 500, False),
        (Reply.error(500, "model name=m failed to load"), "server_error", 500, True),
        (LOADING, "server_error", 503, False),
        (Reply.plain(302, "", Location="http://127.0.0.1:1/"), "bad_request", 302, True),
    ],
)
def test_http_errors(reply: Reply, kind: str, status: int, stops: bool) -> None:
    failure = fails(reply).failure
    assert (failure.kind, failure.http_status, failure.stops_model) == (kind, status, stops)
    assert failure.body == reply.body
    assert failure.cause


def test_pause_that_the_server_asked_for_travels_along() -> None:
    assert fails(Reply.plain(429, "slow down", Retry_After="7")).retry_after_s == 7
    assert fails(Reply.plain(429, "slow down")).retry_after_s is None


def test_error_message_is_short_and_harmless_on_a_terminal() -> None:
    failure = fails(Reply.plain(500, "\x1b[31mbad\r\n" + "x" * 5000)).failure
    assert failure.message.isprintable()
    assert len(failure.message) < 500
    assert failure.body.startswith("\\x1b[31mbad")
    assert len(failure.body) == 500


def test_refused_connection_stops_the_model() -> None:
    with ChatServer() as server:
        url = server.base_url
    failures = []
    for _ in range(2):
        with pytest.raises(ModelError) as caught:
            ask(url)
        failures.append(caught.value.failure)
    assert failures[0] == failures[1]
    assert failures[0] == Failure(
        kind="connection",
        message=f"{url} refused the connection. Start the server, or correct the base URL.",
        cause=f"connection {url} refused",
        stops_model=True,
    )


def test_unknown_host_stops_the_model() -> None:
    with pytest.raises(ModelError) as caught:
        ask("http://no-such-host.invalid/v1")
    failure = caught.value.failure
    assert (failure.kind, failure.stops_model) == ("connection", True)
    assert "host name" in failure.message


def test_host_that_takes_no_connection() -> None:
    """A full backlog: the kernel leaves the connection unanswered, as a firewall would."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        crowd = [socket.socket() for _ in range(4)]
        try:
            for each in crowd:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            with pytest.raises(ModelError) as caught:
                ask(f"http://127.0.0.1:{port}", connect_s=0.3)
        finally:
            for each in crowd:
                each.close()
    failure = caught.value.failure
    assert (failure.kind, failure.stops_model) == ("connection", True)
    assert "did not take a connection within 0.3 s (--llm-connect-timeout)" in failure.message


def test_timeout_names_limit_and_time_and_frees_the_server() -> None:
    with ChatServer(Reply(ending="hang")) as server:
        with pytest.raises(ModelError) as caught:
            ask(server.base_url, timeout_s=0.3)
        server.wait_for(lambda s: s.in_flight == 0)
        assert server.requests[0].client_closed
    failure = caught.value.failure
    assert (failure.kind, failure.stops_model) == ("timeout", False)
    assert "within 0.3 s: gave up after 0." in failure.message


def test_answer_that_does_not_begin() -> None:
    failure = fails(Reply(ending="hang"), first_byte_s=0.3).failure
    assert (failure.kind, failure.stops_model) == ("timeout", False)
    assert "no first byte of its answer within 0.3 s: gave up after 0." in failure.message
    assert "--llm-first-byte-timeout" in failure.message


def test_silence_inside_an_answer() -> None:
    with ChatServer(Reply("abcdef", pieces=6, ending="stall")) as server:
        with pytest.raises(ModelError) as caught:
            ask(server.base_url, first_byte_s=5, silence_s=0.3)
        server.wait_for(lambda s: s.in_flight == 0, 1)
        assert server.requests[0].client_closed
    failure = caught.value.failure
    assert (failure.kind, failure.body) == ("timeout", "abcd")
    assert "silent for more than 0.3 s" in failure.message
    assert "after 4 characters of the answer" in failure.message
    assert "--llm-silence-timeout" in failure.message


def test_each_clock_bounds_its_own_time_only() -> None:
    """A late answer is no silence, one in many parts no late answer."""
    late = Reply("x", latency_s=0.6)
    assert ask_scripted(late, silence_s=0.3).text == "x"
    steady = Reply("x" * 10, pieces=10, chunk_delay_s=0.1)
    assert ask_scripted(steady, first_byte_s=0.5, silence_s=0.5).text == "x" * 10


def test_the_clock_that_is_due_first_speaks() -> None:
    failure = fails(Reply(ending="hang"), timeout_s=0.2, first_byte_s=5).failure
    assert "no whole answer within 0.2 s" in failure.message


def test_slow_stream_is_bounded_as_a_whole() -> None:
    failure = fails(Reply("x" * 100, pieces=100, chunk_delay_s=0.05), timeout_s=0.6).failure
    assert failure.kind == "timeout"
    assert "characters of the answer" in failure.message
    assert failure.body.startswith("x")


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("cut", "dropped the connection"),
        ("broken", "ended its stream without a finish_reason"),
        ("proxy_error", "broke off its stream with the line 'proxy error: Failed to read connection'"),
    ],
)
def test_stream_that_breaks_half_way(ending: Any, said: str) -> None:
    failure = fails(Reply("abcdef", pieces=6, usage=None, ending=ending)).failure
    assert (failure.kind, failure.stops_model) == ("connection", False)
    assert said in failure.message
    assert "after 4 characters of the answer" in failure.message
    assert failure.body == "abcd"


def test_connection_dropped_before_the_answer() -> None:
    failure = fails(Reply(ending="drop")).failure
    assert (failure.kind, failure.stops_model) == ("connection", False)
    assert "before any of the answer came" in failure.message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body="{not json"),
        Reply(body="[]"),
        Reply(body="{}"),
        Reply(body='{"choices": []}'),
        Reply(body='{"choices": [null]}'),
        Reply(body="[" * 100_000),
        Reply(body="data: {oops\n\n", content_type="text/event-stream"),
        Reply(body="data: [DONE]\n\n", content_type="text/event-stream"),
        Reply(body="<html>login</html>", content_type="text/html"),
        Reply(body="", content_type="text/event-stream"),
    ],
)
def test_garbage_with_status_200(reply: Reply) -> None:
    failure = fails(reply).failure
    assert (failure.kind, failure.http_status, failure.stops_model) == ("invalid_response", 200, False)
    assert reply.body is not None
    assert failure.body.strip() in reply.body or failure.body.endswith("…")


def test_error_object_inside_a_stream() -> None:
    body = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"error":{"code":503,"message":"overloaded"}}\n\n'
    failure = fails(Reply(body=body, content_type="text/event-stream")).failure
    assert (failure.kind, failure.http_status) == ("server_error", 503)
    assert "overloaded" in failure.message


def raw(answer: Any, **options: Any) -> Completion:
    with RawServer(lambda _: answer) as server:
        return ask(server.base_url, **options)


def raw_fails(answer: Any, **options: Any) -> Failure:
    with pytest.raises(ModelError) as caught:
        raw(answer, **options)
    return caught.value.failure


GOOD = said("x = 1") + END


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "x-evil\x7f"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "503 Busy"])
def test_nothing_is_decompressed(encoding: str, status: str) -> None:
    failure = raw_fails(head(status, Content_Encoding=encoding) + gzip.compress(GOOD))
    assert failure.kind == "invalid_response"
    assert "Content-Encoding" in failure.message
    assert failure.message.isprintable()


@pytest.mark.parametrize("encoding", ["identity", "Identity, identity", "", ","])
def test_what_is_not_encoded_is_read(encoding: str) -> None:
    assert raw(head(Content_Encoding=encoding) + GOOD).text == "x = 1"


@pytest.mark.parametrize(
    "figures",
    [
        f'{{"choices": [], "timings": {{"predicted_ms": 1{"0" * 400}, "prompt_n": 7}}}}',
        f'{{"choices": [], "timings": {{"predicted_ms": {"[" * 2000}{"]" * 2000}, "prompt_n": 7}}}}',
        '{"choices": [], "timings": {"predicted_ms": NaN, "prompt_n": 7}}',
    ],
)
def test_an_absurd_figure_costs_itself_and_not_the_text(figures: str) -> None:
    completion = raw(head() + said("x = 1") + event(figures) + END)
    assert completion.text == "x = 1"
    assert completion.timings == {"prompt_n": 7}
    assert completion.left_out == ("timings.predicted_ms",)


def test_absurd_counts_are_left_out_and_named() -> None:
    usage = f'{{"prompt_tokens": 5, "completion_tokens": 1{"0" * 400}, "prompt_tokens_details": null}}'
    completion = raw(head() + said("x = 1") + event(f'{{"usage": {usage}}}') + END)
    assert completion.usage == Usage(prompt_tokens=5)
    assert completion.left_out == ("usage.completion_tokens",)


def test_deep_json_beside_the_text_of_a_whole_answer() -> None:
    choice = '{"message": {"content": "x = 1"}, "finish_reason": "stop"}'
    body = f'{{"timings": {"[" * 3000}{"]" * 3000}, "choices": [{choice}]}}'
    assert raw(head(kind="application/json") + body.encode()).text == "x = 1"


def test_long_names_are_cut() -> None:
    completion = raw(head() + said("x = 1", model="m" * 10_000) + END)
    assert completion.model_answered == "m" * 500


def test_an_answer_in_endless_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_PIECES", 100)
    pieces = itertools.chain([head(Transfer_Encoding="chunked")], itertools.repeat(b"1\r\na\r\n", 10_000))
    assert "sent more than 100 pieces for one answer" in raw_fails(pieces).message


@pytest.mark.parametrize(
    ("begin", "endless", "what"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "1000000 bytes of headers"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "1000000 bytes of headers"),
        (head(Transfer_Encoding="chunked"), b"1;" + b"x" * 5000 + b"\r\na\r\n", "100000 bytes on the wire"),
    ],
)
def test_what_comes_beside_the_body_is_counted_too(begin: bytes, endless: bytes, what: str) -> None:
    answer = itertools.chain([begin], itertools.repeat(endless * 100, 20_000))
    failure = raw_fails(answer, timeout_s=60, max_reply_bytes=10_000)
    assert (failure.kind, f"sent more than {what} for one answer" in failure.message) == ("invalid_response", True)


@pytest.mark.slow
def test_a_list_without_an_end_tells_nothing_of_what_is_loaded() -> None:
    async def run(url: str) -> bool | None:
        client = OpenAIClient(url)
        try:
            return await client.is_loaded("m")
        finally:
            await client.aclose()

    endless = itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 1000)
    for answer in (endless, itertools.chain([head()], itertools.repeat(b" " * 65536, 200)), head() + b"[" * 9000):
        with RawServer(lambda _, answer=answer: answer) as server:
            assert asyncio.run(run(server.base_url)) is None


def test_many_answers_on_one_connection_are_counted_apart() -> None:
    async def run(url: str) -> int:
        client = OpenAIClient(url, max_reply_bytes=2000)
        try:
            return sum([len((await client.complete(request(), timeout_s=20)).text) for _ in range(50)])
        finally:
            await client.aclose()

    with ChatServer(Reply("x" * 100)) as server:
        assert asyncio.run(run(server.base_url)) == 5000


def test_an_answer_in_endless_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_LINES", 1000)
    failure = raw_fails(head() + b": on\n" * 2000 + GOOD)
    assert (failure.kind, "sent more than 1000 lines for one answer" in failure.message) == ("invalid_response", True)


def test_an_endless_error_is_read_no_further_than_anybody_looks() -> None:
    failure = raw_fails(itertools.chain([head("400 Bad Request")], itertools.repeat(b"model " * 10_000, 2000)))
    assert failure.kind == "bad_request"
    assert failure.message.endswith("Check the parameters sent with the request.")


def test_endless_answer_is_cut() -> None:
    error = fails(Reply("x" * 100_000), max_reply_bytes=50_000)
    assert error.failure.kind == "invalid_response"
    assert "more than 50000 bytes" in error.failure.message


# Whole answers that cannot be graded


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(" \n"), "empty_content", "without a word"),
        (Reply("", reasoning="hm"), "reasoning_only", "2 characters of reasoning"),
        (Reply("", reasoning="hm", finish_reason="length"), "reasoning_only", "cut off"),
        (Reply("<think>hm</think>\n"), "reasoning_only", "2 characters of reasoning"),
        (Reply("def f(", finish_reason="length"), "truncated", "the model's context or the server's own limit"),
        (Reply("", finish_reason="length"), "truncated", "cut off"),
        (Reply("def f(", finish_reason="content_filter"), "truncated", "content filter"),
        (Reply("<|channel|>analysis<|message|>hm"), "unparsed_format", "<|channel|>"),
        (Reply("<think>and so on"), "unparsed_format", "<think>"),
    ],
)
def test_answers_that_cannot_be_graded(reply: Reply, kind: str, said: str) -> None:
    error = fails(reply)
    assert error.failure.kind == kind
    assert said in error.failure.message
    assert not error.failure.stops_model
    assert error.completion is not None
    assert error.completion.finish_reason == reply.finish_reason
    assert error.completion.wall_s is not None
    text = error.completion.text
    assert error.failure.body == (text if text.strip() else error.completion.reasoning)


def test_cut_off_at_the_limit_that_was_sent() -> None:
    reply = Reply("def f(", finish_reason="length", usage={"prompt_tokens": 5, "completion_tokens": 9})
    assert "cut off at max_tokens=9. Raise max_tokens" in str(fails(reply, asked=request(max_tokens=9)))
    message = str(fails(reply, asked=request(max_tokens=10)))
    assert "cut off after 9 tokens (14 with the prompt) by the model's context" in message


@pytest.mark.parametrize(
    ("context", "said"),
    [
        (14, "the context of 14 tokens is filled (prompt 5, answer 9). Raise the context."),
        (15, "cut off at max_tokens=9. Raise max_tokens."),
        (None, "cut off at max_tokens=9. Raise max_tokens."),
    ],
)
def test_cut_off_where_the_known_context_was_full(context: int | None, said: str) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 9}
    asked = request(max_tokens=9).model_copy(update={"context": context})
    for reply in (
        Reply("def f(", usage=usage, finish_reason="length"),
        Reply("", "hm", usage=usage, finish_reason="length"),
    ):
        assert str(fails(reply, asked=asked)).endswith(said)


def test_cut_off_while_it_went_round_in_circles() -> None:
    reply = Reply("def f(): " + "wait, no. " * 40, finish_reason="length")
    error = fails(reply)
    assert error.failure.kind == "truncated"
    assert "repeating 'wait, no.' at least 40 times. More room would hardly help" in error.failure.message
    assert "cut off at max_tokens=82, repeating" in str(fails(reply, asked=request(max_tokens=82)))
    thought = fails(Reply("", reasoning="hm " * 200, finish_reason="length")).failure
    assert (thought.kind, "repeating 'hm'" in thought.message) == ("reasoning_only", True)
    assert ask_scripted(Reply("wait, no. " * 40)).text, "one that ended by itself is the model's answer"


# Connections


def test_connections_are_used_again_and_never_shared() -> None:
    async def run(client: OpenAIClient, server: ChatServer) -> int:
        with server.hold():
            waiting = [asyncio.create_task(client.complete(request(), timeout_s=10)) for _ in range(8)]
            await asyncio.to_thread(server.wait_for, lambda s: s.in_flight == 8)
        await asyncio.gather(*waiting)
        opened = len(client._idle)
        for _ in range(3):
            await client.complete(request(), timeout_s=10)
        assert len(client._idle) == opened
        await client.aclose()
        return opened

    with ChatServer() as server:
        assert asyncio.run(run(OpenAIClient(server.base_url), server)) == 8
        assert server.max_in_flight == 8


def test_cancelled_request_frees_the_server_at_once() -> None:
    async def run(server: ChatServer) -> None:
        client = OpenAIClient(server.base_url)
        asked = asyncio.create_task(client.complete(request(), timeout_s=60))
        await asyncio.to_thread(server.wait_for, lambda s: s.in_flight == 1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await asyncio.to_thread(server.wait_for, lambda s: s.in_flight == 0, 1)
        assert (await client.complete(request(), timeout_s=10)).text == "after"
        await client.aclose()

    with ChatServer([Reply("x", ending="stall"), "after"]) as server:
        asyncio.run(run(server))
        assert [seen.client_closed for seen in server.requests] == [True, False]
