"""The guarded GET, against a real server that does what no server should."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import time
from typing import Any

import pytest
from support.raw_server import Asked, Bytes, RawServer, head, listed

from pytest_llmbench.llm import guarded_get as look
from pytest_llmbench.llm.discovery.llama_server import MAX_SLOTS, Props, ask_props
from pytest_llmbench.llm.discovery.servers import listing
from pytest_llmbench.llm.guarded_get import Look, look_at

JSON = {"kind": "application/json"}


def looked(answer: Bytes | Any, limit_s: float = 20.0) -> Look:
    with RawServer(answer if callable(answer) else lambda _: answer) as server:
        return look_at(f"{server.base_url}/models", near=True, connect_s=2, limit_s=limit_s)


def test_what_a_server_says() -> None:
    assert looked(listed("a")) == Look({"data": [{"id": "a"}]})
    assert looked(head() + b"<html>") == looked(head()) == Look()
    assert looked(head("503 Loading", **JSON) + b'{"error": {"message": "Loading model"}}') == Look(
        status=503, said="Loading model"
    )


@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: itertools.chain([head(**JSON)], dripped(b" ")),
        lambda asked: itertools.chain([b"HTTP/1.1 200 OK\r\n"], dripped(b"X-A: b\r\n")),
        lambda asked: dripped(b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda asked: dripped(b""),
    ],
    ids=["body", "headers", "continue", "silence"],
)
def test_the_whole_has_a_limit_of_time(answer: Any) -> None:
    began = time.monotonic()
    assert looked(answer, limit_s=0.5) == Look(problem="did not answer within 0.5 s")
    assert time.monotonic() - began < 10


def dripped(piece: bytes) -> Any:
    for _ in range(200):
        time.sleep(0.1)
        yield piece


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda asked: itertools.chain([head(**JSON)], itertools.repeat(b" " * 65536, 500)), "more than 5000000 bytes"),
        (head(**JSON, Content_Encoding="gzip, gzip") + gzip.compress(b"{}", mtime=0), "Content-Encoding 'gzip gzip'"),
        (head(**JSON, Content_Encoding="br") + b"x", "Content-Encoding 'br'"),
        (head("500 No", Content_Encoding="zstd") + b"x", "Content-Encoding 'zstd'"),
        (b"nonsense\x1b[2J\r\n\r\n", "did not answer ("),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000, "did not answer ("),
    ],
)
def test_what_cannot_be_used(answer: Any, said: str) -> None:
    found = looked(answer)
    assert found.value is None
    assert said in found.problem
    assert found.problem.isprintable()
    assert len(found.problem) < 300


def test_no_redirect_is_followed() -> None:
    with RawServer(lambda _: listed("stolen")) as other:
        assert looked(head("302 Found", Location=f"{other.base_url}/models")) == Look(status=302)
    assert other.paths == []


def test_depth_is_bounded() -> None:
    assert looked(head(**JSON) + b"[" * 1_000_000) == Look()
    deep = looked(head(**JSON) + b'{"data": [{"id": "a", "x": ' + b"[" * 9000 + b"]" * 9000 + b"}]}")
    assert deep.value["data"][0]["id"] == "a"


def test_inside_of_a_running_loop() -> None:
    async def inside() -> Look:
        return looked(listed("a"))

    assert asyncio.run(inside()).value is not None


# What is made of it


def test_only_names_that_can_be_typed_are_listed() -> None:
    evil = ["nl\n::error::x", "\x1b[2J", "rtl\u202etxt", "x" * 201, "", 5, None, {"a": 1}]
    with RawServer(lambda _: listed("good", *evil, "naïve-模型 1")) as server:
        found = listing(server.url)
    assert [model.id for model in found.models or ()] == ["good", "naïve-模型 1"]
    assert found.left_out == len(evil)


def test_more_models_than_anybody_serves_are_left_out() -> None:
    with RawServer(lambda _: listed(*map(str, range(6000)))) as server:
        found = listing(server.url)
    assert (len(found.models or ()), found.left_out) == (5000, 1000)


def test_a_list_that_never_ends_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "MAX_BYTES", 100)
    with RawServer(lambda _: head(**JSON) + b" " * 101) as server:
        assert listing(server.url).problem == f"{server.base_url} answered with more than 100 bytes"


@pytest.mark.parametrize(
    ("said", "props"),
    [
        ({"total_slots": 2, "default_generation_settings": {"n_ctx": 512}}, (2, 512)),
        ({"total_slots": MAX_SLOTS + 1}, (None, None)),
        ({"total_slots": 10**400}, (None, None)),
        ({"total_slots": True}, (None, None)),
        ({"total_slots": 2, "default_generation_settings": {"n_ctx": 10**13}}, (2, None)),
        ({"total_slots": 2, "default_generation_settings": [1]}, (2, None)),
        ({"total_slots": 2, "default_generation_settings": {"params": "x"}}, (2, None)),
        ([], (None, None)),
    ],
)
def test_properties_within_bounds(said: Any, props: tuple[int | None, int | None]) -> None:
    with RawServer(lambda _: head(**JSON) + json.dumps(said).encode()) as server:
        found = ask_props(server.base_url)
    assert (found.slots, found.context) == props


def test_settings_that_are_no_numbers_are_left_out() -> None:
    params = '{"temperature": 0.6000000238418579, "top_k": 1e999, "top_p": NaN, "seed": -1, "min_p": "x"}'

    def answer(asked: Asked) -> bytes:
        said = f'{{"total_slots": 1, "build_info": {{}}, "default_generation_settings": {{"params": {params}}}}}'
        return head(**JSON) + said.encode()

    with RawServer(answer) as server:
        found = ask_props(server.base_url)
    assert found == Props(1, metadata={"server": {"slots": 1, "sampling": {"temperature": 0.6, "seed": -1}}})
