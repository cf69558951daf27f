"""The tests' own server does what its scripts say."""

from __future__ import annotations

import contextlib
import gc
import socket
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import server as server_module
from support.server import ChatServer, Reply


def post(server: ChatServer, model: str = "a", **body: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}/chat/completions", json={"model": model, "messages": [], **body}, timeout=10)


def test_scripts() -> None:
    with ChatServer(["one", "two"]) as server:
        texts = [post(server).json()["choices"][0]["message"]["content"] for _ in range(3)]
        assert texts == ["one", "two", "two"]
    with ChatServer({"a": "from a"}) as server:
        assert post(server, "a").json()["choices"][0]["message"]["content"] == "from a"
        assert post(server, "b").status_code == 400
        assert server.models == ["a"]
    with ChatServer(lambda body: Reply(body["model"] * 2)) as server:
        assert post(server, "xy").json()["choices"][0]["message"]["content"] == "xyxy"


def test_stream_ends_with_usage_on_a_chunk_without_choices() -> None:
    with ChatServer(Reply("hello", timings={"predicted_n": 1})) as server:
        lines = post(server, stream=True, stream_options={"include_usage": True}).text.split("\n\n")
        assert lines[-2:] == ["data: [DONE]", ""]
        assert '"choices": []' in lines[-3]
        assert '"usage"' in lines[-3]
        assert '"timings"' in lines[-3]
        bare = post(server, stream=True).text.split("\n\n")
        assert '"finish_reason": "stop"' in bare[-3]
        assert '"timings"' in bare[-3]
        assert '"usage"' not in "".join(bare)


def test_other_paths() -> None:
    routes = {"/props": {"n_ctx": 8}, "/api/version": Reply.plain(404, "no")}
    with (
        ChatServer(models=["a", "b"], api_key="k", routes=routes) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/v1/models").status_code == 401
        listed = client.get("/v1/models", headers={"Authorization": "Bearer k"}).json()
        assert [entry["id"] for entry in listed["data"]] == ["a", "b"]
        assert client.get("/props?model=a").json() == {"n_ctx": 8}
        assert client.get("/api/version").text == "no"
        assert client.get("/nothing").status_code == 404
        assert server.other_paths[-1] == "/nothing"
        assert post(server).status_code == 401


def test_holding_shows_what_is_in_flight() -> None:
    with ChatServer() as server:
        with server.hold():
            threads = [threading.Thread(target=post, args=(server, model)) for model in "aab"]
            for thread in threads:
                thread.start()
            server.wait_for(lambda s: s.in_flight == 3)
        for thread in threads:
            thread.join()
        assert (server.in_flight, server.max_in_flight, server.chat_count) == (0, 3, 3)
        assert len(server.overlaps_between_models()) == 2
        with pytest.raises(TimeoutError, match="3 requests, 0 in flight"):
            server.wait_for(lambda s: s.in_flight == 1, timeout_s=0.05)


def test_one_by_one_never_overlaps() -> None:
    with ChatServer() as server:
        for model in "abab":
            post(server, model)
        assert server.overlaps_between_models() == []
        assert server.max_in_flight == 1


def test_stop_does_not_wait_for_what_hangs() -> None:
    def ask() -> None:
        with contextlib.suppress(httpx.TransportError):
            post(server)

    server = ChatServer(Reply(ending="hang")).start()
    thread = threading.Thread(target=ask)
    thread.start()
    server.wait_for(lambda s: s.in_flight == 1)
    began = time.monotonic()
    server.stop()
    thread.join()
    assert time.monotonic() - began < 3


def test_own_process() -> None:
    command = [sys.executable, str(Path(server_module.__file__)), "--models", "a,b", "--text", "hi"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            body = {"model": "a", "messages": []}
            answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=10).json()
            assert answer["choices"][0]["message"]["content"] == "hi"
            stats = httpx.get(f"{url}/stats").json()
            assert (stats["chat_count"], stats["max_in_flight"], stats["models"]) == (1, 1, ["a"])
        finally:
            process.terminate()


def test_stopping_while_connections_arrive_leaves_no_socket_open() -> None:
    """What is left open warns much later, in whatever test runs then."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(50):
            server = ChatServer().start()
            with socket.create_connection(("127.0.0.1", server.port)):
                server.stop()
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
