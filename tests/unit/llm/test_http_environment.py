"""Proxies and certificates of the environment: those that break a client are named, and so is a proxy that is dead."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from support.server import ChatServer, Reply

from pytest_llmbench.errors import ModelError, OptionError
from pytest_llmbench.llm.clients.openai_client import OpenAIClient
from pytest_llmbench.llm.discovery.listing import sources
from pytest_llmbench.llm.discovery.resolve import resolve
from pytest_llmbench.llm.http_environment import check_environment, proxy_for
from pytest_llmbench.schema.attempt import CompletionRequest, Message
from pytest_llmbench.schema.settings import LLMSettings, ModelSpec

FAR = "http://llm.example.invalid/v1"
NEAR = "http://127.0.0.1:9/v1"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
BROKEN = [
    ("ALL_PROXY", "socks://127.0.0.1:1"),
    ("all_proxy", "socks4://127.0.0.1:1"),
    ("HTTP_PROXY", "ftp://127.0.0.1:1"),
    ("https_proxy", "http://127.0.0.1:port"),
    ("NO_PROXY", "localhost,[::1]"),
    ("no_proxy", "fd00::/8"),
    ("SSL_CERT_FILE", "/nowhere/cert.pem"),
    ("SSL_CERT_FILE", "/dev/null"),
    ("SSL_CERT_DIR", "/nowhere"),
]
REQUEST = CompletionRequest(model="m", endpoint="x", messages=(Message(role="user", content="hi"),), epoch=1)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *map(str.lower, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def look_up(name: str, base_url: str | None = None, models_file: Path | None = None) -> str:
    settings = LLMSettings(base_url=base_url, models_file=models_file)
    (target,) = resolve([ModelSpec("a", name)], settings, Path("/"), {"LLMBENCH_PROBE_PORTS": ""})
    return target.problem


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_a_variable_that_breaks_every_client_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    (tmp_path / "llmbench.toml").write_text(f'[models.filed]\nbase_url = "{FAR}"\n')
    for ask in (
        lambda: check_environment(FAR),
        lambda: look_up("m", FAR),
        lambda: look_up("filed", models_file=tmp_path / "llmbench.toml"),
        lambda: OpenAIClient(FAR),
    ):
        with pytest.raises(OptionError) as caught:
            ask()
        assert f"the environment variable {name}={value} cannot be used" in str(caught.value)
        assert "\n" not in str(caught.value)
    check_environment(NEAR)


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_what_can_be_listed_is_listed_all_the_same(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with ChatServer(models=["near-one"]) as server:
        env = {"LLMBENCH_PROBE_PORTS": str(server.port), "OLLAMA_HOST": "http://ollama.example.invalid"}
        found = list(sources(LLMSettings(base_url=FAR), env, {}))
    assert [each.state for each in found] == ["none", "failed", "none", "ok", "ok"]
    assert f"{name}={value}" in found[1].lines[0]
    assert f"{name}={value}" in found[2].lines[0]
    assert "  near-one" in found[3].lines


def test_the_password_of_a_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks9://me:s3cret@127.0.0.1:1")
    with pytest.raises(OptionError, match=r"HTTP_PROXY=127\.0\.0\.1:1") as caught:
        check_environment(FAR)
    assert "s3cret" not in str(caught.value)


def test_which_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for(FAR) is None
    monkeypatch.setenv("ALL_PROXY", "http://p:1")
    assert proxy_for(FAR) == ("ALL_PROXY", "http://p:1")
    monkeypatch.setenv("http_proxy", "http://q:1")
    assert proxy_for(FAR) == ("http_proxy", "http://q:1")
    assert proxy_for(FAR.replace("http:", "https:")) == ("ALL_PROXY", "http://p:1")
    assert proxy_for(NEAR) is None
    assert proxy_for("litellm") is None
    monkeypatch.setenv("NO_PROXY", "example.invalid")
    assert proxy_for(FAR) is None


def test_a_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("HTTP_PROXY", proxy)

    async def ask() -> None:
        await OpenAIClient(FAR).complete(REQUEST, timeout_s=10)

    with pytest.raises(ModelError) as caught:
        asyncio.run(ask())
    for told in (caught.value.failure.message, look_up("m", FAR)):
        assert f"through the proxy of HTTP_PROXY={proxy}" in told
        assert "Correct or unset HTTP_PROXY" in told
        assert "Start the server" not in told
    assert caught.value.failure.stops_model


# A server nearby with a certificate of its own


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say({"data": [{"id": "ok"}]})

    def do_POST(self) -> None:
        self._say({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})

    def _say(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    command += f" -addext subjectAltName=IP:127.0.0.1 -keyout {folder}/key.pem -out {folder}/cert.pem"
    subprocess.run(command.split(), check=True, capture_output=True)
    return folder


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_its_own_certificate_is_taken_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, tls_server: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    assert look_up("ok", tls_server) == ""

    async def ask() -> str:
        return (await OpenAIClient(tls_server).complete(REQUEST, timeout_s=10)).text

    assert asyncio.run(ask()) == "hi"


def test_without_it_the_variable_is_named(tls_server: str) -> None:
    async def ask() -> None:
        await OpenAIClient(tls_server).complete(REQUEST, timeout_s=10)

    with pytest.raises(ModelError) as caught:
        asyncio.run(ask())
    for told in (caught.value.failure.message, look_up("ok", tls_server)):
        assert "CERTIFICATE_VERIFY_FAILED" in told
        assert "Set SSL_CERT_FILE to the server's certificate" in told
        assert "Start the server" not in told


# Servers that answer something else than a list


LOADING = Reply.error(503, "Loading model", "unavailable_error")
KEYLESS = Reply.error(401, "Invalid API Key", "authentication_error")


@pytest.mark.parametrize(
    ("answer", "said", "advice"),
    [
        (LOADING, "answered 503: Loading model", "wait until"),
        (KEYLESS, "answered 401: Invalid API Key", "OPENAI_API_KEY"),
    ],
)
def test_a_server_that_is_there_is_not_told_as_silent(answer: Reply, said: str, advice: str) -> None:
    with ChatServer(routes={"/v1/models": answer, "/models": answer}) as server:
        port = {"LLMBENCH_PROBE_PORTS": str(server.port)}
        with pytest.raises(OptionError) as caught:
            resolve([ModelSpec("a", "m")], LLMSettings(), Path("/"), port)
        (_, probed, _) = sources(LLMSettings(), port, {})
        (_, named, _) = sources(LLMSettings(base_url=server.url), {"LLMBENCH_PROBE_PORTS": ""}, {})
        assert look_up("m", server.url) == "", "the name is taken as it is, and the chat waits, or says why not"
    for told in (str(caught.value), probed.lines[0], f"{named.lines[0]} {named.remedy}"):
        assert said in told
        assert advice in told
    assert (probed.state, named.state) == ("none", "failed")


def test_the_key_in_a_refusal_is_hidden() -> None:
    answer = Reply.error(401, "Incorrect API key provided: sk-0123456789abcdef")
    with ChatServer(routes={"/v1/models": answer, "/models": answer}) as server:
        env = {"LLMBENCH_PROBE_PORTS": "", "OPENAI_API_KEY": "sk-0123456789abcdef"}
        (_, named, _) = sources(LLMSettings(base_url=server.url), env, {})
    assert "Incorrect API key provided: ***" in named.lines[0]
