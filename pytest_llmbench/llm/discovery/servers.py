"""Asking OpenAI-compatible servers which models they serve: ``GET`` only, which loads no model anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import api_root, is_near, normalized, split_url, without_user
from pytest_llmbench.llm.credentials.header import check_key
from pytest_llmbench.llm.discovery.model_list import read_list
from pytest_llmbench.llm.discovery.model_names import ServedModel
from pytest_llmbench.llm.discovery.port_owners import is_trusted, listeners

PORTS = (8080, 9931, 11434, 1234, 8000)
"""Where llama-server and llama-swap, newer llama-servers, Ollama, LM Studio and vLLM listen by default."""

PORTS_VARIABLE = "LLMBENCH_PROBE_PORTS"
"""Environment variable with other ports of this machine to look at, separated by commas; empty: none."""

PROBE_CONNECT_S = 0.3
PROBE_READ_S = 2.0
CONNECT_S = 5.0
READ_S = 5.0

_KEY_NEEDED = "If it needs a key, set OPENAI_API_KEY to one that it takes."
_REFUSALS = {
    401: _KEY_NEEDED,
    403: _KEY_NEEDED,
    407: "Set user and password in the variable that names the proxy.",
    429: "Try again later.",
    500: "Look into the server's log.",
    502: "Look into the log of the proxy before it.",
    503: "If it is loading a model, wait until it has.",
    504: "Look into the log of the proxy before it.",
}
"""What to do about an error in place of a list, by status; any other means that there is no list there."""

_VERSION = re.compile(r"/v\d+\w*$")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server said when asked for its models."""

    base_url: str
    """With the path that chat requests go below, usually ending in ``/v1``."""
    models: tuple[ServedModel, ...] | None = None
    """None: it gave no list."""
    problem: str = ""
    """Set when it gave no answer that can be used, or is not to be asked; begins with its URL."""
    remedy: str = ""
    """What to do about the problem or the refusal; empty: nothing more than usual is known."""
    refusal: str = ""
    """What it answered in place of a list, where that is not only that it has none; begins with its URL."""
    left_out: int = 0
    """Entries of its list without a usable name."""


def listing(url: str, api_key: str | None = None, *, connect_s: float = CONNECT_S, read_s: float = READ_S) -> Listing:
    """Ask one server, given with or without ``/v1``; never raises for what the server does.

    Both times together are the limit of each request. Raises ``OptionError`` for a URL, a key or an environment
    variable that cannot be used.
    """
    from pytest_llmbench.llm.guarded_get import look_at

    url = normalized(url)
    if api_key:
        check_key(api_key, "OPENAI_API_KEY")
    problem = remedy = refusal = ""
    for base_url in _candidates(url):
        look = look_at(
            f"{base_url}/models", api_key, near=is_near(url), connect_s=connect_s, limit_s=connect_s + read_s
        )
        if look.problem:
            problem, remedy = f"{base_url} {look.problem}", look.remedy
            break
        found = read_list(look.value, base_url)
        if found is not None:
            return Listing(base_url, found.models, left_out=found.left_out)
        if not refusal and look.status in _REFUSALS:
            refusal = f"{base_url} answered {look.status}: {look.said or 'an empty body'}"
            remedy = _REFUSALS[look.status]
    base_url = url if urlsplit(url).path else f"{url}/v1"
    return Listing(base_url, problem=problem, remedy=remedy, refusal="" if problem else refusal)


def probe(env: Mapping[str, str]) -> list[Listing]:
    """Ask every usual place for a server on this machine, all at once; only those that listed models.

    ``OLLAMA_HOST`` comes first where it is set. No key is sent to servers that nobody named, and one that is another
    user's is not asked at all: in its place there is a listing with a ``problem`` that says so, as there is for one
    that is loading or needs a key.
    """
    urls = probed_urls(env)
    if not urls:
        return []
    named = {_ollama_url(host)} if (host := env.get("OLLAMA_HOST")) else set()
    with ThreadPoolExecutor(max_workers=len(urls)) as pool:
        return [each for each in pool.map(lambda url: _probed(url, named=url in named), urls) if each is not None]


def _probed(url: str, *, named: bool) -> Listing | None:
    owners = None if named else listeners(urlsplit(url).port or 80)
    strangers = sorted(user for user in owners or () if not is_trusted(user))
    if strangers:
        return _not_ours(url, f"belongs to another user of this machine (uid {strangers[0]})")
    try:
        found = listing(url, connect_s=PROBE_CONNECT_S, read_s=PROBE_READ_S)
    except OptionError as error:  # of OLLAMA_HOST alone: no variable concerns this machine
        return Listing(api_root(url), problem=f"{api_root(url)} cannot be asked: {str(error).rstrip('.')}")
    if found.refusal:
        name_it = f" Name it with --llm-base-url={api_root(url)}." if found.remedy == _KEY_NEEDED else ""
        return Listing(api_root(url), problem=f"{found.refusal}. {found.remedy}{name_it}".rstrip("."))
    if found.models is not None and owners is not None and not owners:
        return _not_ours(url, "answers, but its owner is unknown")
    return found if found.models is not None else None


def _not_ours(url: str, why: str) -> Listing:
    base_url = api_root(url)
    return Listing(
        base_url, problem=f"{base_url} {why}: not used. If you trust it, name it with --llm-base-url={base_url}"
    )


def probed_urls(env: Mapping[str, str]) -> list[str]:
    """The places that ``probe`` asks; raises ``OptionError`` for an invalid port."""
    ports: Sequence[int] = PORTS
    if (text := env.get(PORTS_VARIABLE)) is not None:
        try:
            ports = [int(port) for port in text.replace(",", " ").split()]
        except ValueError as error:
            raise OptionError(
                f"{PORTS_VARIABLE}={text!r}: not a list of ports. Give port numbers separated by commas."
            ) from error
    urls = [_ollama_url(host)] if (host := env.get("OLLAMA_HOST")) else []
    return list(dict.fromkeys([*urls, *(f"http://127.0.0.1:{port}" for port in ports)]))


def _candidates(url: str) -> list[str]:
    """Where the API may begin, the likely place first: servers answer below ``/v1``, gateways below any path."""
    return [url] if _VERSION.search(url) else [f"{url}/v1", url]


def _ollama_url(host: str) -> str:
    """``OLLAMA_HOST`` as a URL: a host, a host with a port, or a URL; ``0.0.0.0`` is where it listens, not lives."""
    parts = split_url(host if "://" in host else f"http://{host}")
    if parts is None:
        raise OptionError(f"OLLAMA_HOST={without_user(host)!r} is not a host. Write it like 127.0.0.1:11434.")
    name = parts.hostname or "127.0.0.1"
    name = "127.0.0.1" if name in ("0.0.0.0", "::", "localhost") else name  # noqa: S104 - compared, not bound
    literal = f"[{name}]" if ":" in name else name
    port = parts.port or {"https": 443}.get(parts.scheme, 11434)
    return f"{parts.scheme}://{literal}:{port}"
