"""Whose server it is: a port of this machine belongs to whoever was first."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.discovery import port_owners as owners
from pytest_llmbench.llm.discovery import servers
from pytest_llmbench.llm.discovery.listing import reachable
from pytest_llmbench.llm.discovery.port_owners import is_trusted, listeners
from pytest_llmbench.llm.discovery.resolve import resolve
from pytest_llmbench.llm.discovery.servers import probe
from pytest_llmbench.schema.settings import LLMSettings, ModelSpec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell whose a socket is")
NOBODY = 65533

SERVER = """
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked", flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": [{"id": "bait"}]}).encode())
server = http.server.HTTPServer(("ADDRESS", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0")])
def test_own_sockets(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as own:
        assert listeners(own.getsockname()[1]) == {os.getuid()}
        port = own.getsockname()[1]
    assert listeners(port) == set()


def test_a_socket_of_both_protocols() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as own:
        assert listeners(own.getsockname()[1]) == {os.getuid()}


def test_a_model_servers_own_account_is_trusted_and_no_persons_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {998: "ollama", 999: "daemon", 1001: "ollama"}
    monkeypatch.setattr(owners, "_account", lambda user: names.get(user, ""))
    assert [is_trusted(user) for user in (0, os.getuid(), 998, 999, 1001, NOBODY)] == [True, True, True] + [False] * 3


def line(address: str, port: int, state: str, user: int) -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {user} 0 1 1\n"


@pytest.mark.parametrize(
    ("tcp", "tcp6", "found"),
    [
        (line("0100007F", 80, "0A", 5), "", {5}),
        (line("0100007F", 80, "01", 5), "", set()),
        (line("0100007F", 81, "0A", 5), "", set()),
        (line("0200007F", 80, "0A", 5), "", set()),
        (line("0100007F", 80, "0A", 5) + line("00000000", 80, "0A", 6), line("0" * 32, 80, "0A", 7), {5}),
        (line("00000000", 80, "0A", 6), line("0" * 32, 80, "0A", 7), {6}),
        (line("0100007F", 80, "0A", 5) + line("0100007F", 80, "0A", 6), "", {5, 6}),
        ("", line("0000000000000000FFFF00000100007F", 80, "0A", 7), {7}),
        ("", line("0" * 32, 80, "0A", 7), {7}),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="the tables are written as this machine keeps numbers")
def test_the_socket_that_the_kernel_takes(
    tcp: str, tcp6: str, found: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [tmp_path / "tcp", tmp_path / "tcp6"]
    for table, text in zip(tables, (tcp, tcp6), strict=True):
        table.write_text(f"  sl  local_address\n{text}")
    monkeypatch.setattr(owners, "_TABLES", [*tables, tmp_path / "missing"])
    assert listeners(80) == found


def test_who_is_trusted() -> None:
    assert is_trusted(0)
    assert is_trusted(os.getuid())
    assert not is_trusted(NOBODY)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start another user's server")
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_another_user_s_server_is_neither_asked_nor_used(address: str, tmp_path: Path) -> None:
    command = ["/usr/bin/env", "python3", "-c", SERVER.replace("ADDRESS", address)]
    with subprocess.Popen(command, user=NOBODY, cwd="/", stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            env = {servers.PORTS_VARIABLE: str(port)}
            (found,) = probe(env)
            with pytest.raises(OptionError) as caught:
                resolve([ModelSpec("bait", "bait")], LLMSettings(), tmp_path, env)
            lines = list(reachable(LLMSettings(), env, {}))
            (named,) = resolve(
                [ModelSpec("bait", "bait")], LLMSettings(base_url=f"http://127.0.0.1:{port}"), tmp_path, env
            )
        finally:
            server.kill()
        asked = server.stdout.read()
    why = f"http://127.0.0.1:{port}/v1 belongs to another user of this machine (uid {NOBODY}): not used. If you trust "
    why += f"it, name it with --llm-base-url=http://127.0.0.1:{port}/v1"
    assert (found.models, found.problem) == (None, why)
    assert why in str(caught.value)
    assert any(why in line for line in lines)
    assert named.problem == ""
    assert asked.count("asked") == 2, "its list and its properties, for the one who named it"


def test_a_port_that_is_passed_on_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "listeners", lambda port: set())
    monkeypatch.setattr(servers, "listing", lambda url, **_: servers.Listing(url, ()))
    (found,) = probe({servers.PORTS_VARIABLE: "8080"})
    assert found.models is None
    assert "its owner is unknown" in found.problem


@pytest.mark.parametrize("owners", [None, {0}, {os.getuid()}])
def test_a_server_of_ours_is_used(owners: set[int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "listeners", lambda port: owners)
    monkeypatch.setattr(servers, "listing", lambda url, **_: servers.Listing(url, ()))
    (found,) = probe({servers.PORTS_VARIABLE: "8080"})
    assert (found.models, found.problem) == ((), "")


def test_a_server_that_the_user_named_is_used_whoever_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "listeners", lambda port: {NOBODY})
    monkeypatch.setattr(servers, "listing", lambda url, **_: servers.Listing(url, ()))
    found = probe({servers.PORTS_VARIABLE: "", "OLLAMA_HOST": "127.0.0.1:11434"})
    assert [each.problem for each in found] == [""]
