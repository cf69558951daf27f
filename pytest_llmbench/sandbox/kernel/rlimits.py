"""The kernel's limits for one process: how to set them, and how to tell that one of them ended a program."""

from __future__ import annotations

import math
import re
import resource
import signal

from pytest_llmbench.schema.execution import LimitHit, LimitName, Limits

_MEGABYTE = 1 << 20
_UNTOUCHED_MEMORY_MB = 256
"""Stacks and reservations count as data of a process before they are touched; the limit is about touched memory."""
_SPARE_PROCESSES = 8
"""The kernel refuses a little later than the watchdog counts, so that the watchdog can say which limit it was."""
_NO_PROCESS = re.compile(
    r"Cannot fork|fork(/exec \S+)?: .*unavailable|spawn \S+ EAGAIN|can't start new thread|pthread_create.*failed"
    r"|BlockingIOError: \[Errno 11\] Resource|code: 11, kind: WouldBlock"
)
_NO_DESCRIPTOR = re.compile(r"[Tt]oo many open files|EMFILE")
_TOO_LARGE = re.compile(r"File too large|EFBIG|file too large")
_DISK_FULL = re.compile(r"No space left on device|ENOSPC|no space left on device")
_OUT_OF_MEMORY = re.compile(
    r"^MemoryError\b|out of memory|std::bad_alloc|memory allocation of \d+ bytes failed"
    r"|^fatal error: runtime: cannot allocate memory|Array buffer allocation failed",
    re.MULTILINE,
)
_REFUSALS: dict[LimitName, re.Pattern[str]] = {
    "memory_mb": _OUT_OF_MEMORY,
    "processes": _NO_PROCESS,
    "open_files": _NO_DESCRIPTOR,
    "file_mb": _TOO_LARGE,
    "disk_mb": _DISK_FULL,
}
"""What programs say when the kernel refuses them more, as runtimes and C libraries word it."""
_LAST_WORDS = 65_536
"""Characters of stderr that are searched: Go tells the stacks of all threads behind the reason."""


def prlimit_arguments(limits: Limits, *, processes: bool) -> list[str]:
    """Arguments of the ``prlimit`` command, to stand before the program's own.

    ``processes``: whether to limit their number, which the kernel counts per user and user namespace.
    No limit is set above what this process is itself allowed.
    """
    cpu_s = math.ceil(limits.cpu_s) + 1
    wanted = [
        ("--cpu", resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        ("--data", resource.RLIMIT_DATA, *_both((limits.memory_mb + _UNTOUCHED_MEMORY_MB) * _MEGABYTE)),
        ("--fsize", resource.RLIMIT_FSIZE, *_both(limits.file_mb * _MEGABYTE)),
        ("--nofile", resource.RLIMIT_NOFILE, *_both(limits.open_files)),
        ("--core", resource.RLIMIT_CORE, *_both(0)),
    ]
    if processes:
        wanted.append(("--nproc", resource.RLIMIT_NPROC, *_both(limits.processes + _SPARE_PROCESSES)))
    arguments = []
    for option, which, soft, hard in wanted:
        allowed = resource.getrlimit(which)[1]
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)  # noqa: PLW2901 - the same two values, clamped
        arguments.append(f"{option}={soft}:{hard}")
    return arguments


def limit_behind(exit_code: int, stderr: str, cpu_s: float, limits: Limits) -> LimitHit | None:
    """The limit that a program, ended by itself or by a signal, ran into; None: none that can be known.

    ``cpu_s``: CPU time of the whole tree as counted at its end, which no look in between may have seen.
    """
    if exit_code == -signal.SIGXCPU or cpu_s > limits.cpu_s:
        return LimitHit("cpu_s", limits.cpu_s, round(cpu_s, 3))
    if exit_code == -signal.SIGXFSZ:
        return LimitHit("file_mb", limits.file_mb, limits.file_mb)
    if exit_code != 0:
        said = stderr[-_LAST_WORDS:]
        for limit, words in _REFUSALS.items():
            if words.search(said):
                allowed = getattr(limits, limit)
                return LimitHit(limit, allowed, allowed)
    return None


def _both(value: int) -> tuple[int, int]:
    return value, value
