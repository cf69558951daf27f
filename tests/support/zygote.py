"""A process that has imported pytest and the plugin once, and becomes a session of pytest by forking.

Most of a short session is imports. A forked session is a process of its own all the same, with a process group, signals
and an end of its own, and a child of the process that asked for it. The same holds for the workers that xdist starts in
it. What it shares with a cold start is the interpreter's start-up: variables that only the interpreter reads, its own
``/proc/PID/environ`` and ``cmdline``, and what is imported when. Tests of those start a cold one.

Run as a script, this module is that process. It takes requests from a socket: a line of JSON and three descriptors.
"""

from __future__ import annotations

import array
import atexit
import ctypes
import functools
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SET_CHILD_SUBREAPER = 36
"""Of ``prctl``: orphans below this process become its children."""
_SESSION, _WORKER = "session", "worker"
_MAX_REQUEST = 1 << 20
_FORK_S = 300.0
"""Imports come before the first fork, and take minutes of wall time on a machine that does much else."""
IMPORTED = (
    "pytest_llmbench.plugin.activate", "pytest_llmbench.cli.main", "xdist.dsession", "xdist.workermanage",
    "xdist.remote", "pytest_timeout", "pytest_jsonreport.plugin", "rich.console", "httpx", "pydantic",
    "ast_grep_py", "asyncio", "pytest_llmbench.llm.clients.openai_client", "pytest_llmbench.solvers.handed_in",
)  # fmt: skip
"""What most sessions import; never litellm, which only some do."""


class Forked(subprocess.Popen[str]):
    """As ``subprocess.Popen``, but forked from a zygote: the arguments are those of pytest."""

    def __init__(self, zygote: socket.socket, kind: str, arguments: list[str], **options: Any) -> None:
        self._zygote, self._kind = zygote, kind
        super().__init__(arguments, **options)

    def _execute_child(self, args: list[str], *rest: Any) -> None:  # type: ignore[override]
        # (executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell, six pipes)
        cwd, env, pipes = rest[4], rest[5], rest[9:15]
        request = {
            "kind": self._kind,
            "arguments": list(args),
            "cwd": os.fspath(cwd or os.getcwd()),  # noqa: PTH109 - a string is wanted
            "env": dict(os.environ if env is None else env),
            "parent": os.getpid(),
        }
        child_ends = [pipes[0], pipes[3], pipes[5]]
        nothing = os.open(os.devnull, os.O_RDWR)
        given = [end if end != -1 else standard for end, standard in zip(child_ends, (nothing, 1, 2), strict=True)]
        try:
            self.pid = _ask(self._zygote, request, given)
        finally:
            os.close(nothing)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def start(arguments: list[str], *, cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a session of pytest with its outputs on pipes, in a process group of its own."""
    return Forked(
        _nursery(), _SESSION, arguments, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def read_at_start(env: Mapping[str, str]) -> bool:
    """Whether the environment holds what only a cold start would read, in another way than this process has it."""
    names = {name for name in {*env, *os.environ} if name.startswith(("PYTHON", "LC_", "LANG", "LD_", "MALLOC_"))}
    return any(env.get(name) != os.environ.get(name) for name in names)


_started: list[int] = []


def own_children() -> list[str]:
    """Process ids of this process's children, but for the zygote, which stays."""
    found = [child for file in Path("/proc/self/task").glob("*/children") for child in file.read_text().split()]
    return [child for child in found if int(child) not in _started]


@functools.cache
def _nursery() -> socket.socket:
    """This process's zygote: begun with the first session, ended with this process."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
    _started.append(process.pid)
    atexit.register(process.wait)
    atexit.register(ours.close)  # called first: the zygote ends when nobody can ask it any more
    return ours


def _ask(zygote: socket.socket, request: Mapping[str, Any], descriptors: list[int]) -> int:
    """The process id of the fork, which is this process's child when this returns."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_CHILD_SUBREAPER, 1)
    try:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        zygote.settimeout(_FORK_S)
        line = json.dumps(request).encode() + b"\n"
        sent = zygote.sendmsg([line], rights)
        zygote.sendall(line[sent:])
        return int(zygote.recv(20))
    except OSError:
        # Its answer may still come, and must not be taken for the answer to the next request.
        _nursery.cache_clear()
        zygote.close()
        raise
    finally:
        libc.prctl(_SET_CHILD_SUBREAPER, 0)


# -- in the zygote -----------------------------------------------------------------------------------------------------


def _serve(requests: socket.socket) -> None:
    """Fork for each request until nobody can ask any more; returns in forks only, with nothing of this left open."""
    gc.collect()
    gc.freeze()
    while True:
        line, descriptors = _receive(requests)
        if not line:
            os._exit(0)
        request = json.loads(line)
        reader, writer = os.pipe()
        between = os.fork()
        if between == 0:
            # The fork's parent is gone at once, so that it becomes a child of whoever asked.
            pid = os.fork()
            if pid:
                os.write(writer, str(pid).encode())
                os._exit(0)
            requests.close()
            os.close(reader)
            os.close(writer)
            _become(request, descriptors)
            return
        os.close(writer)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(between, 0)
        requests.sendall(os.read(reader, 20))
        os.close(reader)


def _receive(requests: socket.socket) -> tuple[bytes, list[int]]:
    room = socket.CMSG_SPACE(3 * array.array("i").itemsize)
    line, rights, _, _ = requests.recvmsg(_MAX_REQUEST, room)
    while line and not line.endswith(b"\n"):
        line += requests.recv(_MAX_REQUEST)
    descriptors = array.array("i")
    for _, _, data in rights:
        descriptors.frombytes(data)
    return line, list(descriptors)


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Take over what a new process would be started with, and run."""
    while os.getppid() != request["parent"]:
        time.sleep(0.0005)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    time.tzset()
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, buffering=-1 if number < 2 else 1, closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    signal.signal(signal.SIGINT, signal.default_int_handler)
    {_SESSION: _session, _WORKER: _worker}[request["kind"]](request["arguments"])


def _session(arguments: list[str]) -> None:
    """``python -m pytest``."""
    os.setsid()
    if any(argument.startswith(("-n", "--numprocesses", "--dist", "--tx")) for argument in arguments):
        _fork_workers()
    sys.argv = ["pytest", *arguments]
    sys.path[0] = os.getcwd()  # noqa: PTH109
    runpy.run_module("pytest", run_name="__main__")


def _worker(_arguments: list[str]) -> None:
    """What execnet starts as ``python -u -c "..."``."""
    sys.argv = ["-c"]
    sys.path[0] = ""
    exec(eval(sys.stdin.readline()))  # execnet's own first line


def _fork_workers() -> None:
    """Let execnet get its workers from a zygote of this session's own, in its process group."""
    from execnet import gateway_io

    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the session and its workers
        _serve(theirs)
        os._exit(0)
    theirs.close()

    master = gateway_io.Popen2IOMaster

    class FromZygote(master):
        def __init__(self, _args: Any, execmodel: Any) -> None:
            pipe = subprocess.PIPE
            self.popen = Forked(ours, _WORKER, [], stdin=pipe, stdout=pipe)
            super(master, self).__init__(self.popen.stdin, self.popen.stdout, execmodel=execmodel)

    gateway_io.Popen2IOMaster = FromZygote


class _Imports:
    """A plugin that imports while pytest rewrites what it imports, as in a session."""

    def pytest_configure(self) -> None:
        import importlib

        for name in IMPORTED:
            importlib.import_module(name)


def _main(descriptor: int) -> None:
    import pytest

    without: Callable[..., Any] = pytest.main
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(empty)
        output = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        without(["-q", "--collect-only", "-p", "no:cacheprovider", empty], plugins=[_Imports()])
        os.dup2(output, 1)
        os.close(output)
        os.chdir("/")
    _serve(socket.socket(fileno=descriptor))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
