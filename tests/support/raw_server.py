"""A server on loopback that sends bytes as a test writes them, whether they are HTTP or not.

In a test::

    with RawServer(lambda asked: head() + events({"choices": [...]})) as server:
        OpenAIClient(server.base_url)
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived."""

    method: str
    path: str
    head: str
    body: bytes

    @property
    def model(self) -> str:
        """The model that a chat request names; empty for any other request."""
        return str(json.loads(self.body)["model"]) if self.body else ""


Bytes = bytes | Iterable[bytes]
"""Sent whole, or piece by piece; the connection is closed after it."""


class RawServer:
    """The server; a context manager. One connection is one request, each on a thread of its own."""

    def __init__(self, answer: Callable[[Asked], Bytes]) -> None:
        """``answer`` is called on the connection's thread, and its pieces are made there."""
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        self.paths: list[str] = []
        """Of all requests, in the order of their arrival."""
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="raw-server", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def pause(self, seconds: float) -> None:
        """Wait inside of an answer; raises ``ConnectionError`` once the server stops."""
        if self._stopped.wait(seconds):
            raise ConnectionError

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            asked = _received(connection)
            if asked is None:
                return
            self.paths.append(asked.path)
            answer = self._answer(asked)
            for piece in [answer] if isinstance(answer, bytes) else answer:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            connection.recv(1)  # what was sent is not lost to a reset


def _received(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    top, _, body = data.partition(b"\r\n\r\n")
    head = top.decode("latin-1")
    length = next(
        (int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    method, path, _ = head.split(" ", 2)
    return Asked(method, path, head, body)


def head(status: str = "200 OK", kind: str = "text/event-stream", **more: object) -> bytes:
    """A status line and headers, names with underscores; the body ends with the connection if they say nothing else."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def event(value: Any) -> bytes:
    """One event of a stream; a text is sent as it is."""
    return f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()


def said(text: str, **more: Any) -> bytes:
    """The event that brings a part of the reply."""
    return event({"choices": [{"delta": {"content": text}}], **more})


END = event({"choices": [{"delta": {}, "finish_reason": "stop"}]}) + event("[DONE]")


def listed(*models: object) -> bytes:
    """The answer to ``GET /v1/models``."""
    return head(kind="application/json") + json.dumps({"data": [{"id": model} for model in models]}).encode()
