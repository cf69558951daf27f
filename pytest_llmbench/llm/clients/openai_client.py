"""OpenAI-compatible endpoints, read directly over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from pytest_llmbench import clock
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.base_url import http_parts, is_near, not_http
from pytest_llmbench.llm.clients.exchange import Exchange
from pytest_llmbench.llm.clients.meter import HEAD_BYTES, Meter
from pytest_llmbench.llm.clients.stream_shape import SHAPES, Shape
from pytest_llmbench.llm.clients.timeouts import CONNECT_S, Clocks, Watch
from pytest_llmbench.llm.credentials.header import check_key
from pytest_llmbench.llm.credentials.secret_forms import written_forms
from pytest_llmbench.llm.discovery.model_list import read_list
from pytest_llmbench.llm.discovery.model_names import fold
from pytest_llmbench.llm.failures.connection import dropped_failure, transport_failure
from pytest_llmbench.llm.guarded_get import MAX_BYTES, look_through
from pytest_llmbench.llm.http_environment import check_environment, tls_context
from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.schema.numbers import count

MAX_REPLY_BYTES = 20_000_000
_LIST_S = 2.0


class OpenAIClient:
    """Asks one endpoint for chat completions.

    By stream, for closing it is the only way to free a llama-server's slot. An endpoint that refuses that, or the
    option that asks for usage, or whose streams never say why they ended, is asked once more with less, and from then
    on always so. A server that answers in another shape than it was asked for is understood.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        connect_s: float = CONNECT_S,
        first_byte_s: float | None = None,
        silence_s: float | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        """Take a base URL with or without ``/v1``, and the key if the endpoint needs one; asks nothing.

        ``connect_s``, ``first_byte_s``, ``silence_s``: as in ``Clocks``. ``max_reply_bytes``: a longer answer is an
        error. Raises ``OptionError`` for a URL, a key or an environment variable that cannot be used.
        """
        url = _parsed(base_url)
        self._secrets = written_forms(secret for secret in (api_key, url.password) if secret)
        self._headers = httpx.Headers({"Accept-Encoding": "identity", "User-Agent": "pytest-llmbench"})
        if api_key:
            check_key(api_key, "the API key")
            self._headers["Authorization"] = f"Bearer {api_key}"
        check_environment(str(url))
        self._url = url.copy_with(path=_chat_path(url.path))
        self._endpoint = str(url.copy_with(username=None, password=None, query=None, fragment=None)).rstrip("/")
        self._clocks = Clocks(connect_s, first_byte_s, silence_s)
        self._max_reply_bytes = max_reply_bytes
        # A proxy from the environment is no way to a server on this machine or in this network.
        self._trust_env = not is_near(self._endpoint)
        self._tls = tls_context() if url.scheme == "https" else False
        self._idle: list[tuple[httpx.AsyncClient, Meter]] = []
        self._reached = False
        self._tells_context: bool | None = None
        self._shape: Shape = SHAPES[0]

    def __repr__(self) -> str:
        return f"OpenAIClient({self._endpoint!r})"

    async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Completion:
        """Send the request and read the whole answer; raises ``ModelError``. Never retries what failed."""
        shape = self._shape
        while True:
            exchange = Exchange(self._endpoint, request, self._secrets, self._max_reply_bytes, shape)
            try:
                return await self._send(exchange, timeout_s)
            except ModelError:
                if exchange.lesser is None:
                    raise
                shape = exchange.lesser
            finally:
                if exchange.taken:
                    self._shape = max(self._shape, exchange.shape, key=SHAPES.index)

    async def _send(self, exchange: Exchange, timeout_s: float) -> Completion:
        """One sending."""
        # What comes whole comes late: only the limit of the whole can hold for it.
        clocks = Clocks(self._clocks.connect_s) if exchange.shape == "whole" else self._clocks
        watch, started = Watch(clocks, timeout_s), clock.now().isoformat(timespec="milliseconds")
        try:
            async with watch.limit, self._connection() as (connection, meter):
                await exchange.run(connection, meter, self._url, watch)
        except TimeoutError as error:
            if not exchange.whole:
                raise ModelError(watch.failure(self._endpoint, exchange.partial)) from error
        except httpx.HTTPError as error:
            if not exchange.whole:
                reached = self._reached or exchange.sent is not None
                raise ModelError(
                    transport_failure(
                        error,
                        endpoint=self._endpoint,
                        partial=exchange.partial,
                        reached=reached,
                        connect_s=self._clocks.connect_s,
                    )
                    or dropped_failure(self._endpoint, f"broke off ({type(error).__name__})", exchange.partial)
                ) from error
        finally:
            self._reached = self._reached or exchange.sent is not None
        return await asyncio.to_thread(exchange.completion, started)  # reading a long answer holds up no other

    async def is_loaded(self, model: str) -> bool | None:
        """Whether a llama-server with several models holds this one; None: not told."""
        base_url = self._endpoint.removesuffix("/chat/completions")
        async with self._connection() as (connection, meter):
            meter.allow(HEAD_BYTES + MAX_BYTES, lambda: httpx.ReadError("more than is read of a list"))
            look = await look_through(connection, f"{base_url}/models", limit_s=_LIST_S)
        served = read_list(look.value, base_url)
        state = next((each.state for each in served.models if model in each.names), "") if served else ""
        return state == "loaded" if state else None

    async def context_of(self, model: str) -> int | None:
        """The context with which an Ollama has loaded this model; None: not told, as by every other server."""
        if self._tells_context is False or not is_near(self._endpoint):
            return None
        root = self._endpoint.removesuffix("/chat/completions").removesuffix("/v1")
        async with self._connection() as (connection, meter):
            meter.allow(HEAD_BYTES + MAX_BYTES, lambda: httpx.ReadError("more than is read of a list"))
            look = await look_through(connection, f"{root}/api/ps", limit_s=_LIST_S)
        running = look.value.get("models") if isinstance(look.value, Mapping) else None
        self._tells_context = isinstance(running, list)
        for each in running if isinstance(running, list) else ():
            if isinstance(each, Mapping) and {fold(model)} & {
                fold(name) for key in ("name", "model") if isinstance(name := each.get(key), str)
            }:
                return count(each.get("context_length"))
        return None

    async def aclose(self) -> None:
        """Close every connection that is not in use; the others close with their request."""
        while self._idle:
            await self._idle.pop()[0].aclose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[httpx.AsyncClient, Meter]]:
        """A client with one connection, used by nobody else, and what counts its bytes.

        One shared by all would look through all its connections at every event: with 64 in flight that was 17 ms of
        CPU a request.
        """
        line = self._idle.pop() if self._idle else (self._new(), Meter())
        try:
            yield line
        except BaseException:
            await line[0].aclose()  # what was going on in it is unknown; the server sees that nobody waits any more
            raise
        self._idle.append(line)

    def _new(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=self._clocks.connect_s),
            limits=httpx.Limits(max_connections=1),
            verify=self._tls,
            trust_env=self._trust_env,
        )


def _parsed(base_url: str) -> httpx.URL:
    http_parts(base_url)
    try:
        return httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        raise not_http(base_url) from None


def _chat_path(path: str) -> str:
    """Where chat requests go: below the path given, and below ``/v1`` where none is."""
    below = path.rstrip("/").removesuffix("/chat/completions")
    return f"{below or '/v1'}/chat/completions"
