"""A real OpenAI-compatible HTTP server on loopback whose answers a test scripts.

In a test::

    with ChatServer({"good": "def f(): ...", "broken": Reply.error(500, "boom")}) as server:
        client = OpenAIClient(server.base_url)
        ...
    assert server.chat_count == 1

As its own process, for benchmarks: ``python tests/support/server.py --models a,b --latency 1.0`` prints its port on one
line; ``GET /stats`` tells what it has seen.

Every connection is a task of one event loop on a thread of its own: thousands of waiting requests cost next to nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

_DONE = "[DONE]"
Ending = Literal["whole", "hang", "drop", "cut", "broken", "proxy_error", "stall"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer to a chat request."""

    text: str = "ok"
    reasoning: str = ""
    reasoning_key: str = "reasoning_content"
    """Name of the reasoning field; other servers say ``reasoning`` or ``thinking``."""
    finish_reason: str | None = "stop"
    """None: the field is null throughout, as when a stream breaks."""
    usage: Mapping[str, Any] | Literal["auto"] | None = "auto"
    """``auto``: counted in words; None: left out."""
    timings: Mapping[str, Any] | None = None
    model: str | None = None
    """The model named in the answer; None: the one asked for."""
    status: int = 200
    body: str | None = None
    """Raw body, sent in place of a chat answer, with ``status`` and ``content_type``."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Extra response headers, such as ``Retry-After``."""
    latency_s: float = 0.0
    """Wait before the status line."""
    pieces: int = 3
    """Chunks that the text and the reasoning are each cut into when streamed."""
    chunk_delay_s: float = 0.0
    """Wait before each streamed chunk."""
    ending: Ending = "whole"
    """
    ``hang``: no byte is ever sent. ``drop``: the connection is closed with no byte sent. The others send half of the
    answer first: ``cut``: the connection is dropped inside the body. ``broken``: the body ends cleanly, with no finish
    reason and no ``[DONE]``. ``proxy_error``: the same with a bare ``proxy error:`` line. ``stall``: silence for ever.
    """

    @classmethod
    def error(cls, status: int, message: str, kind: str = "server_error", **extra: Any) -> Reply:
        """An error body as llama-server writes it; ``extra`` are further fields of the error object."""
        body = {"error": {"code": status, "message": message, "type": kind, **extra}}
        return cls(status=status, body=json.dumps(body))

    @classmethod
    def plain(cls, status: int, text: str, **headers: str) -> Reply:
        """A body that is not JSON; header names are written with underscores: ``Retry_After="1"``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status=status, body=text, content_type="text/plain", headers=named)


CONTEXT_OVERFLOW = Reply.error(
    400,
    "request (404 tokens) exceeds the available context size (256 tokens), try increasing it",
    "exceed_context_size_error",
    n_prompt_tokens=404,
    n_ctx=256,
)
LOADING = Reply.error(503, "Loading model", "unavailable_error")
BAD_KEY = Reply.error(401, "Invalid API Key", "authentication_error")

Answer = Reply | str
Script = Answer | Sequence[Answer] | Mapping[str, Answer] | Callable[[dict[str, Any]], Answer]
"""
One answer for all; answers in order, the last one repeated; an answer per model, any other model being unknown; or a
function of the request's JSON, called on the server's thread, which must not block.
"""


@dataclass(slots=True, eq=False)
class SeenRequest:
    """One chat request that arrived. Times are ``time.monotonic()``."""

    model: str
    body: dict[str, Any]
    headers: dict[str, str]
    """Names in lower case."""
    received: float
    ended: float | None = None
    """When the answer was written whole, dropped, or the client went; None: still in flight."""
    client_closed: bool = False
    """True when the client closed the connection before the answer's end."""

    def overlaps(self, other: SeenRequest) -> bool:
        """True when both were in flight at one moment."""
        end, other_end = self.ended or float("inf"), other.ended or float("inf")
        return self.received < other_end and other.received < end


@dataclass(frozen=True, slots=True)
class _HTTPRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


class ChatServer:
    """The server; a context manager. Every public method may be called from any thread."""

    def __init__(
        self,
        script: Script = "ok",
        *,
        models: Sequence[str] | None = None,
        latency_s: float = 0.0,
        api_key: str | None = None,
        routes: Mapping[str, Any] | None = None,
        port: int = 0,
    ) -> None:
        """Take the script; ``start`` or ``with`` opens the port.

        ``models`` are listed at ``/v1/models`` (default: the script's keys, else ``test-model``); ``latency_s`` comes
        on top of each reply's own; ``api_key``: chat and ``/v1/models`` need it; ``routes``: JSON values or ``Reply``
        by exact path for any other ``GET``, such as ``/props``.
        """
        self.script = script
        self.models = list(models if models is not None else script if isinstance(script, Mapping) else ["test-model"])
        self.latency_s = latency_s
        self.api_key = api_key
        self.routes = dict(routes or {})
        self.other_paths: list[str] = []
        """Paths of all requests that were no chat, in order."""
        self.max_in_flight = 0
        self._in_flight = 0
        self._port = port
        self._seen: list[SeenRequest] = []
        self._changed = threading.Condition()
        self._held = False
        self._thread: threading.Thread | None = None
        self._started = threading.Event()

    # Life

    def start(self) -> Self:
        """Open the port; returns when connections are accepted."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="chat-server", daemon=True)
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the chat server did not start within 10 s")
        return self

    def stop(self) -> None:
        """Drop every connection, hanging ones too, and end the thread."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._go = asyncio.Event()
        if not self._held:
            self._go.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[Any]] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self._port, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        # A connection accepted just now takes some rounds of the loop to become a task of ours; asyncio leaves it open
        # when the server closes before that. So: accept no more, let those arrive, then close.
        for listening in server.sockets:
            self._loop.remove_reader(listening.fileno())
        for _ in range(10):
            await asyncio.sleep(0)
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections)
        await asyncio.sleep(0)

    # What a test asks

    @property
    def port(self) -> int:
        """The port; meaningful once started."""
        return self._port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """The URL with ``/v1``."""
        return f"{self.url}/v1"

    @property
    def requests(self) -> list[SeenRequest]:
        """Chat requests in the order of their arrival."""
        with self._changed:
            return list(self._seen)

    @property
    def chat_count(self) -> int:
        """Number of chat requests that arrived."""
        return len(self._seen)

    @property
    def in_flight(self) -> int:
        """Number of chat requests being answered now."""
        return self._in_flight

    def overlaps_between_models(self) -> list[tuple[SeenRequest, SeenRequest]]:
        """Pairs of requests for different models that were in flight at one moment."""
        seen = self.requests
        return [
            (one, other)
            for index, one in enumerate(seen)
            for other in seen[index + 1 :]
            if one.model != other.model and one.overlaps(other)
        ]

    def wait_for(self, condition: Callable[[ChatServer], bool], timeout_s: float = 10.0) -> None:
        """Wait until the condition holds; looked at after each arrival and end. Raises ``TimeoutError``."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout_s):
                raise TimeoutError(
                    f"not so within {timeout_s} s: {self.chat_count} requests, {self.in_flight} in flight"
                )

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Leave chat requests unanswered inside the block: they arrive, are counted, and wait."""
        self.hold_back()
        try:
            yield
        finally:
            self.release()

    def hold_back(self) -> None:
        """Leave chat requests unanswered from now on; also before ``start``."""
        self._held = True
        if self._thread is not None:
            self._on_loop(self._go.clear)

    def release(self) -> None:
        """Answer what was held back."""
        self._held = False
        if self._thread is not None:
            self._on_loop(self._go.set)

    def _on_loop(self, action: Callable[[], Any]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (action(), done.set()))
        done.wait(10)

    # One connection

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if task := asyncio.current_task():
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while (request := await _read_request(reader)) is not None:
                if not await self._answer(request, reader, writer) or not request.keep_alive:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went, or the server stops: nothing is left to do
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, request: _HTTPRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False: the connection is of no more use."""
        path = request.path.partition("?")[0]
        if request.method == "POST" and path.endswith("/chat/completions"):
            return await self._answer_chat(request, reader, writer)
        self.other_paths.append(request.path)
        _write_plain(writer, self._other(request, path))
        await writer.drain()
        return True

    def _other(self, request: _HTTPRequest, path: str) -> Reply:
        if path in ("/health", "/v1/health"):
            return _json_reply({"status": "ok"})
        if path == "/stats":
            return _json_reply(self._stats())
        if path in self.routes:
            value = self.routes[path]
            return value if isinstance(value, Reply) else _json_reply(value)
        if path in ("/v1/models", "/models"):
            if not self._authorized(request):
                return BAD_KEY
            entries = [{"id": name, "object": "model", "owned_by": "tests"} for name in self.models]
            return _json_reply({"object": "list", "data": entries})
        return Reply.error(404, "File Not Found", "not_found_error")

    def _stats(self) -> dict[str, Any]:
        return {
            "chat_count": self.chat_count,
            "max_in_flight": self.max_in_flight,
            "overlaps_between_models": len(self.overlaps_between_models()),
            "models": [seen.model for seen in self._seen],
            "busy_s": max((seen.ended or 0.0 for seen in self._seen), default=0.0)
            - min((seen.received for seen in self._seen), default=0.0),
            "client_closed": sum(seen.client_closed for seen in self._seen),
        }

    def _authorized(self, request: _HTTPRequest) -> bool:
        return self.api_key is None or request.headers.get("authorization") == f"Bearer {self.api_key}"

    # One chat request

    async def _answer_chat(
        self, request: _HTTPRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        body = json.loads(request.body)
        seen = SeenRequest(str(body.get("model")), body, request.headers, time.monotonic())
        self._note_arrival(seen)
        reply = self._choose(body, len(self._seen) - 1) if self._authorized(request) else BAD_KEY
        work = asyncio.ensure_future(self._send(reply, body, seen, writer))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            lost = isinstance(work.exception(), ConnectionError) if work.done() else True
            seen.client_closed = lost
            return not lost and work.result()
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
            self._note_end(seen)

    def _choose(self, body: dict[str, Any], index: int) -> Reply:
        script = self.script
        if callable(script):
            answer = script(body)
        elif isinstance(script, Mapping):
            name = str(body.get("model"))
            unknown = Reply.error(400, f"model '{name}' not found", "invalid_request_error")
            answer = script.get(name, unknown)
        elif isinstance(script, str | Reply):
            answer = script
        else:
            answer = script[min(index, len(script) - 1)]
        return Reply(answer) if isinstance(answer, str) else answer

    async def _send(self, reply: Reply, body: dict[str, Any], seen: SeenRequest, writer: asyncio.StreamWriter) -> bool:
        await self._go.wait()
        if wait := self.latency_s + reply.latency_s:
            await asyncio.sleep(wait)
        if reply.ending == "hang":
            await asyncio.Event().wait()
        if reply.ending == "drop":
            return False
        # The end is noted before the last bytes go out, so that asking one by one never looks like an overlap.
        if reply.body is not None:
            self._note_end(seen)
            whole = _write_plain(writer, reply)
        elif body.get("stream"):
            whole = await self._stream(reply, body, seen, writer)
        else:
            if reply.ending == "whole":
                self._note_end(seen)
            whole = await _write_answer(reply, body, writer)
        await writer.drain()
        return whole

    async def _stream(
        self, reply: Reply, body: dict[str, Any], seen: SeenRequest, writer: asyncio.StreamWriter
    ) -> bool:
        head = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **reply.headers}
        writer.write(_head(200, head))
        events = list(_events(reply, body))
        if reply.ending != "whole":
            events = events[: max(1, len(events) // 2)]
        for event in events:
            if reply.chunk_delay_s:
                await asyncio.sleep(reply.chunk_delay_s)
            if event == _DONE:
                self._note_end(seen)
            _write_chunk(writer, f"data: {event}\n\n")
            await writer.drain()
        if reply.ending == "stall":
            await asyncio.Event().wait()
        if reply.ending == "cut":
            return False
        if reply.ending == "proxy_error":
            _write_chunk(writer, "proxy error: Failed to read connection\n")
        self._note_end(seen)
        writer.write(b"0\r\n\r\n")
        return True

    def _note_arrival(self, seen: SeenRequest) -> None:
        with self._changed:
            self._seen.append(seen)
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            self._changed.notify_all()

    def _note_end(self, seen: SeenRequest) -> None:
        with self._changed:
            if seen.ended is None:
                seen.ended = time.monotonic()
                self._in_flight -= 1
            self._changed.notify_all()


# The wire


async def _read_request(reader: asyncio.StreamReader) -> _HTTPRequest | None:
    """The next request of a connection; None when the client closed it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return _HTTPRequest(method, path, headers, body)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Scripted",
        "Server: llama.cpp",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _write_plain(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    data = (reply.body or "").encode()
    head = {"Content-Type": reply.content_type, "Content-Length": str(len(data)), **reply.headers}
    writer.write(_head(reply.status, head) + data)
    return True


def _write_chunk(writer: asyncio.StreamWriter, text: str) -> None:
    data = text.encode()
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


async def _write_answer(reply: Reply, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
    """The answer to a request without ``stream``; a half of it where the reply says so."""
    message = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message[reply.reasoning_key] = reply.reasoning
    choice = {"index": 0, "finish_reason": reply.finish_reason, "message": message}
    answer = {**_frame(reply, body, "chat.completion"), "choices": [choice], **_figures(reply, body)}
    data = json.dumps(answer).encode()
    head = _head(200, {"Content-Type": "application/json", "Content-Length": str(len(data)), **reply.headers})
    if reply.ending == "proxy_error":
        return _write_plain(writer, Reply.plain(500, "proxy error: Failed to read connection"))
    if reply.ending == "whole":
        writer.write(head + data)
        return True
    writer.write(head + data[: len(data) // 2])
    await writer.drain()
    if reply.ending == "stall":
        await asyncio.Event().wait()
    return False


def _events(reply: Reply, body: dict[str, Any]) -> Iterator[str]:
    """The ``data:`` values of a whole stream, in llama-server's order."""
    frame = _frame(reply, body, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None, **extra: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return json.dumps({**frame, "choices": [choice], **extra})

    yield chunk({"role": "assistant", "content": None})
    for piece in _cut(reply.reasoning, reply.pieces):
        yield chunk({reply.reasoning_key: piece})
    for piece in _cut(reply.text, reply.pieces):
        yield chunk({"content": piece})
    figures = _figures(reply, body)
    options = body.get("stream_options") or {}
    if options.get("include_usage"):
        yield chunk({}, reply.finish_reason)
        yield json.dumps({**frame, "choices": [], **figures})
    else:
        figures.pop("usage", None)
        yield chunk({}, reply.finish_reason, **figures)
    yield _DONE


def _frame(reply: Reply, body: dict[str, Any], kind: str) -> dict[str, Any]:
    model = reply.model or body.get("model")
    return {"id": "chatcmpl-test", "object": kind, "created": 1, "model": model, "system_fingerprint": "b1-test"}


def _figures(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if reply.usage == "auto":
        prompt = sum(len(str(message.get("content")).split()) for message in body.get("messages", []))
        written = len(reply.text.split()) + len(reply.reasoning.split())
        figures["usage"] = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    elif reply.usage is not None:
        figures["usage"] = dict(reply.usage)
    if reply.timings is not None:
        figures["timings"] = dict(reply.timings)
    return figures


def _cut(text: str, pieces: int) -> Iterator[str]:
    size = max(1, -(-len(text) // pieces))
    return (text[start : start + size] for start in range(0, len(text), size))


def _json_reply(value: Any) -> Reply:
    return Reply(body=json.dumps(value))


def main() -> None:
    """Serve until the standard input closes or the process is ended."""
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible server on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--models", default="test-model", help="comma separated")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--text", default="ok", help="the answer of every model")
    parser.add_argument("--replies", help="JSON file of answers by model; replaces --text and --models")
    parser.add_argument("--pieces", type=int, default=3, help="chunks of a streamed answer")
    parser.add_argument("--chunk-delay", type=float, default=0.0, help="seconds before each streamed chunk")
    options = parser.parse_args()
    shape = Reply(pieces=options.pieces, chunk_delay_s=options.chunk_delay)
    if options.replies:
        with open(options.replies, encoding="utf-8") as file:  # noqa: PTH123 - no Path needed for one read
            script: Script = {name: replace(shape, text=text) for name, text in json.load(file).items()}
        models = None
    else:
        script, models = replace(shape, text=options.text), options.models.split(",")
    with ChatServer(script, models=models, latency_s=options.latency, port=options.port) as server:
        print(server.port, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
