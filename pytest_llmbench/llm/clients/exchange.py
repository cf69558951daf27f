"""One request over HTTP and what came back: seen as it arrives, a broken stream as broken."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import httpx

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.chat_response import Answer
from pytest_llmbench.llm.clients.meter import HEAD_BYTES, Meter
from pytest_llmbench.llm.clients.sse import Event, EventParser
from pytest_llmbench.llm.clients.timeouts import Watch
from pytest_llmbench.llm.credentials.secret_forms import hide
from pytest_llmbench.llm.failures.classify import http_failure, retry_after_s
from pytest_llmbench.llm.failures.connection import dropped_failure, invalid_failure
from pytest_llmbench.llm.guarded_json import read_json
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure
from pytest_llmbench.text import one_line

MAX_PIECES = 300_000
"""Of one answer, as HTTP cuts it: each takes its time, however small it is. A token is one or two."""

_WIRE = 10
"""Bytes on the wire for each byte of a body, at most: a token in a chunk of its own takes one and a half."""

_ERROR_BYTES = 100_000
"""Of an error's body: more is not read, for nobody looks at it."""
_STRAY_CHARS = 1000


class Exchange:
    """One request and what came back, with its times."""

    def __init__(self, endpoint: str, request: CompletionRequest, secrets: Iterable[str], max_bytes: int) -> None:
        """Prepare to send the request; ``secrets`` are hidden in what errors quote."""
        self.sent: float | None = None
        """When the first byte was sent; ``time.monotonic()``, as the other times."""
        self._answer = Answer()
        self._endpoint = endpoint
        self._request = request
        self._secrets = tuple(secrets)
        self._max_bytes = max_bytes
        self._received = 0.0
        self._first_token: float | None = None
        self._size = self._pieces = 0
        self._plain = False
        self._done = False
        self._stray = ""

    @property
    def whole(self) -> bool:
        """True when nothing of the answer can be missing: ``[DONE]`` alone does not say so."""
        return self._plain or self._answer.finish_reason is not None

    @property
    def partial(self) -> str:
        """The text that has come, or the reasoning if there is no text yet."""
        return self._answer.text or self._answer.reasoning

    async def run(self, connection: httpx.AsyncClient, meter: Meter, url: httpx.URL, watch: Watch) -> None:
        """Send the request and read to the end of the answer; tells ``watch`` how far it is."""
        self._watch = watch

        async def note(event: str, info: dict[str, Any]) -> None:
            meter.watch(event, info)
            if event.endswith("send_request_headers.started"):
                self.sent = time.monotonic()
                watch.sent()
                meter.allow(HEAD_BYTES, lambda: self._too_much(f"{HEAD_BYTES} bytes of headers"))
            elif event.endswith("receive_response_headers.complete"):
                most = _WIRE * self._max_bytes
                meter.allow(most, lambda: self._too_much(f"{most} bytes on the wire"))

        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        asked = connection.stream("POST", url, content=self._body(), headers=headers, extensions={"trace": note})
        async with asked as response:
            self._refuse_encoded(response)
            if not response.is_success:
                await self._refuse(response)
            elif "json" in response.headers.get("Content-Type", ""):
                self._take_whole(await self._read(response))
            else:
                await self._follow(response)

    def completion(self, started: str) -> Completion:
        """The completion, if the answer was whole and can be graded; raises ``ModelError``."""
        if not self.whole:
            raise ModelError(self._broken())
        sent = self.sent or self._received
        return self._answer.completion(
            self._request,
            endpoint=self._endpoint,
            wall_s=self._received - sent,
            first_token_s=None if self._first_token is None else self._first_token - sent,
            started=started,
        )

    def _body(self) -> bytes:
        """The request's JSON: no sampling parameter that was not asked for, so that a server's presets hold."""
        asked = self._request.model_dump(mode="json", include={"messages", "params"})
        stream = {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(
            {**asked["params"], "model": self._request.model, "messages": asked["messages"], **stream}
        ).encode()

    def _refuse_encoded(self, response: httpx.Response) -> None:
        """Nothing is ever decompressed: five kilobytes may hold gigabytes, and we asked for it as it is."""
        encodings = response.headers.get("Content-Encoding", "").replace(",", " ").lower().split()
        if set(encodings) - {"identity"}:
            said = one_line(" ".join(encodings), 50)
            what = f"answered with the Content-Encoding {said!r}, where none was asked for"
            raise ModelError(invalid_failure(self._endpoint, what, "", response.status_code))

    async def _read(self, response: httpx.Response, most: int | None = None) -> str:
        """The body, whole or as far as ``most`` bytes."""
        chunks = []
        async for chunk in response.aiter_raw():
            self._count(chunk)
            chunks.append(chunk)
            if most is not None and self._size >= most:
                break
        return b"".join(chunks)[:most].decode(errors="replace")

    def _count(self, chunk: bytes) -> None:
        self._received = time.monotonic()
        self._watch.received()
        self._size += len(chunk)
        self._pieces += 1
        if self._size > self._max_bytes:
            raise self._too_much(f"{self._max_bytes} bytes")
        if self._pieces > MAX_PIECES:
            raise self._too_much(f"{MAX_PIECES} pieces")

    def _too_much(self, what: str) -> ModelError:
        said = f"sent more than {what} for one answer"
        return ModelError(invalid_failure(self._endpoint, said, hide(self.partial, self._secrets), 200))

    async def _refuse(self, response: httpx.Response) -> None:
        body = hide(await self._read(response, _ERROR_BYTES), self._secrets)
        failure = http_failure(response.status_code, body, endpoint=self._endpoint, model=self._request.model)
        raise ModelError(failure, retry_after_s=retry_after_s(response.headers))

    def _take_whole(self, body: str) -> None:
        self._take_json(body)
        if not self._answer.choices:
            raise self._unreadable("answered with JSON that holds no choice", body)
        self._plain = True

    async def _follow(self, response: httpx.Response) -> None:
        """Read a stream of events to its end."""
        parser = EventParser()
        async for chunk in response.aiter_raw():
            self._count(chunk)
            self._take(self._cut(parser, chunk))
            if self._done:
                self._watch.done()
        self._take(parser.close())

    def _cut(self, parser: EventParser, chunk: bytes) -> list[Event]:
        try:
            return parser.feed(chunk)
        except ValueError as error:
            raise self._too_much(str(error).removeprefix("more than ")) from error

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if event.kind == "stray":
                self._stray = f"{self._stray}{event.text}\n"[:_STRAY_CHARS]
            elif event.text.strip() == "[DONE]":
                self._done = True
            elif self._take_json(event.text) and self._first_token is None:
                self._first_token = self._received

    def _take_json(self, text: str) -> bool:
        """Feed one JSON object to the answer; True when it brought text or reasoning."""
        try:
            value = read_json(text)
        except ValueError as error:
            raise self._unreadable("answered with something that is not JSON", text) from error
        if not isinstance(value, dict):
            raise self._unreadable("answered with JSON that is no object", text)
        if (told := value.get("error")) and not value.get("choices"):
            code = told.get("code") if isinstance(told, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 200  # noqa: PLR2004 - HTTP's errors
            body = hide(json.dumps(value, ensure_ascii=False)[:_ERROR_BYTES], self._secrets)
            raise ModelError(http_failure(status, body, endpoint=self._endpoint, model=self._request.model))
        return self._answer.feed(value)

    def _unreadable(self, what: str, body: str) -> ModelError:
        return ModelError(invalid_failure(self._endpoint, what, hide(body, self._secrets), 200))

    def _broken(self) -> Failure:
        """Why a stream that ended is not whole."""
        stray = hide(self._stray, self._secrets)
        if stray.startswith("proxy error") or (stray and self._answer.choices):
            return dropped_failure(
                self._endpoint, f"broke off its stream with the line {one_line(stray)!r}", self.partial
            )
        if not self._answer.choices:
            return invalid_failure(self._endpoint, "answered without any part of a completion", stray, 200)
        what = "ended its stream without a finish_reason"
        if self._done:
            return invalid_failure(self._endpoint, what, self.partial, 200)
        return dropped_failure(self._endpoint, what, self.partial)
