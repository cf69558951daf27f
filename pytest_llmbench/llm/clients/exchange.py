"""One request over HTTP and what came back: seen as it arrives, a broken stream as broken."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx

from pytest_llmbench import clock
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.body import BodyParser
from pytest_llmbench.llm.clients.meter import HEAD_BYTES, Meter
from pytest_llmbench.llm.clients.reading import ERROR_BYTES, Reading
from pytest_llmbench.llm.clients.sse import Event
from pytest_llmbench.llm.clients.stream_shape import Shape, fields_of
from pytest_llmbench.llm.clients.timeouts import Watch
from pytest_llmbench.llm.credentials.secret_forms import hide
from pytest_llmbench.llm.failures.connection import invalid_failure
from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.text import one_line

MAX_PIECES = 300_000
"""Of one answer, as HTTP cuts it: each takes its time, however small it is. A token is one or two."""

_WIRE = 10
"""Bytes on the wire for each byte of a body, at most: a token in a chunk of its own takes one and a half."""


class Exchange:
    """One request and what came back, with its times."""

    def __init__(
        self,
        endpoint: str,
        request: CompletionRequest,
        secrets: Iterable[str],
        max_bytes: int,
        shape: Shape = "usage",
    ) -> None:
        """Prepare to send the request; ``secrets`` are hidden in what errors quote."""
        self.sent: float | None = None
        """When the first byte was sent; ``clock.monotonic()``, as the other times."""
        self.taken = False
        """True once the server took the request in this shape."""
        self.shape = shape
        """What is asked for."""
        self._endpoint = endpoint
        self._request = request
        self._secrets = tuple(secrets)
        self._max_bytes = max_bytes
        self._reading = Reading(endpoint, request.model, self._secrets, shape)
        self._received = 0.0
        self._first_token: float | None = None
        self._size = self._pieces = 0

    @property
    def lesser(self) -> Shape | None:
        """The shape of answer to ask for in place of one that was refused, or that ended without a reason."""
        return self._reading.lesser

    @property
    def whole(self) -> bool:
        """True when nothing of the answer can be missing: ``[DONE]`` alone does not say so."""
        return self._reading.whole

    @property
    def partial(self) -> str:
        """The text that has come, or the reasoning if there is no text yet."""
        return self._reading.partial

    async def run(self, connection: httpx.AsyncClient, meter: Meter, url: httpx.URL, watch: Watch) -> None:
        """Send the request and read to the end of the answer; tells ``watch`` how far it is."""
        self._watch = watch

        async def note(event: str, info: dict[str, Any]) -> None:
            meter.watch(event, info)
            if event.endswith("send_request_headers.started"):
                self.sent = clock.monotonic()
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
            self.taken = True
            await self._follow(response)

    def completion(self, started: str) -> Completion:
        """The completion, if the answer was whole and can be graded; raises ``ModelError``."""
        if (broken := self._reading.broken()) is not None:
            raise ModelError(broken)
        sent = self.sent or self._received
        return self._reading.answer.completion(
            self._request,
            endpoint=self._endpoint,
            wall_s=self._received - sent,
            first_token_s=None if self._first_token is None else self._first_token - sent,
            started=started,
        )

    def _body(self) -> bytes:
        """The request's JSON: no sampling parameter that was not asked for, so that a server's presets hold."""
        asked = self._request.model_dump(mode="json", include={"messages", "params"})
        return json.dumps(
            {
                **asked["params"],
                "model": self._request.model,
                "messages": asked["messages"],
                **fields_of(self.shape),
            }
        ).encode()

    def _refuse_encoded(self, response: httpx.Response) -> None:
        """Nothing is ever decompressed: five kilobytes may hold gigabytes, and we asked for it as it is."""
        encodings = response.headers.get("Content-Encoding", "").replace(",", " ").lower().split()
        if set(encodings) - {"identity"}:
            said = one_line(" ".join(encodings), 50)
            what = f"answered with the Content-Encoding {said!r}, where none was asked for"
            raise ModelError(invalid_failure(self._endpoint, what, "", response.status_code))

    async def _read(self, response: httpx.Response, most: int) -> str:
        """The body as far as ``most`` bytes."""
        chunks = []
        async for chunk in response.aiter_raw():
            self._count(chunk)
            self._watch.received()
            chunks.append(chunk)
            if self._size >= most:
                break
        return b"".join(chunks)[:most].decode(errors="replace")

    def _count(self, chunk: bytes) -> None:
        self._received = clock.monotonic()
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
        body = hide(await self._read(response, ERROR_BYTES), self._secrets)
        location = hide(response.headers.get("Location", ""), self._secrets) if response.is_redirect else ""
        raise self._reading.error(response.status_code, body, response.headers, location)

    async def _follow(self, response: httpx.Response) -> None:
        """Read a body to its end, be it a stream of events or whole."""
        parser = BodyParser()
        async for chunk in response.aiter_raw():
            self._count(chunk)
            if self._take(self._cut(parser, chunk)) or parser.within:
                self._watch.received()
            if self._reading.done:
                self._watch.done()
        self._take(parser.close())

    def _take(self, events: list[Event]) -> bool:
        """Read events; True if a part of an answer was among them, and not keep-alives alone."""
        moved = self._reading.take(events)
        if self._reading.worded and self._first_token is None:
            self._first_token = self._received
        return moved

    def _cut(self, parser: BodyParser, chunk: bytes) -> list[Event]:
        try:
            return parser.feed(chunk)
        except ValueError as error:
            raise self._too_much(str(error).removeprefix("more than ")) from error
