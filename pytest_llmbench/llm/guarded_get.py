"""One guarded GET, for everything that a server is asked besides chat: its models, its properties.

Bounded as a whole in time, bytes and depth; no redirect is followed, nothing is decompressed, and nothing is raised for
what the server does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import httpx

from pytest_llmbench.llm.credentials.secret_forms import hide, written_forms
from pytest_llmbench.llm.event_loop import new_event_loop
from pytest_llmbench.llm.failures.error_body import read_error
from pytest_llmbench.llm.guarded_json import read_json
from pytest_llmbench.llm.http_environment import check_environment, proxy_for, tls_advice, tls_context
from pytest_llmbench.text import one_line

MAX_BYTES = 5_000_000
"""Of one answer; a list of a thousand models with all that is known of them is a fifth of that."""

_ERROR_BYTES = 20_000
_SAID_CHARS = 150
_T = TypeVar("_T")


class Look(NamedTuple):
    """What came of it."""

    value: Any = None
    """The JSON value of a good answer; None: an error status, or something that is no JSON."""
    problem: str = ""
    """Why there is no answer that could be used at all, to follow the name of the server; empty: it answered."""
    remedy: str = ""
    """What to do about the problem, where more is known than that the server is silent."""
    status: int | None = None
    """Of an answer that is an error."""
    said: str = ""
    """The text of that error, on one line."""


def look_at(url: str, api_key: str | None = None, *, near: bool, connect_s: float, limit_s: float) -> Look:
    """Get a URL once, in at most ``limit_s``; ``near``: past any proxy of the environment.

    Raises ``OptionError`` for a variable of the environment that no client can be made with.
    """
    check_environment(url)
    tls = tls_context() if url.startswith("https:") else False

    async def get() -> Look:
        headers = httpx.Headers({"Authorization": f"Bearer {api_key}"} if api_key else {})  # its repr shows no key
        timeout = httpx.Timeout(limit_s, connect=connect_s)
        async with httpx.AsyncClient(headers=headers, timeout=timeout, trust_env=not near, verify=tls) as client:
            return await look_through(client, url, limit_s=limit_s)

    look = _run(get())
    return look._replace(said=hide(look.said, written_forms([api_key]))) if api_key else look


async def look_through(client: httpx.AsyncClient, url: str, *, limit_s: float) -> Look:
    """As ``look_at``, through a client that is there."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(limit_s),
            client.stream("GET", url, headers=headers, follow_redirects=False) as response,
        ):
            return await _read(response)
    except TimeoutError:
        return _silent(url, f"within {limit_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        said = one_line(str(error), _SAID_CHARS) or type(error).__name__
        return _silent(url, f"({said})", tls_advice(said) if "SSL" in said else "")


def _silent(url: str, how: str, remedy: str = "") -> Look:
    proxy = proxy_for(url)
    if proxy is None or remedy:
        return Look(problem=f"did not answer {how}", remedy=remedy)
    return Look(problem=f"did not answer {proxy.way} {how}", remedy=proxy.advice)


async def _read(response: httpx.Response) -> Look:
    encodings = response.headers.get("Content-Encoding", "").replace(",", " ").lower().split()
    if set(encodings) - {"identity"}:
        said = one_line(" ".join(encodings), _SAID_CHARS)
        return Look(problem=f"answered with the Content-Encoding {said!r}, where none was asked for")
    data = bytearray()
    most = MAX_BYTES if response.is_success else _ERROR_BYTES
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > most:
            break
    if not response.is_success:
        told = read_error(data[:most].decode(errors="replace"))
        return Look(status=response.status_code, said=one_line(told.message, _SAID_CHARS))
    if len(data) > most:
        return Look(problem=f"answered with more than {most} bytes")
    try:
        return Look(read_json(data.decode("utf-8-sig")))
    except ValueError:
        return Look()


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of asynchronous work, also where this thread runs an event loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run_here(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(_run_here, work).result()


def _run_here(work: Coroutine[Any, Any, _T]) -> _T:
    """Unlike ``asyncio.run`` it leaves what others have as this thread's event loop alone."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)
