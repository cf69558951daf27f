"""The base URL of an endpoint: checked, written one way, near or far."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from pytest_llmbench.errors import OptionError


def http_parts(url: str) -> SplitResult:
    """The parts of an HTTP URL with a host; raises ``OptionError`` for anything else."""
    parts = split_url(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise not_http(url)
    return parts


def not_http(url: str) -> OptionError:
    """The error of a base URL that cannot be used."""
    return OptionError(f"base URL {without_user(url)!r} is not an HTTP URL. Write it like http://localhost:8080/v1.")


def normalized(url: str) -> str:
    """The URL without a slash at its end; raises ``OptionError`` if it is invalid or contains credentials."""
    parts = http_parts(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise OptionError(
            f"base URL of {parts.hostname!r}: remove user, password, query and fragment; "
            "put the key in the environment variable OPENAI_API_KEY."
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


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL; None for a text that is none."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a port out of range shows here
    except ValueError:
        return None
    return parts


def without_user(url: str) -> str:
    """A URL for a message, without what stands before an ``@``."""
    return url.rpartition("@")[2]
