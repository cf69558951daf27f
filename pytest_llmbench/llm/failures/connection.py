"""Why no whole answer came over a connection, as a ``Failure``."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator

import httpx

from pytest_llmbench.llm.http_environment import proxy_for, tls_advice
from pytest_llmbench.schema.attempt import Failure
from pytest_llmbench.text import excerpt, one_line

_QUOTED_CHARS = 150
START = "Start the server, or correct the base URL."


def transport_failure(
    error: BaseException,
    *,
    endpoint: str,
    partial: str = "",
    reached: bool = True,
    connect_s: float | None = None,
) -> Failure | None:
    """Classify an exception by what lies in its chain; None: nothing there is about a connection.

    ``partial``: the text that had come. ``reached``: whether this endpoint ever took a connection; one that never did
    is taken to be the wrong address. ``connect_s``: the limit for a connection, if it is known.
    """
    chain = list(_chain(error))
    if _first(chain, httpx.ConnectTimeout):
        return connect_failure(endpoint, connect_s, stops_model=not reached)
    if refused := _first(chain, httpx.ConnectError, httpx.ProxyError):
        return _connect_failure(chain, refused, endpoint)
    if unreadable := _first(chain, httpx.DecodingError, json.JSONDecodeError):
        return invalid_failure(endpoint, f"sent bytes that cannot be read ({_text(unreadable)})", partial)
    if dropped := _first(chain, httpx.TransportError):
        return dropped_failure(endpoint, f"dropped the connection ({_text(dropped)})", partial)
    return None


def dropped_failure(endpoint: str, what: str, partial: str) -> Failure:
    """The answer broke off; the same request may well pass."""
    return Failure(
        kind="connection",
        message=f"{endpoint} {what} {_received(partial)}. Look into the server's log whether the model's process died.",
        body=excerpt(partial),
        cause=f"connection {endpoint} dropped",
    )


def invalid_failure(
    endpoint: str, what: str, body: str, http_status: int | None = None, *, quoted: bool = False, advice: str = ""
) -> Failure:
    """The answer is none in the chat completions format; ``quoted``: its beginning is part of the message."""
    said = f": {one_line(body, _QUOTED_CHARS)!r}" if quoted and body.strip() else ""
    advice = advice or "Check that the base URL is that of an OpenAI-compatible API."
    return Failure(
        kind="invalid_response",
        message=f"{endpoint} {what}{said}. {advice}",
        http_status=http_status,
        body=excerpt(body),
        cause=f"invalid_response {endpoint} {what}",
    )


def timeout_failure(endpoint: str, *, limit_s: float, waited_s: float, partial: str = "") -> Failure:
    """No whole answer within the time for one completion."""
    return Failure(
        kind="timeout",
        message=(
            f"{endpoint} sent no whole answer within {limit_s:g} s: gave up after {waited_s:.1f} s "
            f"{_received(partial)}. Raise --llm-timeout, or limit the model's output."
        ),
        body=excerpt(partial),
        cause=f"timeout {endpoint} {limit_s:g} s",
    )


def late_failure(endpoint: str, *, limit_s: float, waited_s: float) -> Failure:
    """The answer did not begin in time."""
    return Failure(
        kind="timeout",
        message=(
            f"{endpoint} sent no first byte of its answer within {limit_s:g} s: gave up after {waited_s:.1f} s. "
            "Raise --llm-first-byte-timeout: reading a long prompt or loading a model takes its time."
        ),
        cause=f"timeout {endpoint} first byte {limit_s:g} s",
    )


def silent_failure(endpoint: str, *, limit_s: float, waited_s: float, partial: str) -> Failure:
    """The answer began and then paused for too long."""
    return Failure(
        kind="timeout",
        message=(
            f"{endpoint} was silent for more than {limit_s:g} s in the middle of its answer: gave up after "
            f"{waited_s:.1f} s of silence, {_received(partial)}. Raise --llm-silence-timeout, or look into the "
            "server's log."
        ),
        body=excerpt(partial),
        cause=f"timeout {endpoint} silence {limit_s:g} s",
    )


def connect_failure(endpoint: str, limit_s: float | None, *, stops_model: bool) -> Failure:
    """Nobody took the connection in time: a firewall, a wrong address, or a server with too much to do."""
    if proxy := proxy_for(endpoint):
        return _unreachable(endpoint, f"cannot be reached {proxy.way} (no answer)", "proxy", proxy.advice)
    within = "in time" if limit_s is None else f"within {limit_s:g} s (--llm-connect-timeout)"
    return _unreachable(endpoint, f"did not take a connection {within}", "no answer", stops_model=stops_model)


def _connect_failure(chain: list[BaseException], error: BaseException, endpoint: str) -> Failure:
    """Why there was no connection at all."""
    if insecure := _first(chain, ssl.SSLError):
        what = f"gave no secure connection ({_text(insecure)})"
        return _unreachable(endpoint, what, "tls", tls_advice(str(insecure)))
    if proxy := proxy_for(endpoint):
        return _unreachable(endpoint, f"cannot be reached {proxy.way} ({_text(error)})", "proxy", proxy.advice)
    if _first(chain, ConnectionRefusedError):
        return _unreachable(endpoint, "refused the connection", "refused")
    if _first(chain, socket.gaierror):
        return _unreachable(endpoint, "has a host name that cannot be looked up", "name")
    return _unreachable(endpoint, f"cannot be reached ({_text(error)})", "unreachable")


def _unreachable(endpoint: str, what: str, cause: str, advice: str = START, *, stops_model: bool = True) -> Failure:
    return Failure(
        kind="connection",
        message=f"{endpoint} {what}. {advice}",
        cause=f"connection {endpoint} {cause}",
        stops_model=stops_model,
    )


def _received(partial: str) -> str:
    return f"after {len(partial)} characters of the answer" if partial else "before any of the answer came"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and everything that led to it, groups included."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
            if isinstance(each, BaseExceptionGroup):
                waiting += each.exceptions


def _first(chain: list[BaseException], *kinds: type[BaseException]) -> BaseException | None:
    return next((each for each in chain if isinstance(each, kinds)), None)


def _text(error: BaseException) -> str:
    return one_line(str(error), 150) or type(error).__name__
