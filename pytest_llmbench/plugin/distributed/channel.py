"""A local channel between the session's first process, which talks to models, and its workers.

Over a Unix socket with a secret key; JSON, never pickle: what a worker sends is data. On Linux the socket's name is
abstract, so that nothing stays on disk however the session ends; anybody may connect to it, so other users are turned
away before anything is made for them. One message::

    {"op": "fetch", "payload": ["fizz", "gpt-oss-20b", 1]}
    {"value": ...}    or {"closed": true}    or {"error": "what happened"}
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, TypeAlias

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.solving import FeedbackJob, SourceClosedError, SubmissionSource
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Ended

HANDSHAKE_S = 10.0
"""Time for a new peer to show that it knows the key."""

MAX_PEERS = 512
"""Connections at a time; a worker has two."""

CLOSE_S = 0.2
"""Longest wait for the end of the listening thread."""

Handler = Callable[[Any], Any]
"""Takes a JSON value, gives one. ``SourceClosedError`` arrives as itself, anything else raised as ``HarnessError``."""

_GONE = (EOFError, OSError)
"""How the end of the other process shows."""

_CREDENTIALS = struct.Struct("iII")
"""Process, user and group, as the kernel notes them when somebody connects."""

# The shape that typeshed gives to a connection of either direction.
_Pipe: TypeAlias = "Connection[Any, Any]"


def source_handlers(source: SubmissionSource) -> dict[str, Handler]:
    """Handlers that serve a source to ``ChannelClient.fetch`` and ``tell``."""

    def fetch(payload: Any) -> Any:
        got = source.fetch(AttemptKey(*payload))
        if isinstance(got, Ended):
            return {"ended": got.model_dump(mode="json")}
        # As an end, for the outcome in it is then read by its kind.
        return {"job": list(got.key), "reply": Ended(outcome=got.outcome).model_dump(mode="json")}

    def tell(payload: Any) -> None:
        key, told, problem = payload
        source.tell(TurnKey(*key), told, problem)

    return {"fetch": fetch, "tell": tell}


class ChannelServer:
    """Answers workers, each on a thread of its own. Handlers are called from those threads."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)
        self.key = secrets.token_bytes(32)
        """What a client must know; hand it over out of sight of other users."""
        self._folder: str | None = None
        if sys.platform == "linux":
            self.address = f"\0llmbench-{secrets.token_hex(16)}"
        else:
            # A short path: the system's limit is about a hundred bytes.
            self._folder = tempfile.mkdtemp(prefix="llmb-")
            self.address = str(Path(self._folder) / "s")
        self._lock = threading.Lock()
        self._closed = False
        self._peers: set[_Pipe] = set()
        self._listener = Listener(self.address, "AF_UNIX", backlog=128)
        self._thread = threading.Thread(target=self._accept, name="llmbench-channel", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up on every client and stop listening; returns at once, may be called again.

        A handler that is still at work is left to end by itself; nobody hears its answer.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for peer in self._peers:
                _hang_up(peer)
        # Closing a socket does not wake a thread that accepts on it; a visitor does.
        with contextlib.suppress(OSError):
            Client(self.address, "AF_UNIX").close()
        self._thread.join(CLOSE_S)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        # On its way out the listener removes its socket; ``close`` may have done so when it could wait no longer.
        with contextlib.suppress(FileNotFoundError), self._listener:
            while not self._closed:
                try:
                    peer = self._listener.accept()
                except OSError:
                    # The visitor left before it was let in, or this process has no file handle to spare just now.
                    time.sleep(0.01)
                    continue
                if self._lets_in(peer):
                    self._start(peer)

    def _lets_in(self, peer: _Pipe) -> bool:
        with self._lock:
            welcome = not self._closed and len(self._peers) < MAX_PEERS and _is_own_user(peer)
            if welcome:
                self._peers.add(peer)
            else:
                peer.close()
        return welcome

    def _start(self, peer: _Pipe) -> None:
        try:
            threading.Thread(target=self._serve, args=(peer,), name="llmbench-channel-peer", daemon=True).start()
        except RuntimeError:  # no thread to spare just now: a worker says so and the others go on
            with self._lock:
                self._peers.discard(peer)
                peer.close()

    def _serve(self, peer: _Pipe) -> None:
        """One peer's life; the handshake is part of it, so that a silent stranger keeps nobody waiting."""
        try:
            if self._knows_key(peer):
                while True:
                    peer.send_bytes(self._answer(peer.recv_bytes()))
        except _GONE:
            pass
        finally:
            with self._lock:
                self._peers.discard(peer)
                peer.close()

    def _knows_key(self, peer: _Pipe) -> bool:
        impatience = threading.Timer(HANDSHAKE_S, self._hang_up_on, (peer,))
        impatience.daemon = True
        impatience.start()
        try:
            deliver_challenge(peer, self.key)
            answer_challenge(peer, self.key)
        except Exception:  # noqa: BLE001 - whatever a stranger's bytes set off concerns nobody else
            return False
        finally:
            impatience.cancel()
        return True

    def _hang_up_on(self, peer: _Pipe) -> None:
        with self._lock:
            if peer in self._peers:
                _hang_up(peer)

    def _answer(self, message: bytes) -> bytes:
        try:
            request = json.loads(message)
            answer = {"value": self._handlers[request["op"]](request.get("payload"))}
            return json.dumps(answer).encode()
        except SourceClosedError:
            return b'{"closed": true}'
        except Exception as error:  # noqa: BLE001 - told to the one who asked; the others go on
            return json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()


class ChannelClient:
    """A worker's end. Calls from several threads take turns; it connects when first used."""

    def __init__(self, address: str, key: bytes) -> None:
        self._address = address
        self._key = key
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._lines: dict[str, _Pipe] = {}
        self._closed = False

    def call(self, op: str, payload: Any = None) -> Any:
        """Ask the server and wait for the answer.

        Raises ``SourceClosedError`` when the session is ending or its first process is gone, ``HarnessError``
        when the handler failed.
        """
        message = json.dumps({"op": op, "payload": payload}).encode()
        with self._turn:
            answer = self._exchange(message)
        if "error" in answer:
            raise HarnessError(f"the session's first process could not {op}: {answer['error']}")
        if "closed" in answer:
            raise SourceClosedError
        return answer["value"]

    def fetch(self, key: AttemptKey) -> Ended | FeedbackJob:
        """Wait for the end of an attempt, or for a job to do meanwhile; raises as ``call`` does."""
        got = self.call("fetch", list(key))
        if "ended" in got:
            return Ended.model_validate(got["ended"])
        return FeedbackJob(TurnKey(*got["job"]), Ended.model_validate(got["reply"]).outcome)

    def tell(self, key: TurnKey, told: str | None, problem: str = "") -> None:
        """The result of a job; raises as ``call`` does."""
        self.call("tell", [list(key), told, problem])

    def on_closed(self, callback: Callable[[], None]) -> None:
        """Call back, on another thread, once the server closes or its process is gone; not after ``close``."""
        threading.Thread(target=self._watch, args=(callback,), name="llmbench-lifeline", daemon=True).start()

    def close(self) -> None:
        """End both connections; a call under way raises ``SourceClosedError``."""
        with self._lock:
            self._closed = True
            for line in self._lines.values():
                _hang_up(line)

    def _exchange(self, message: bytes) -> dict[str, Any]:
        try:
            line = self._lines.get("calls") or self._dial("calls")
            line.send_bytes(message)
            answer: dict[str, Any] = json.loads(line.recv_bytes())
        except _GONE as error:
            self._put_down("calls")
            raise SourceClosedError from error
        except BaseException:
            # Interrupted half-way: the answer to this message must not be taken for the answer to the next.
            self._put_down("calls")
            raise
        return answer

    def _watch(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(*_GONE, HarnessError):
            self._dial("lifeline").recv_bytes()
        self._put_down("lifeline")
        if not self._closed:
            callback()

    def _dial(self, name: str) -> _Pipe:
        if self._closed:
            raise EOFError
        try:
            line = Client(self._address, "AF_UNIX", authkey=self._key)
        except AuthenticationError as error:
            text = "the session's first process refused this worker: the channel keys differ."
            raise HarnessError(text) from error
        with self._lock:
            if self._closed:  # meanwhile, when this line was not there to be hung up
                line.close()
                raise EOFError
            self._lines[name] = line
        return line

    def _put_down(self, name: str) -> None:
        with self._lock:
            line = self._lines.pop(name, None)
            if line is not None:
                line.close()


def _is_own_user(peer: _Pipe) -> bool:
    """Whether this user's process is at the other end; elsewhere than on Linux the socket's folder sees to it."""
    if sys.platform != "linux":
        return True
    end = socket.socket(fileno=peer.fileno())
    try:
        _, user, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    except OSError:
        return False
    finally:
        end.detach()
    return bool(user == os.geteuid())


def _hang_up(line: _Pipe) -> None:
    """End a connection in both directions and wake whoever reads from it; its reader closes it."""
    with contextlib.suppress(OSError, ValueError), socket.socket(fileno=os.dup(line.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)
