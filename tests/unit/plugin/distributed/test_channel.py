"""The channel between real processes: answers, errors, strangers, and either side being killed."""

import contextlib
import json
import multiprocessing.connection
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.solving import FeedbackJob, SourceClosedError
from pytest_llmbench.plugin.distributed import channel
from pytest_llmbench.plugin.distributed.channel import ChannelClient, ChannelServer, source_handlers
from pytest_llmbench.schema.attempt import Completion, Failure
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import Ended, Failed, HandedInFiles, Replied
from pytest_llmbench.schema.tree import Tree, TreeFile

WAIT_S = 20.0

KEY = AttemptKey("fizz", "modèl", 2)

SERVER_PROCESS = """
import sys, threading
from pytest_llmbench.plugin.distributed.channel import ChannelServer
server = ChannelServer({"echo": lambda value: value, "wait": lambda value: threading.Event().wait()})
print(server.address.encode().hex(), server.key.hex(), flush=True)
sys.stdin.read()
"""

CLIENT_PROCESS = """
import os, sys
from pytest_llmbench.plugin.distributed.channel import ChannelClient
from pytest_llmbench.llm.solving import SourceClosedError
client = ChannelClient(bytes.fromhex(sys.argv[1]).decode(), bytes.fromhex(sys.argv[2]))
if "lifeline" in sys.argv:
    client.on_closed(lambda: os._exit(7))
print(client.call("echo", "hello"), flush=True)
try:
    client.call("wait")
except SourceClosedError:
    print("closed", flush=True)
"""


class Source:
    """A source with one outcome."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.asked = []

    def fetch(self, key):
        self.asked.append(key)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def tell(self, key, told, problem=""):
        self.asked.append((key, told, problem))


@pytest.fixture
def serve():
    """Makes servers and clients and closes them."""
    with contextlib.ExitStack() as stack:

        def make(handlers):
            server = ChannelServer({"echo": lambda value: value, **handlers})
            stack.callback(server.close)

            def connect():
                client = ChannelClient(server.address, server.key)
                stack.callback(client.close)
                return client

            return server, connect

        yield make


def wait_until(condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.005)


def channel_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith(("llmbench-channel", "llmbench-life"))]


@pytest.mark.parametrize(
    "outcome",
    [
        Ended(outcome=Replied(completion=Completion(text="naïve ✓\r\n", timings={"ms": 1.5}), cached=True), turns=2),
        Ended(outcome=Failed(failure=Failure(kind="auth", message="no", cause="c", stops_model=True))),
        Ended(outcome=HandedInFiles(tree=Tree(files=(TreeFile(name="a.py", sha256="0" * 64, size=1),)), solver="dir")),
        FeedbackJob(KEY.turn(2), Replied(completion=Completion(text="look"))),
    ],
)
def test_outcome_crosses_whole(serve, outcome):
    source = Source(outcome)
    _, connect = serve(source_handlers(source))
    assert connect().fetch(KEY) == outcome
    assert source.asked == [KEY]
    assert isinstance(source.asked[0], AttemptKey)


def test_what_a_job_gave_crosses_too(serve):
    source = Source(None)
    _, connect = serve(source_handlers(source))
    client = connect()
    client.tell(KEY.turn(2), "it does not compile")
    client.tell(KEY.turn(3), None, "feedback= raised")
    assert source.asked == [(KEY.turn(2), "it does not compile", ""), (KEY.turn(3), None, "feedback= raised")]


def test_any_op_with_any_json(serve):
    _, connect = serve({})
    client = connect()
    for value in (None, 0, "text", [1, [2]], {"a": {"b": None}}, "x" * 3_000_000):
        assert client.call("echo", value) == value


def test_closed_source_is_closed_at_the_other_end(serve):
    _, connect = serve(source_handlers(Source(SourceClosedError())))
    with pytest.raises(SourceClosedError):
        connect().fetch(KEY)


def test_error_in_a_handler_is_told_and_the_next_call_works(serve):
    def broken(value):
        raise LookupError(f"no {value}")

    _, connect = serve({"broken": broken})
    client = connect()
    with pytest.raises(HarnessError, match="could not broken: LookupError: no such"):
        client.call("broken", "such")
    assert client.call("echo", 1) == 1


def test_unknown_op_is_told(serve):
    _, connect = serve({})
    with pytest.raises(HarnessError, match="could not sing"):
        connect().call("sing")


def test_answer_that_is_no_json_is_told(serve):
    _, connect = serve({"odd": lambda value: object()})
    with pytest.raises(HarnessError, match="could not odd: TypeError"):
        connect().call("odd")


def test_waiting_client_holds_up_no_other(serve):
    free = threading.Event()
    _, connect = serve({"wait": lambda value: free.wait(WAIT_S)})
    waiting, other, answers = connect(), connect(), []
    thread = threading.Thread(target=lambda: answers.append(waiting.call("wait")))
    thread.start()
    assert other.call("echo", 1) == 1
    assert answers == []
    free.set()
    thread.join(WAIT_S)
    assert answers == [True]


def test_threads_of_one_client_take_turns(serve):
    _, connect = serve({})
    client, wrong = connect(), []

    def work(number):
        wrong.extend(value for value in range(number, number + 100) if client.call("echo", value) != value)

    threads = [threading.Thread(target=work, args=(1000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert wrong == []


def test_interrupted_call_does_not_leave_its_answer_to_the_next(serve, monkeypatch):
    _, connect = serve({})
    client = connect()
    client.call("echo", "warm")
    line = client._lines["calls"]

    class Interrupted:
        def send_bytes(self, message):
            line.send_bytes(message)

        def recv_bytes(self):
            raise KeyboardInterrupt

        def close(self):
            line.close()

    client._lines["calls"] = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        client.call("echo", "first")
    assert client.call("echo", "second") == "second"


def test_wrong_key_is_refused_and_disturbs_nobody(serve):
    server, connect = serve({})
    client = connect()
    assert client.call("echo", 1) == 1
    with pytest.raises(HarnessError, match="the channel keys differ"):
        ChannelClient(server.address, b"guess").call("echo")
    assert client.call("echo", 2) == 2
    assert connect().call("echo", 3) == 3


def test_silent_strangers_block_nobody(serve):
    server, connect = serve({})
    strangers = [multiprocessing.connection.Client(server.address, "AF_UNIX") for _ in range(20)]
    assert connect().call("echo", 1) == 1
    for stranger in strangers:
        stranger.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the socket's folder keeps other users out")
def test_another_user_is_turned_away_before_anything_is_made(serve, monkeypatch):
    server, connect = serve({"echo": lambda value: value})
    worker = connect()
    assert worker.call("echo", 1) == 1
    before = threading.active_count()
    monkeypatch.setattr(channel.os, "geteuid", lambda: 4321)
    for _ in range(50):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(server.address)
            stranger.settimeout(WAIT_S)
            assert stranger.recv(1) == b"", "not even a challenge"
        assert threading.active_count() <= before
    assert worker.call("echo", 2) == 2


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can be two users")
def test_a_real_other_user(serve):
    server, connect = serve({"echo": lambda value: value})
    script = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(bytes.fromhex(sys.argv[1])); "
    script += "print(s.recv(1))"
    command = ["/usr/bin/env", "python3", "-c", script, server.address.encode().hex()]
    done = subprocess.run(command, user=65533, cwd="/", capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "b''\n"
    assert connect().call("echo", 2) == 2


def test_connections_have_a_limit(serve, monkeypatch):
    server, connect = serve({"echo": lambda value: value})
    worker = connect()
    assert worker.call("echo", 1) == 1
    monkeypatch.setattr(channel, "MAX_PEERS", 5)
    with contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(20)]
        for stranger in strangers:
            stranger.connect(server.address)
        strangers[-1].settimeout(WAIT_S)
        assert strangers[-1].recv(1) == b""
        assert worker.call("echo", 2) == 2


def test_stranger_who_does_not_prove_the_key_is_hung_up_on(serve, monkeypatch):
    monkeypatch.setattr(channel, "HANDSHAKE_S", 0.05)
    server, _ = serve({})
    with multiprocessing.connection.Client(server.address, "AF_UNIX") as stranger:
        stranger.recv_bytes()  # the challenge, left without an answer
        assert stranger.poll(WAIT_S)
        with pytest.raises((EOFError, OSError)):
            stranger.recv_bytes()


@settings(max_examples=30, deadline=None)
@given(garbage=st.binary(min_size=1, max_size=300))
def test_garbage_from_a_stranger_disturbs_nobody(garbage):
    server = ChannelServer({"echo": lambda value: value})
    try:
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(server.address)
            stranger.sendall(garbage)
        client = ChannelClient(server.address, server.key)
        assert client.call("echo", 1) == 1
        client.close()
    finally:
        server.close()


@pytest.mark.parametrize("message", [b"", b"not json", b"[]", b"{}", b'{"op": 1}', b'{"op": ["x"]}', b"\xff"])
def test_malformed_message_with_the_right_key_gets_an_error(serve, message):
    server, _ = serve({})
    with multiprocessing.connection.Client(server.address, "AF_UNIX", authkey=server.key) as line:
        line.send_bytes(message)
        assert "error" in json.loads(line.recv_bytes())
        line.send_bytes(b'{"op": "echo", "payload": 5}')
        assert json.loads(line.recv_bytes()) == {"value": 5}


def test_close_wakes_waiting_clients_and_ends_their_lifelines(serve):
    free, ended, raised = threading.Event(), threading.Event(), []
    server, connect = serve({"wait": lambda value: free.wait(WAIT_S)})
    client = connect()
    client.on_closed(ended.set)

    def work():
        try:
            client.call("wait")
        except SourceClosedError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: len(server._peers) == 2)
    began = time.monotonic()
    server.close()
    server.close()
    assert time.monotonic() - began < 1.5
    thread.join(WAIT_S)
    assert len(raised) == 1
    assert ended.wait(WAIT_S)
    with pytest.raises(SourceClosedError):
        client.call("echo")
    free.set()
    wait_until(lambda: not channel_threads())


def test_lifeline_to_a_server_that_is_already_gone(serve):
    server, connect = serve({})
    server.close()
    ended = threading.Event()
    connect().on_closed(ended.set)
    assert ended.wait(WAIT_S)


def test_own_close_does_not_call_back(serve):
    server, connect = serve({})
    client, ended = connect(), threading.Event()
    client.on_closed(ended.set)
    wait_until(lambda: server._peers)
    client.close()
    wait_until(lambda: not server._peers)
    assert not ended.wait(0.1)
    with pytest.raises(SourceClosedError):
        client.call("echo")


@pytest.mark.skipif(sys.platform != "linux", reason="abstract socket names are Linux's")
def test_address_leaves_nothing_on_the_disk(serve):
    server, _ = serve({})
    assert server.address.startswith("\0llmbench-")


def test_elsewhere_the_socket_lies_in_a_private_folder_that_goes(monkeypatch, serve):
    monkeypatch.setattr(sys, "platform", "darwin")
    server, connect = serve({})
    monkeypatch.undo()
    assert connect().call("echo", 1) == 1
    folder = server._folder
    assert len(server.address) < 100
    server.close()
    server._thread.join(WAIT_S)
    assert not Path(folder).exists()


def test_lifeline_still_dialling_when_the_client_closes(serve, monkeypatch):
    server, connect = serve({})
    client, ended, dialled, go = connect(), threading.Event(), threading.Event(), threading.Event()

    def slow_dial(*arguments, **options):
        line = multiprocessing.connection.Client(*arguments, **options)
        dialled.set()
        go.wait(WAIT_S)
        return line

    monkeypatch.setattr(channel, "Client", slow_dial)
    client.on_closed(ended.set)
    assert dialled.wait(WAIT_S)
    client.close()
    go.set()
    wait_until(lambda: not server._peers)
    assert not ended.wait(0.1)


# Killed processes


def python(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def processes(*clients):
    """A server process and its clients, each waiting in a call."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(python(SERVER_PROCESS))
        stack.callback(server.kill)
        address, key = server.stdout.readline().split()
        workers = []
        for options in clients:
            worker = stack.enter_context(python(CLIENT_PROCESS, address, key, *options))
            stack.callback(worker.kill)
            assert worker.stdout.readline() == "hello\n"
            workers.append(worker)
        yield server, workers


def test_killed_server_closes_its_clients_silently():
    with processes([], ["lifeline"]) as (server, (plain, watched)):
        server.send_signal(signal.SIGKILL)
        assert plain.communicate(timeout=WAIT_S) == ("closed\n", "")
        assert plain.returncode == 0
        _, errors = watched.communicate(timeout=WAIT_S)
        assert errors == ""
        assert watched.returncode in (0, 7)


def test_killed_client_disturbs_nobody():
    with processes([], []) as (server, (killed, other)):
        killed.send_signal(signal.SIGKILL)
        killed.wait(WAIT_S)
        assert other.poll() is None
        _, errors = server.communicate("", timeout=WAIT_S)  # its input ends, so it ends
        assert errors == ""
        assert other.communicate(timeout=WAIT_S) == ("closed\n", "")
