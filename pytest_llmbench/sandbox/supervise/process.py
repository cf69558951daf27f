"""Running one command: the only place that starts processes for the sandboxes.

Waiting is event-driven (pipes and a pidfd), so a short program costs no polling delay; output is cut while it is
read; what holds a pipe open after the command's end cannot hold us.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pytest_llmbench import clock
from pytest_llmbench.sandbox.kernel.cgroup import NO_GROUP, Group
from pytest_llmbench.sandbox.supervise.disk_usage import Disk
from pytest_llmbench.sandbox.supervise.watchdog import Watchdog
from pytest_llmbench.schema.execution import LimitHit, Limits

_CHUNK = 1 << 16
_POLL_S = 0.005
"""Where the system has no pidfd, the command's end is looked for this often."""
_SIGNALLED = range(129, 160)
"""What a shell makes of the end of a program by a signal."""
_END_S = 2.0
"""How long the launcher may take to notice that its tree was killed."""


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """How one command ended."""

    status: int
    """Exit status; negative: ended by that signal."""
    stdout: bytes
    stderr: bytes
    wall_s: float
    cpu_s: float
    """User and system time of the command and of every descendant, without a group: that was waited for."""
    limit_hit: LimitHit | None
    waited_s: float = 0.0
    """Part of ``wall_s`` in which it waited for a CPU, as far as that was seen."""


def from_shell(status: int) -> int:
    """The status that a shell passed on: its 128 + N is the signal N."""
    return 128 - status if status in _SIGNALLED else status


def execute(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    limits: Limits,
    kill: Callable[[int], None],
    stdin: bytes = b"",
    cwd: Path | None = None,
    launchers: int = 0,
    pass_fds: Sequence[int] = (),
    disk: Disk | None = None,
    owner: int | None = None,
    watchdog: Watchdog | None = None,
    group: Group = NO_GROUP,
) -> ProcessExit:
    """Run ``command`` to its end or to a limit, then end all that is left of it.

    ``kill`` is given the command's process id, still unreaped, and ends its whole tree; it is called in every case.
    ``launchers``: how many processes of the tree are the sandbox's own. ``disk``: where it can write. ``owner``:
    user that the command will change to. ``watchdog``: one that looks at another tree than the command's own.
    ``group``: which the command joins by itself. Raises ``OSError`` when the command cannot be started,
    ``SandboxError`` when the machine was too busy for a verdict.
    """
    outputs = [os.pipe(), os.pipe()]
    try:
        if owner is not None:
            for _, end in outputs:
                os.fchown(end, owner, -1)  # else it could not open its own /dev/stdout
        process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=outputs[0][1],
            stderr=outputs[1][1],
            bufsize=0,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except BaseException:
        for reader, _ in outputs:
            os.close(reader)
        raise
    finally:
        for _, end in outputs:
            os.close(end)
    process.stdout, process.stderr = (open(reader, "rb", buffering=0) for reader, _ in outputs)  # noqa: PTH123, SIM115
    watchdog = watchdog or Watchdog(process.pid, limits, launchers=launchers, disk=disk, group=group)
    with _Exchange(process, stdin, limits.output_bytes) as exchange:
        try:
            hit = _watch(exchange, watchdog)
        finally:
            wall_s = watchdog.wall_s
            kill(process.pid)
            status, cpu_s = exchange.reap()
        exchange.drain()
        hit = hit or exchange.flood or watchdog.look_at_the_end()
        # What was killed was never waited for: the kernel's figure then holds the launcher's time only.
        cpu_s = max(cpu_s, watchdog.cpu_s, group.cpu_s)
        return ProcessExit(status, exchange.stdout, exchange.stderr, wall_s, cpu_s, hit, watchdog.waited_s)


def _watch(exchange: _Exchange, watchdog: Watchdog) -> LimitHit | None:
    """Pass data until the command ends or a limit is hit."""
    while not exchange.wait(watchdog.rest_s):
        if exchange.flood:
            return exchange.flood
        if not watchdog.rest_s and (hit := watchdog.look()):
            # Whatever ended by itself while we looked was within its limits.
            return None if exchange.ended else hit
    return None


class _Exchange:
    """The pipes of one process and the news of its end."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, output_bytes: int) -> None:
        self._process = process
        self._rest = memoryview(stdin)
        self._allowed = output_bytes
        self._read = 0
        self._output: dict[int, bytearray] = {}
        self._selector = selectors.DefaultSelector()
        self._pidfd = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else -1
        if self._pidfd >= 0:
            self._selector.register(self._pidfd, selectors.EVENT_READ, self._note_end)
        for pipe in filter(None, (process.stdout, process.stderr)):
            self._output[pipe.fileno()] = bytearray()
            self._add(pipe, selectors.EVENT_READ, self._receive)
        if process.stdin:
            self._add(process.stdin, selectors.EVENT_WRITE, self._send)
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
        for pipe in filter(None, (self._process.stdin, self._process.stdout, self._process.stderr)):
            pipe.close()

    @property
    def stdout(self) -> bytes:
        """What was read of the standard output, within the limit."""
        return self._kept(self._process.stdout)

    @property
    def stderr(self) -> bytes:
        """What was read of the standard error, within the limit."""
        return self._kept(self._process.stderr)

    @property
    def flood(self) -> LimitHit | None:
        """Set when more was written than is allowed."""
        return LimitHit("output_bytes", self._allowed, self._read) if self._read > self._allowed else None

    @property
    def ended(self) -> bool:
        """True when the command has ended, whether or not that was seen yet."""
        return self._over or self.wait(0)

    def wait(self, timeout_s: float) -> bool:
        """Pass what can be passed, for one event or until ``timeout_s`` is over; True when the command has ended."""
        if self._pidfd < 0:
            timeout_s = min(timeout_s, _POLL_S)
        for key, _ in self._selector.select(timeout_s):
            handle: Callable[[int], None] = key.data
            handle(key.fd)
        if self._pidfd < 0:
            self._over = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return self._over

    def reap(self) -> tuple[int, float]:
        """Wait for the killed or ended process; its status (negative: signal) and the CPU seconds of its tree."""
        deadline = clock.monotonic() + _END_S
        while not self._over and clock.monotonic() < deadline:
            self.wait(deadline - clock.monotonic())
        if not self._over:
            os.kill(self._process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return self._process.returncode, usage.ru_utime + usage.ru_stime

    def drain(self) -> None:
        """Read what still lies in the pipes; others may hold them open, so it never waits."""
        for fd in list(self._output):
            while not self.flood and fd in self._selector.get_map() and self._receive(fd):
                pass

    def _add(self, pipe: IO[bytes], event: int, handle: Callable[[int], object]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, event, handle)

    def _note_end(self, fd: int) -> None:
        self._selector.unregister(fd)
        self._over = True

    def _receive(self, fd: int) -> bool:
        """Read one chunk; False when there is none now."""
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            self._selector.unregister(fd)
            return False
        self._output[fd] += chunk[: max(0, self._allowed - self._read)]
        self._read += len(chunk)
        return True

    def _send(self, fd: int) -> None:
        try:
            self._rest = self._rest[os.write(fd, self._rest[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._rest = self._rest[:0]
        if not self._rest and self._process.stdin:
            self._selector.unregister(fd)
            self._process.stdin.close()

    def _kept(self, pipe: IO[bytes] | None) -> bytes:
        return bytes(self._output[pipe.fileno()]) if pipe else b""


def kill_group(leader: int) -> None:
    """Kill the process group of a process that was started here."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_one(pid: int) -> None:
    """Kill one process; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
