"""Habits of real endpoints, each in several variants, over HTTP: what is read, what is told, what is sent again."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from support.raw_server import END, Asked, RawServer, event, head, said
from support.server import ChatServer, Reply

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.openai_client import OpenAIClient
from pytest_llmbench.llm.failures.retry import can_pass
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure, Message

CODE = "```python\nimport re\n\n\ndef slug(title):\n    return re.sub('x', '-', title)\n```"
HALF = CODE[:50]
JSON = {"kind": "application/json"}
DONE = event("[DONE]")


def ask(url: str, *models: str, timeout_s: float = 20, **options: Any) -> list[Completion | ModelError]:
    """Ask for each model in turn, with one client."""

    async def run() -> list[Completion | ModelError]:
        client, found = OpenAIClient(url, **options), list[Completion | ModelError]()
        for model in models or ("m",):
            message = Message(role="user", content="hi")
            request = CompletionRequest(model=model, endpoint="here", messages=(message,), epoch=1)
            try:
                found.append(await client.complete(request, timeout_s=timeout_s))
            except ModelError as error:
                found.append(error)
        await client.aclose()
        return found

    return asyncio.run(run())


def answered(answer: Any, **options: Any) -> Completion:
    with RawServer(answer if callable(answer) else lambda _: answer) as server:
        (found,) = ask(server.base_url, **options)
    assert isinstance(found, Completion), found
    return found


def failed(answer: Any, **options: Any) -> ModelError:
    with RawServer(answer if callable(answer) else lambda _: answer) as server:
        (found,) = ask(server.base_url, **options)
    assert isinstance(found, ModelError), found
    return found


def failure(answer: Any, **options: Any) -> Failure:
    return failed(answer, **options).failure


def whole(message: Any, finish: str | None = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return json.dumps({"choices": [choice], **more}).encode()


def ended(finish: str, text: str = CODE) -> bytes:
    return head() + said(text) + event({"choices": [{"delta": {}, "finish_reason": finish}]}) + DONE


# How it ended


@pytest.mark.parametrize(
    ("finish", "kind", "passes"),
    [
        ("model_length", "truncated", False),
        ("RECITATION", "truncated", False),
        ("safety", "truncated", False),
        ("insufficient_system_resource", "server_error", True),
        ("abort", "server_error", True),
        ("zap", "truncated", False),
    ],
)
def test_a_reply_that_was_broken_off_is_an_error(finish: str, kind: str, passes: bool) -> None:
    found = failure(ended(finish, HALF))
    assert (found.kind, can_pass(found)) == (kind, passes)
    assert finish in found.message


@pytest.mark.parametrize("finish", ["end_turn", "STOP", "eos_token", "zap"])
def test_a_reply_that_is_whole_is_graded(finish: str) -> None:
    assert answered(ended(finish)).finish_reason == finish


def test_a_reason_given_too_early_and_empty_is_none() -> None:
    body = [{"choices": [{"delta": {"content": c}, "finish_reason": "null"}]} for c in "abc"]
    found = failed([head(), *(event(each) for each in body)]).failure
    assert (found.kind, "without a finish_reason" in found.message) == ("connection", True)


def test_only_template_tokens() -> None:
    found = failure(ended("stop", "<|im_start|>user\n<|im_end|>"))
    assert (found.kind, "<|im_start|>" in found.message) == ("unparsed_format", True)


def test_cut_off_where_the_known_context_is_not_full() -> None:
    usage = {"prompt_tokens": 412, "completion_tokens": 500}
    answer = Reply("x", finish_reason="length", usage=usage)
    with ChatServer(answer) as server:

        async def run() -> None:
            client = OpenAIClient(server.base_url)
            message = Message(role="user", content="hi")
            request = CompletionRequest(model="m", endpoint="here", messages=(message,), epoch=1, context=16_384)
            try:
                await client.complete(request, timeout_s=10)
            finally:
                await client.aclose()

        with pytest.raises(ModelError, match="by a limit of the server: the context of 16384 tokens is not full"):
            asyncio.run(run())


# What arrives


@pytest.mark.parametrize(
    "last",
    [
        {"delta": {}, "message": {"content": CODE}},
        {"delta": None, "message": {"role": "assistant", "content": CODE}},
        {"message": {"content": CODE}},
        {"delta": {"content": ""}, "message": {"content": CODE}},
        {"delta": {"role": "assistant", "content": CODE}},
    ],
)
def test_a_last_chunk_that_repeats_the_message(last: dict[str, Any]) -> None:
    body = [said(CODE[:30]), said(CODE[30:]), event({"choices": [{**last, "finish_reason": "stop"}]}), DONE]
    assert answered([head(), *body]).text == CODE


def test_messages_in_place_of_deltas() -> None:
    parts = [event({"choices": [{"message": {"content": part}}]}) for part in (CODE[:9], CODE[9:])]
    assert answered([head(), *parts, END]).text == CODE
    assert answered([head(), event({"choices": [{"delta": {}, "message": {"content": CODE}}]}), END]).text == CODE


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (2, 0, 1)])
def test_one_choice_of_several(order: tuple[int, ...]) -> None:
    def chunk(index: int, text: str, finish: str | None = None) -> bytes:
        return event({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]})

    stream = [chunk(index, part if index == 0 else "zap") for part in (CODE[:9], CODE[9:]) for index in order]
    stream += [chunk(index, "", "stop" if index == 0 else "length") for index in order]
    assert answered([head(), *stream, DONE]).text == CODE
    choices = [{"index": index, "message": {"content": f"{index}"}, "finish_reason": "stop"} for index in order]
    assert answered(head(**JSON) + json.dumps({"choices": choices}).encode()).text == "0"


@pytest.mark.parametrize(
    "beat",
    [
        *("data:", "data: ", "data: ping", "data: null", "data: []", "data: {}", "data: 0", 'data: ""', ": ping"),
        *("data: [heartbeat]", "event: ping\ndata: {}", 'event: ping\ndata: {"type": "ping"}', "data: : keep-alive"),
        *("retry: 3", 'data: {"choices": []}', "data: 2026-11-29T12:00:00Z"),
    ],
)
def test_heartbeats(beat: str) -> None:
    beats = f"{beat}\n\n".encode()
    assert answered([head(), beats, said(CODE[:9]), beats, said(CODE[9:]), beats, END, beats]).text == CODE


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream", "text/html", "x"])
def test_the_body_decides_and_not_its_type(kind: str) -> None:
    message = {"role": "assistant", "content": CODE}
    for mark in (b"", b"\xef\xbb\xbf", b"\n \n"):
        assert answered(head(kind=kind) + mark + whole(message)).text == CODE
        assert answered(head(kind=kind) + mark + said(CODE[:9]) + said(CODE[9:]) + END).text == CODE


def test_a_line_that_is_no_event_within_a_stream_that_ended_well() -> None:
    found = failure(head() + said(CODE[:9]) + b' data: {"choices": [...]}\n\n' + END)
    assert (found.kind, "a part of the answer may be lost" in found.message) == ("invalid_response", True)
    assert answered(head() + said(CODE) + END + b"proxy error: too late\n").text == CODE


@pytest.mark.parametrize(
    "content",
    [[{"type": "output_text", "text": CODE}], [CODE], [{"text": CODE}], {"type": "text", "text": CODE}],
)
def test_content_in_parts(content: Any) -> None:
    assert answered(head(**JSON) + whole({"content": content})).text == CODE
    assert answered(head() + event({"choices": [{"delta": {"content": content}}]}) + END).text == CODE


def test_content_of_an_unknown_shape_is_not_the_model_s_fault() -> None:
    found = failure(head(**JSON) + whole({"content": [{"type": "blob", "data": "eA=="}]}))
    assert found.kind == "invalid_response"
    assert "content of an unknown shape (a part of type 'blob')" in found.message


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": [{"function": {"name": "write_file", "arguments": "{}"}}]},
        {"content": "", "function_call": {"name": "write_file", "arguments": "{}"}},
        {"content": [{"type": "tool_use", "name": "write_file", "input": {}}]},
    ],
)
def test_a_tool_call_is_named(message: dict[str, Any]) -> None:
    for answer in (
        head(**JSON) + whole(message, "tool_calls"),
        head() + event({"choices": [{"delta": message}]}) + END,
    ):
        found = failure(answer)
        assert found.kind == "empty_content"
        assert "called the tool 'write_file', and no tools were offered" in found.message


def test_a_legacy_completion_is_told() -> None:
    for answer in (
        head(**JSON) + b'{"choices": [{"text": "x = 1", "finish_reason": "stop"}]}',
        head() + event({"choices": [{"text": "x = 1", "finish_reason": "stop"}]}) + DONE,
    ):
        assert "a legacy completion" in failure(answer).message


# Errors


@pytest.mark.parametrize(
    ("answer", "kind", "status", "said_there"),
    [
        (
            head() + said(HALF) + event({"error": {"code": 429, "message": "slow"}, "choices": [{"delta": {}}]}) + DONE,
            *("rate_limited", 429, "slow"),
        ),
        (
            head(**JSON) + b'{"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "busy"}}]}',
            *("server_error", 502, "busy"),
        ),
        (
            head() + said(HALF) + b'event: error\ndata: {"message": "CUDA out of memory"}\n\n',
            *("server_error", 200, "CUDA out of memory"),
        ),
        (head() + said(HALF) + b"event: error\ndata: lost it\n\n", *("server_error", 200, "lost it")),
        (head() + b'{"error": {"message": "bare"}}\n', *("server_error", 200, "bare")),
        (head(**JSON) + b'{"detail": "Model is busy"}', *("server_error", 200, "Model is busy")),
        (head(**JSON) + b'{"message": "odd"}', *("server_error", 200, "odd")),
        (head(**JSON) + b'[{"error": {"code": 429, "message": "slow"}}]', *("rate_limited", 429, "slow")),
        (
            head(**JSON) + b'{"base_resp": {"status_code": 1008, "status_msg": "balance is too low"}, "choices": null}',
            "auth",
            200,
            "balance is too low",
        ),
        (head(**JSON) + b'{"hello": 1}', *("invalid_response", 200, '{"hello": 1}')),
        (head(kind="text/html") + b"<html>Sign in</html>", *("invalid_response", 200, "Sign in")),
    ],
)
def test_what_the_server_says_is_told(answer: bytes, kind: str, status: int, said_there: str) -> None:
    found = failure(answer)
    assert (found.kind, found.http_status) == (kind, status)
    assert said_there in found.message


def test_a_pause_that_the_error_asks_for() -> None:
    body = b'[{"error": {"code": 429, "message": "quota", "details": [{"retryDelay": "2s"}]}}]'
    assert failed(head("429 Slow", **JSON) + body).retry_after_s == 2
    assert failed(head(**JSON) + body).retry_after_s == 2
    assert failed(head("429 Slow", Retry_After="7", **JSON) + body).retry_after_s == 7


@pytest.mark.parametrize("status", [408, 409, 425, 520, 521, 522, 523, 524])
def test_statuses_that_pass(status: int) -> None:
    assert can_pass(failure(head(f"{status} X") + b"<html>later</html>"))


def test_a_redirect_says_where_it_leads() -> None:
    found = failure(head("307 X", Location="/v1/chat/completions/"))
    assert "a redirect to /v1/chat/completions/. Check the base URL" in found.message


# What an endpoint does not take


def refusing(*names: str, status: str, body: Any) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        sent = json.loads(asked.body)
        if any(sent.get(name) for name in names):
            return head(status, **JSON) + json.dumps(body).encode()
        if sent.get("stream"):
            return head() + said(CODE) + END
        return head(**JSON) + whole({"content": CODE})

    return answer


EXTRA = {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}
UNVERIFIED = {"error": {"message": "Your organization must be verified to stream this model.", "param": "stream"}}


@pytest.mark.parametrize(
    ("names", "status", "body"),
    [
        (("stream",), "400 Bad Request", UNVERIFIED),
        (("stream",), "422 X", {"detail": "streaming is not supported"}),
        (("stream",), "200 OK", {"error": {"code": 400, "message": "stream is not supported"}}),
        (("stream_options",), "422 X", {"object": "error", "message": EXTRA}),
        (("stream_options",), "400 X", EXTRA),
        (("stream_options",), "400 X", {"error": {"message": "Unrecognized request argument: stream_options"}}),
        (("stream_options",), "500 X", {"error": "unknown field include_usage"}),
    ],
)
def test_what_is_refused_is_left_out_from_then_on(names: tuple[str, ...], status: str, body: Any) -> None:
    with RawServer(refusing(*names, status=status, body=body)) as server:
        found = ask(server.base_url, "a", "b", "c")
        assert len(server.paths) == 4
    assert [each.text for each in found if isinstance(each, Completion)] == [CODE] * 3


def test_both_are_refused_one_after_the_other() -> None:
    def answer(asked: Asked) -> bytes:
        sent = json.loads(asked.body)
        body = EXTRA if "stream_options" in sent else UNVERIFIED
        return refusing("stream", "stream_options", status="400 X", body=body)(asked)

    with RawServer(answer) as server:
        found = ask(server.base_url, "a", "b")
        assert len(server.paths) == 4
    assert all(isinstance(each, Completion) for each in found)


@pytest.mark.parametrize(
    ("body", "requests"),
    [({"error": "temperature is out of range"}, 1), ({"error": "upstream is gone"}, 1), (UNVERIFIED, 2)],
)
def test_what_is_refused_for_another_reason_is_not_asked_again(body: Any, requests: int) -> None:
    with RawServer(lambda _: head("400 X", **JSON) + json.dumps(body).encode()) as server:
        (found,) = ask(server.base_url)
        assert len(server.paths) == requests
    assert isinstance(found, ModelError)
    assert found.failure.kind == "bad_request"


@pytest.mark.parametrize("finish", [None, ""])
def test_a_stream_that_never_says_why_it_ended_is_asked_for_whole(finish: str | None) -> None:
    def answer(asked: Asked) -> bytes:
        if json.loads(asked.body)["stream"]:
            return head() + event({"choices": [{"delta": {"content": HALF}, "finish_reason": finish}]}) + DONE
        return head(**JSON) + whole({"content": CODE})

    with RawServer(answer) as server:
        first, second = ask(server.base_url, "a", "b")
        assert len(server.paths) == 3
    assert isinstance(first, Completion)
    assert isinstance(second, Completion)
    assert first.text == second.text == CODE


def test_one_that_never_says_it_in_any_way() -> None:
    with RawServer(lambda _: head() + said(CODE) + DONE) as server:
        found = ask(server.base_url, "a", "b")
        assert len(server.paths) == 3
    for error in found:
        assert isinstance(error, ModelError)
        assert error.failure.kind == "invalid_response"
        assert "never says why it ended" in error.failure.message
        assert "base URL" not in error.failure.message


# Clocks


@pytest.mark.parametrize("beat", [b":\n\n", b": ping\n\n", b"data:\n\n", b"event: ping\ndata: {}\n\n", b"\n"])
def test_keep_alives_hold_off_no_clock(beat: bytes) -> None:
    begins = [head(), head() + said("x")]

    def answer(_: Asked) -> Any:
        yield begins.pop(0)
        for _beat in itertools.repeat(None, 200):
            server.pause(0.05)
            yield beat

    with RawServer(answer) as server:
        (late,) = ask(server.base_url, first_byte_s=0.5)
        (silent,) = ask(server.base_url, silence_s=0.5)
    assert isinstance(late, ModelError)
    assert isinstance(silent, ModelError)
    assert "no first byte of its answer within 0.5 s" in late.failure.message
    assert "silent for more than 0.5 s" in silent.failure.message


def test_what_is_asked_for_whole_may_take_its_time() -> None:
    def answer(asked: Asked) -> Any:
        if json.loads(asked.body)["stream"]:
            yield head("400 X", **JSON) + json.dumps(UNVERIFIED).encode()
            return
        server.pause(0.6)
        yield head(**JSON) + whole({"content": CODE})

    with RawServer(answer) as server:
        (found,) = ask(server.base_url, first_byte_s=0.2, silence_s=0.2)
    assert isinstance(found, Completion)
