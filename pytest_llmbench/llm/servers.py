"""Asking OpenAI-compatible servers which models they serve: ``GET`` only, which loads no model anywhere."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.names import ServedModel

if TYPE_CHECKING:
    import httpx

PORTS = (8080, 11434, 1234, 8000)
"""Where llama-server and llama-swap, Ollama, LM Studio and vLLM listen by default."""

PORTS_VARIABLE = "LLMBENCH_PROBE_PORTS"
"""Environment variable with other ports of this machine to look at, separated by commas; empty: none."""

PROBE_CONNECT_S = 0.3
CONNECT_S = 5.0
READ_S = 5.0

_VERSION = re.compile(r"/v\d+\w*$")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server said when asked for its models."""

    base_url: str
    """With the path that chat requests go below, usually ending in ``/v1``."""
    models: tuple[ServedModel, ...] | None = None
    """None: it gave no list."""
    problem: str = ""
    """Set when it did not answer at all."""


def listing(url: str, api_key: str | None = None, *, connect_s: float = CONNECT_S, read_s: float = READ_S) -> Listing:
    """Ask one server, given with or without ``/v1``; never raises for what the server does.

    Raises ``OptionError`` for a URL or key that cannot be used.
    """
    import httpx

    url = normalized(url)
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise OptionError("OPENAI_API_KEY holds characters that no HTTP header may hold: copy the key again.")
    timeout = httpx.Timeout(read_s, connect=connect_s)
    headers = httpx.Headers({"Authorization": f"Bearer {api_key}"} if api_key else {})  # its repr shows no key
    last = ""
    # A proxy from the environment is no way to a server on this machine or in this network.
    with httpx.Client(timeout=timeout, headers=headers, trust_env=not is_near(url)) as client:
        for base_url in _candidates(url):
            try:
                models = read_list(client.get(f"{base_url}/models"), base_url)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                last = f"{base_url} did not answer ({str(error) or type(error).__name__})"
                break
            if models is not None:
                return Listing(base_url, models)
    return Listing(url if urlsplit(url).path else f"{url}/v1", problem=last)


def probe(env: Mapping[str, str]) -> list[Listing]:
    """Ask every usual place for a server on this machine, all at once; only those that listed models.

    ``OLLAMA_HOST`` comes first where it is set. No key is sent to servers that nobody named.
    """
    urls = probed_urls(env)
    if not urls:
        return []
    with ThreadPoolExecutor(max_workers=len(urls)) as pool:
        found = pool.map(lambda url: listing(url, connect_s=PROBE_CONNECT_S, read_s=2.0), urls)
        return [each for each in found if each.models is not None]


def probed_urls(env: Mapping[str, str]) -> list[str]:
    """The places that ``probe`` asks; raises ``OptionError`` for a port that is none."""
    ports: Sequence[int] = PORTS
    if (text := env.get(PORTS_VARIABLE)) is not None:
        try:
            ports = [int(port) for port in text.replace(",", " ").split()]
        except ValueError as error:
            raise OptionError(f"{PORTS_VARIABLE}={text!r}: give port numbers separated by commas.") from error
    urls = [_ollama_url(host)] if (host := env.get("OLLAMA_HOST")) else []
    return list(dict.fromkeys([*urls, *(f"http://127.0.0.1:{port}" for port in ports)]))


def normalized(url: str) -> str:
    """The URL without a slash at its end; raises ``OptionError`` if it is none, or carries credentials."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptionError(f"base URL {_shown(url)!r} is no HTTP URL: write it like http://localhost:8080/v1.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise OptionError(
            f"base URL of {parts.hostname!r}: leave user, password, query and fragment out of it; "
            "a key belongs into the environment variable OPENAI_API_KEY."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def api_root(url: str) -> str:
    """As ``normalized``, and below ``/v1`` where there is no path: one server is one place, however it was written."""
    url = normalized(url)
    return url if urlsplit(url).path else f"{url}/v1"


def is_near(url: str) -> bool:
    """True for a server on this machine or in a private network, by name or address; asks no name server."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".lan", ".internal", ".home.arpa"))


def is_private(url: str) -> bool:
    """As ``is_near``, but the name is also looked up; a name that leads nowhere is not private."""
    if is_near(url):
        return True
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(not ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_global for address in found)


def _candidates(url: str) -> list[str]:
    """Where the API may begin, the likely place first: servers answer below ``/v1``, gateways below any path."""
    return [url] if _VERSION.search(url) else [f"{url}/v1", url]


def read_list(response: httpx.Response, base_url: str) -> tuple[ServedModel, ...] | None:
    """The models of a well-formed list; None for anything else."""
    try:
        entries: Any = response.json()["data"] if response.is_success else None
        if not response.is_success or not isinstance(entries, list | None):
            return None
        return tuple(_served(entry, base_url) for entry in entries or [])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _served(entry: Mapping[str, Any], base_url: str) -> ServedModel:
    name, aliases = entry["id"], entry.get("aliases")
    names = tuple(str(alias) for alias in aliases) if isinstance(aliases, list) else ()
    return ServedModel(str(name), names, base_url, _state(entry.get("status")))


def _state(status: Any) -> str:
    """Of a model in the list of a llama-server that routes: loaded or not; empty: not told."""
    if not isinstance(status, Mapping) or not isinstance(value := status.get("value"), str):
        return ""
    return f"{value}, its last load failed" if status.get("failed") is True else value


def _ollama_url(host: str) -> str:
    """``OLLAMA_HOST`` as a URL: a host, a host with a port, or a URL; ``0.0.0.0`` is where it listens, not lives."""
    parts = _split(host if "://" in host else f"http://{host}")
    if parts is None:
        raise OptionError(f"OLLAMA_HOST={_shown(host)!r} is no host: write it like 127.0.0.1:11434.")
    name = parts.hostname or "127.0.0.1"
    name = "127.0.0.1" if name in ("0.0.0.0", "::", "localhost") else name  # noqa: S104 - compared, not bound
    literal = f"[{name}]" if ":" in name else name
    port = parts.port or {"https": 443}.get(parts.scheme, 11434)
    return f"{parts.scheme}://{literal}:{port}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a port out of range shows here
    except ValueError:
        return None
    return parts


def _shown(url: str) -> str:
    """A URL for a message, without what stands before an ``@``."""
    return url.rpartition("@")[2]
