"""Runs the server several times over, sends requests from many IPs of loopback, and tells what came of them.

It shares the sandbox with the servers, which may be hostile. They get no descriptor of it, cannot look into it (it is
not dumpable), and are all dead before it answers. So they can end it, but not speak for it. It judges nothing: times,
statuses, logs and exit statuses go back as they were seen, and what they should be is known outside.

What is known of a server is what it sends and what the kernel says of its process: how much memory it has, which file
it runs, who listens on its port. All servers have the same settings and are asked from random IPs, so that none can
tell which of them is watched for what.

Times are seconds since the start. What took longer than planned, on a busy machine perhaps, is played again;
``timely`` tells whether the last try went as planned.
"""

from __future__ import annotations

import os
import sys

# Nothing is ever imported from where the servers, or those of an earlier run, can write.
WORKSPACE = os.environ["WORKSPACE"]
sys.path[:] = [path for path in sys.path if path and not f"{os.path.realpath(path)}/".startswith(f"{WORKSPACE}/")]

# ruff: noqa: E402 - only now may anything else be imported
import contextlib
import ctypes
import itertools
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
LIBC = ctypes.CDLL(None)
LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

STARTED = time.monotonic()
ANSWER_WAIT_S = 4.0
BURST_WAIT_S = 1.5
"""A burst that takes longer is given up."""
PATIENCE_S = 3.0
"""How long a request that is about something else than the limit is sent again while it gets 429."""
TRIES = 5
MOST_BYTES = 100_000
"""Kept of a response, and of a log."""
SETTINGS = {
    "CLIENT_TTL": "1s",
    "TZ": "UTC",
    "GOMAXPROCS": "1",
    "GOGC": "20",
    "GODEBUG": "gcstoptheworld=2",
}
"""Of every server. Garbage is collected early, and at once, so that the memory of a server is little more than it needs
and the same for the same requests."""
TTL_S = 1.0
RESET = struct.pack("ii", 1, 0)
"""Of a socket: let the connection end without a farewell, which costs both sides less."""

Sent = list[Any]
"""[when it was sent, when the answer was there, status or why there is none]"""

_ports = itertools.count(21_000)
_used: set[bytes] = set()
_lock = threading.Lock()


class ForeignProcessError(Exception):
    """Something else than the one process of the built program has to do with the answers."""


def now() -> float:
    """Seconds since the start."""
    return time.monotonic() - STARTED


def sleep_until(moment: float) -> None:
    """Return at the moment, or at once when it is over."""
    time.sleep(max(0.0, moment - now()))


def early_in_a_second() -> None:
    """Wait until the clock's second has begun not long ago, for what must not be cut in two by its end."""
    passed_s = time.time() % 1
    if passed_s > 0.5:
        time.sleep(1.01 - passed_s)


def fresh_ip() -> str:
    """An IP of this machine that has not been used yet, and that nobody can foresee."""
    with _lock:
        while (number := os.urandom(3)) in _used or not (0 < number[0] < 255 and 0 < number[2] < 255):
            pass
        _used.add(number)
    return ".".join(map(str, (127, *number)))


def identity(path: str) -> tuple[int, int]:
    """Which file this is, whatever it is called by now."""
    status = os.stat(path)  # noqa: PTH116 - a link of the kernel's
    return status.st_dev, status.st_ino


BUILT = identity(f"{WORKSPACE}/server")


class Server:
    """One process of the server, on a port of its own."""

    def __init__(self, *, report_ms: int = 10) -> None:
        self.port = self._free_port()
        self._logs = [tempfile.TemporaryFile(buffering=0) for _ in range(2)]  # noqa: SIM115 - as long as it runs
        env = {**SETTINGS, "ADDR": f"127.0.0.1:{self.port}", "REPORT_TIME": f"{report_ms}ms"}
        self.process = subprocess.Popen(
            [f"{WORKSPACE}/server"],
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._logs[0],
            stderr=self._logs[1],
            start_new_session=True,
        )
        self.asked: float | None = None
        """When the request was sent that it has not answered yet; of several requests at once the last."""
        self._come_up()

    @staticmethod
    def _free_port() -> int:
        with _lock:
            for port in _ports:
                with contextlib.suppress(OSError), socket.socket() as candidate:
                    candidate.bind(("127.0.0.1", port))
                    return port
        raise AssertionError

    def _come_up(self) -> None:
        end = now() + ANSWER_WAIT_S
        while not self.connects():
            if now() > end or self.process.poll() is not None:
                raise ConnectionRefusedError
            time.sleep(0.01)

    def make_sure(self) -> None:
        """Raise ``ForeignProcessError`` unless the built program itself, in this one process, holds the port."""
        home = Path(f"/proc/{self.process.pid}")
        listening = {
            fields[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if (fields := line.split())[3] == "0A" and fields[1].endswith(f":{self.port:04X}")
        }
        if identity(f"{home}/exe") != BUILT:
            raise ForeignProcessError("another program was started in its place")
        if any(file.read_text().strip() for file in home.glob("task/*/children")):
            raise ForeignProcessError("it has started another process")
        held = {target for file in home.glob("fd/*") if (target := os.readlink(file)).startswith("socket:")}  # noqa: PTH115
        if not listening or not {f"socket:[{inode}]" for inode in listening} <= held:
            raise ForeignProcessError("another process listens on its port")

    def memory_kb(self) -> int:
        """Memory of the process that no file backs, as the kernel counts it."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Anonymous:"))

    @property
    def log(self) -> str:
        """What it has written so far, standard output first."""
        texts = [os.pread(file.fileno(), MOST_BYTES, 0).decode("utf-8", "backslashreplace") for file in self._logs]
        return "\n".join(texts)

    def connects(self) -> bool:
        """Whether it accepts a connection now."""
        with (
            contextlib.suppress(OSError),
            socket.socket() as connection,
        ):  # looking up no name, which imports in threads
            connection.settimeout(1)
            connection.connect(("127.0.0.1", self.port))
            return True
        return False

    def ask(self, ip: str, method: str = "GET", path: str = "/notes", body: str = "", headers: str = "") -> Sent:
        """Send one request on a connection of its own; beside the times and the status stand headers and body."""
        self.asked = sent = now()
        raw = b""
        try:
            with socket.socket() as connection:
                connection.settimeout(ANSWER_WAIT_S)
                connection.bind((ip, 0))
                connection.connect(("127.0.0.1", self.port))
                # HTTP/1.0: the body comes in one piece and ends with the connection.
                head = f"{method} {path} HTTP/1.0\r\nHost: notes\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
                connection.sendall((head + body).encode())
                while len(raw) < MOST_BYTES and (chunk := connection.recv(65536)):
                    raw += chunk
        except OSError as error:
            self.asked = None
            return [sent, now(), type(error).__name__, {}, ""]
        self.asked, answered = None, now()
        head, _, rest = raw.decode("utf-8", "backslashreplace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        status = first.split(" ")[1:2]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return [sent, answered, int(status[0]) if status and status[0].isdecimal() else "no status", fields, rest]

    def ask_patiently(self, ip: str, *request: str) -> Sent:
        """The same for requests that are about something else than the limit."""
        end = now() + PATIENCE_S
        while (answer := self.ask(ip, *request))[2] == 429 and now() < end:
            time.sleep(0.12)
        return answer

    def burst(self, ip: str, count: int, **more: str) -> list[Sent]:
        """Requests one right after the other; of each the times and the status."""
        end = now() + BURST_WAIT_S
        answers = []
        while len(answers) < count and now() < end:
            answers.append(self.ask(ip, **more)[:3])
        return answers

    def crowd(self, count: int, each: int = 1, *, at_once: int = 20) -> dict[str, int]:
        """So many IPs send so many requests each, on one connection as long as it lasts; how many got which answer."""
        answers: dict[str, int] = {}
        for begin in range(0, count, at_once):
            waiting = {fresh_ip(): each for _ in range(min(at_once, count - begin))}
            while waiting:
                open_now = [(ip, self._send(ip, left), left) for ip, left in waiting.items()]
                for ip, connection, left in open_now:
                    statuses = self._statuses(connection, left)
                    for status in statuses:
                        answers[status] = answers.get(status, 0) + 1
                    waiting[ip] = left - len(statuses)
                waiting = {ip: left for ip, left in waiting.items() if left > 0}
        return answers

    def _send(self, ip: str, count: int) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.settimeout(ANSWER_WAIT_S)
        connection.bind((ip, 0))
        connection.connect(("127.0.0.1", self.port))
        request = b"GET /notes HTTP/1.1\r\nHost: notes\r\n\r\n"
        connection.sendall(request * (count - 1) + request[:-2] + b"Connection: close\r\n\r\n")
        return connection

    @staticmethod
    def _statuses(connection: socket.socket, count: int) -> list[str]:
        """The statuses of the answers until the connection ends; none at all counts as one answer."""
        with connection:
            raw = b""
            with contextlib.suppress(OSError):
                while len(raw) < MOST_BYTES and (chunk := connection.recv(65536)):
                    raw += chunk
        found = [part[2:5].decode("ascii", "replace") for part in raw.split(b"HTTP/1.")[1:]]
        return found[:count] or ["none"]

    def waited_s(self) -> float:
        """Seconds that threads of the server and of this process have waited for a CPU so far."""
        waited_ns = 0
        for pid in ("self", self.process.pid):
            with contextlib.suppress(OSError, ValueError, IndexError):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    waited_ns += int((thread / "schedstat").read_text().split()[1])
        return waited_ns / 1e9

    def ended(self, within_s: float) -> int | None:
        """The exit status, negative for a signal; None when it still runs after that time."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None


def until_timely(
    server: Server, planned_s: float, play: Callable[[], dict[str, Any]], ready: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Play it again while it is not ``timely``, a few times at most; tell what it took longer, and what was waited.

    ``ready`` waits for the moment to begin, each time.

    A server that is slow although nobody waits for a CPU gets fewer tries.
    """
    for number in range(TRIES):
        if number:
            time.sleep(1.1)  # whatever budget was used up is there again
        ready()
        waited_s, began = server.waited_s(), now()
        seen = play()
        seen |= {"excess": now() - began - planned_s, "waited": server.waited_s() - waited_s}
        if seen["timely"] or (number and seen["excess"] > max(0.5, 2 * seen["waited"])):
            break
    return seen


# -- scenarios: each starts its own servers --------------------------------------------------------------------------


def limit() -> dict[str, Any]:
    """Twenty at once, then another IP, then the first under a false name, and ten more after a pause."""
    server = Server()
    ip = ""

    def crowd_in() -> dict[str, Any]:
        nonlocal ip
        ip = fresh_ip()
        burst = server.burst(ip, 20)
        forged = server.burst(ip, 5, headers=f"X-Forwarded-For: {fresh_ip()}\r\nX-Real-IP: {fresh_ip()}\r\n")
        other = server.burst(fresh_ip(), 5)
        return {
            "burst": burst,
            "forged": forged,
            "other": other,
            "timely": len(burst) > 10 and burst[10][1] - burst[0][0] < 0.09,
        }

    seen = until_timely(server, 0.05, crowd_in, early_in_a_second)
    time.sleep(1.2)
    seen["again"] = server.burst(ip, 10)
    server.make_sure()
    return seen


def steady() -> dict[str, Any]:
    """One client that stays below the limit, and one that uses it up at once and goes on asking beyond it."""

    def ask_on(first: int, every_s: float, count: int) -> list[Sent]:
        server = Server()
        ip, begin = fresh_ip(), now()
        answers = server.burst(ip, first)
        for number in range(1, count + 1):
            sleep_until(begin + number * every_s)
            answers.append(server.ask(ip)[:3])
        server.make_sure()
        return answers

    below, beyond = side_by_side([(ask_on, 1, 0.13, 24), (ask_on, 15, 0.06, 42)])
    return {"below": below, "beyond": beyond}


def strangers(count: int) -> dict[str, Any]:
    """A client uses up its limit, then many others nearly theirs, and it asks again in between."""
    server = Server()
    ip = fresh_ip()
    asked = server.burst(ip, 10)
    answers: dict[str, int] = {}
    for _ in range(5):
        for status, times in server.crowd(count // 5, 9).items():
            answers[status] = answers.get(status, 0) + times
        # However soon a crowd is served: an eleventh request is one too many in the first 0.1 s alone.
        sleep_until(asked[0][0] + 0.2 if asked else now())
        asked += server.burst(ip, 5)
    server.make_sure()
    return {"asked": asked, "answers": [list(pair) for pair in answers.items()]}


def windows() -> dict[str, Any]:
    """Two bursts each from some IPs, around the boundary of a second that began with a request, and within one.

    The IPs begin a quarter of a second apart: whatever clock a limiter goes by, it ticks between two bursts of one.
    """
    server = Server()
    start = now() + 0.05

    def around() -> dict[str, Any]:
        ip = fresh_ip()
        begin = now()
        opener = server.burst(ip, 1)
        opened = now()
        sleep_until(begin + 0.8)
        late = server.burst(ip, 8)
        sleep_until(begin + 1.15)
        early = server.burst(ip, 10)
        timely = late[-1][1] < begin + 0.97 and early[0][0] > opened + 1.03 and early[-1][1] - late[0][0] < 0.6
        return {"opener": opener, "first": late, "second": early, "timely": timely}

    def within() -> dict[str, Any]:
        ip = fresh_ip()
        begin = now()
        first = server.burst(ip, 10)
        sleep_until(begin + 0.35)
        second = server.burst(ip, 10)
        return {"first": first, "second": second, "timely": second[-1][1] - begin < 0.6}

    def later(offset: float, planned_s: float, play: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        sleep_until(start + offset)
        return until_timely(server, planned_s, play)

    plans = ((1.15, around), (0.35, within))
    jobs = [(later, number / 4, *plan) for plan in plans for number in range(4)]
    seen = side_by_side(jobs)
    server.make_sure()
    return {"around": seen[:4], "within": seen[4:]}


def parallel(report_ms: int) -> dict[str, Any]:
    """Three slow requests at once, two of them from one IP."""
    server = Server(report_ms=report_ms)
    server.make_sure()

    def together() -> dict[str, Any]:
        one, other = fresh_ip(), fresh_ip()
        reports = side_by_side([(slow, server, ip) for ip in (one, one, other)])
        return {"reports": reports, "timely": max(report[1] - report[0] for report in reports) < 1.8 * report_ms / 1000}

    return until_timely(server, report_ms / 1000, together)


def slow(server: Server, ip: str) -> Sent:
    """One slow request; the times are those of the try that was let through."""
    return server.ask_patiently(ip, "GET", "/report")


def api(requests: list[list[str]], unknown: str, report_ms: int) -> dict[str, Any]:
    """Some requests of every kind, each from an IP of its own, a burst, a report, and SIGINT: answers and log."""
    server = Server(report_ms=report_ms)
    answers = [server.ask_patiently(fresh_ip(), *request) for request in requests]
    burst = server.burst(fresh_ip(), 15, path=unknown)
    report = server.ask_patiently(fresh_ip(), "GET", "/report")
    time.sleep(0.1)  # for what is logged after the answer
    server.make_sure()
    server.process.send_signal(signal.SIGINT)
    status = server.ended(ANSWER_WAIT_S)
    return {"answers": answers, "burst": burst, "report": report, "exit": status, "log": server.log}


def shutdown(report_ms: int) -> dict[str, Any]:
    """SIGTERM while a report is being made: its answer, new connections meanwhile, and the end."""

    def stop() -> dict[str, Any]:
        answer, [signalled, refused, alive, accepted] = side_by_side([(slow, server, fresh_ip()), (end,)])
        status = server.ended(ANSWER_WAIT_S)
        latest = answer[0] + 0.9 * report_ms / 1000
        # Too late, when the report was done; too early, when the request that was being worked on got 429.
        excess = max(signalled - latest, (refused or 0) - latest, answer[0] - signalled)
        return {
            "answer": answer,
            "signalled": signalled,
            "refused": refused,
            "alive": alive,
            "accepted": accepted,
            "exit": status,
            "timely": excess < 0,
            "excess": excess,
            "waited": server.waited_s(),
        }

    def end() -> list[Any]:
        """Send the signal, wait until a connection is refused, then see whether another is accepted after all."""
        while (asked := server.asked) is None or now() < asked + 0.3 * report_ms / 1000:
            time.sleep(0.01)
        server.make_sure()
        server.process.send_signal(signal.SIGTERM)
        signalled = now()
        while server.connects():
            if now() > signalled + report_ms / 1000:
                return [signalled, None, False, True]
            time.sleep(0.02)
        refused = now()
        time.sleep(0.05)
        return [signalled, refused, server.process.poll() is None, server.connects()]

    for _ in range(TRIES):  # a server is stopped but once
        server = Server(report_ms=report_ms)
        seen = stop()
        if seen["timely"]:
            break
    return seen


def crowd(count: int, grows_kb: int) -> dict[str, Any]:
    """The server's memory after each of some waves of new IPs, when the waves before should be forgotten.

    How much memory a runtime gives back, and when, is its own affair. But what it has kept is there for the next wave,
    so that a server that forgets stops growing. One that has grown by ``grows_kb`` or more with the second wave gets
    two more, for heaps are never quite the same. A table grows by leaps, and hardly with some waves; but whoever keeps
    every IP grows whenever their number doubles: with the second wave, and with the two after it.
    """
    server = Server()
    server.crowd(100)
    memory_kb, answers = [], []
    for _ in range(4):
        answers.append(server.crowd(count))
        time.sleep(0.05)
        memory_kb.append(server.memory_kb())
        if len(memory_kb) == 2 and memory_kb[1] - memory_kb[0] < grows_kb:
            break
        time.sleep(2 * TTL_S + 0.1)
        server.ask(fresh_ip())  # some forget with the next request only
        time.sleep(0.05)
    server.make_sure()
    return {"memory_kb": memory_kb, "let_through": [each.get("200", 0) for each in answers]}


# -- all of them -----------------------------------------------------------------------------------------------------


def side_by_side(jobs: list[tuple[Any, ...]]) -> list[Any]:
    """The results of some calls that are made at once; of one that failed, why."""
    results: list[Any] = [None] * len(jobs)

    def work(index: int, function: Callable[..., Any], *args: Any) -> None:
        try:
            results[index] = function(*args)
        except Exception as error:  # noqa: BLE001 - a server can break every exchange
            place = traceback.extract_tb(error.__traceback__)[-1]
            results[index] = f"{type(error).__name__} in {place.name}, line {place.lineno}: {error}"

    threads = [threading.Thread(target=work, args=(index, *job), daemon=True) for index, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def observe(plan: dict[str, list[Any]]) -> dict[str, Any]:
    """Play scenarios side by side: name -> arguments. What each saw; a text where a server spoilt it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    scenarios = {play.__name__: play for play in (limit, steady, strangers, windows, parallel, api, shutdown, crowd)}
    seen = side_by_side([(scenarios[name], *arguments) for name, arguments in plan.items()])
    end_all()
    return dict(zip(plan, seen, strict=True))


def end_all() -> None:
    """Kill whatever the servers have left; orphans come to this process."""
    for _ in range(1000):
        children: list[str] = []
        for file in Path("/proc/self/task").glob("*/children"):
            with contextlib.suppress(OSError):  # the thread has ended meanwhile; its children are another one's now
                children += file.read_text().split()
        if not children:
            return
        for pid in map(int, children):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
