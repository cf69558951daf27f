"""What the environment tells HTTP clients: proxies and certificates. A variable that cannot be used is named.

A server on this machine or in a private network is asked past every proxy; certificates hold for all.
"""

from __future__ import annotations

import os
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import is_near, without_user
from pytest_llmbench.text import one_line

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_VALUE_CHARS = 150


class Proxy(NamedTuple):
    """A proxy that the environment names."""

    variable: str
    value: str

    @property
    def way(self) -> str:
        """How a server is reached by it."""
        return f"through the proxy of {self.variable}={self.value}"

    @property
    def advice(self) -> str:
        """What to do when it does not work."""
        return f"Correct or unset {self.variable}, or add the server's host to NO_PROXY."


def proxy_for(url: str) -> Proxy | None:
    """The proxy that a URL is asked through; None: there is none."""
    parts = urlsplit(url) if "://" in url else None
    if parts is None or not parts.hostname or is_near(url):
        return None
    named = getproxies()
    if proxy_bypass(parts.hostname):
        return None
    scheme = next((scheme for scheme in (parts.scheme, "all") if named.get(scheme)), None)
    if scheme is None:
        return None
    variable = next((name for name in _spellings(scheme) if os.environ.get(name)), f"{scheme}_proxy")
    return Proxy(variable, _shown(named[scheme]))


def tls_context() -> ssl.SSLContext:
    """What certificates are checked against: ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, else those that httpx comes with.

    Raises ``OptionError`` for a variable that names none.
    """
    import httpx

    file, folder = (os.environ.get(name) for name in _CERTIFICATES)
    if not file and not folder:
        return httpx.create_ssl_context(trust_env=False)
    name = _CERTIFICATES[0] if file else _CERTIFICATES[1]
    try:
        if not file:
            os.scandir(folder).close()  # ssl takes any name for one of a folder
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    except (OSError, ValueError) as error:
        raise _unusable(name, error) from error


def check_environment(url: str) -> None:
    """Raise ``OptionError`` for a variable with which no client of this URL can be made, by its name and value."""
    if url.startswith("https:") or not is_near(url):
        tls_context()
    if not is_near(url):
        _check_proxies()


def tls_advice(said: str) -> str:
    """What to do about a secure connection that failed, by the error's text."""
    if "CERTIFICATE_VERIFY_FAILED" not in said:
        return "Check whether the base URL begins with http:// or https:// as the server does."
    name = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
    used = f"{name}={_shown(os.environ[name])} does not hold it; set it" if name else "Set SSL_CERT_FILE"
    return f"{used} to the server's certificate or to that of its authority, and use a host name that it is made for."


def _check_proxies() -> None:
    import httpx

    try:
        httpx.AsyncClient(verify=False)  # noqa: S501 - asks nothing
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise _guilty(error) from error


def _guilty(error: Exception) -> OptionError:
    """The error of the variable that httpx cannot take: each is tried alone."""
    import httpx

    for name in (name for scheme in ("http", "https", "all") for name in _spellings(scheme) if os.environ.get(name)):
        value = os.environ[name]
        try:
            proxy = httpx.Proxy(value if "://" in value else f"http://{value}")
            httpx.AsyncHTTPTransport(verify=False, proxy=proxy)
        except ImportError as reason:
            return _unusable(name, reason, "Run pip install 'httpx[socks]', or correct or unset it.")
        except (ValueError, httpx.InvalidURL) as reason:
            return _unusable(name, reason)
    return _unusable(next((name for name in _spellings("no") if os.environ.get(name)), "NO_PROXY"), error)


def _spellings(scheme: str) -> tuple[str, str]:
    """Names of a variable, in the order in which they count."""
    return f"{scheme}_proxy", f"{scheme}_proxy".upper()


def _unusable(name: str, error: Exception, advice: str = "Correct or unset it.") -> OptionError:
    said = one_line(str(error), _VALUE_CHARS).rstrip(".")
    return OptionError(
        f"the environment variable {name}={_shown(os.environ.get(name, ''))} cannot be used for HTTP: {said}. {advice}"
    )


def _shown(value: str) -> str:
    return one_line(without_user(value), _VALUE_CHARS)
