"""Reading what a process tree uses from ``/proc``. Where there is no ``/proc`` a tree reads as empty."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class TreeUsage:
    """What a process and its descendants use at one moment."""

    tasks: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Thread id: nanoseconds on a CPU, nanoseconds ready to run without one."""
    cpu_s: float = 0.0
    """CPU time of the living and of the dead that were waited for."""
    private_bytes: int = 0
    """Memory of one process each, and the tables that lead to its pages."""
    shared_bytes: int = 0
    """Shared memory; a page of several processes counts for each."""


def measure(root: int, at_most: int) -> TreeUsage:
    """Sum up the tree below ``root``, which is included; what ends meanwhile is left out.

    It ends after more than ``at_most`` threads, for a fork bomb grows faster than it can be read.
    """
    usage = TreeUsage()
    for pid in tree(root):
        if len(usage.tasks) > at_most:
            break
        folder = f"/proc/{pid}"
        usage.cpu_s += _cpu_s(_read(f"{folder}/stat"))
        status = memory_status(pid)
        usage.private_bytes += _number(status, "RssAnon:", "VmPTE:") * 1024
        usage.shared_bytes += _number(status, "RssShmem:") * 1024
        for thread in threads(pid):
            fields = _read(f"{folder}/task/{thread}/schedstat").split()
            usage.tasks[thread] = (int(fields[0]), int(fields[1])) if len(fields) > 1 else (0, 0)
    return usage


def counted_once(root: int) -> tuple[int, int]:
    """Private and shared bytes of the tree below ``root``, pages of several processes counted once.

    Slower than ``measure``, which counts what forked processes have in common for each of them.
    """
    private = shared = 0
    for pid in tree(root):
        status = memory_status(pid)
        rollup = _read(f"/proc/{pid}/smaps_rollup")
        private += _number(status, "VmPTE:") + (_number(rollup, "Pss_Anon:") or _number(status, "RssAnon:"))
        shared += _number(rollup, "Pss_Shmem:") or _number(status, "RssShmem:")
    return private * 1024, shared * 1024


def memory_status(pid: int) -> str:
    """``/proc/PID/status`` of a thread that has memory: the first may have ended, and then tells of none."""
    first = _read(f"/proc/{pid}/status")
    if "RssAnon:" in first:
        return first
    others = (_read(f"/proc/{pid}/task/{thread}/status") for thread in threads(pid) if thread != pid)
    return next((status for status in others if "RssAnon:" in status), first)


def written(pid: int) -> tuple[int, int]:
    """Bytes that one process has written: to disks, and in all; (0, 0) where that is not told."""
    figures = dict(line.split(": ") for line in _read(f"/proc/{pid}/io").splitlines())
    return int(figures.get("write_bytes", 0)), int(figures.get("wchar", 0))


def tree(root: int) -> Iterator[int]:
    """Process ids of ``root`` and its descendants, parents first."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting.extend(children(pid))


def children(pid: int) -> list[int]:
    """Process ids of the living children and zombies of one process."""
    return [int(child) for thread in threads(pid) for child in _read(f"/proc/{pid}/task/{thread}/children").split()]


def with_environment(entry: bytes) -> list[int]:
    """Process ids, of those that this user may look into, whose environment has ``entry`` (``NAME=value``)."""
    found = []
    for name in entries("/proc"):
        if name.isdecimal():
            try:
                environment = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if entry in environment.split(b"\0"):
                found.append(int(name))
    return found


def tasks_of(uid: int) -> int:
    """How many threads all processes of a user have, as the kernel counts them towards its limit."""
    count = 0
    for name in entries("/proc"):
        if name.isdecimal() and f"\nUid:\t{uid}\t" in (status := _read(f"/proc/{name}/status")):
            count += _number(status, "Threads:")
    return count


def threads(pid: int) -> list[int]:
    """Ids of the threads of one process."""
    return [int(name) for name in entries(f"/proc/{pid}/task")]


def descriptors_of(pid: int) -> str:
    """The folder of a process's descriptors; when its first thread has ended, that of one that lives on."""
    folder = f"/proc/{pid}/fd"
    if entries(folder):
        return folder
    others = (f"/proc/{pid}/task/{thread}/fd" for thread in threads(pid) if thread != pid)
    return next((other for other in others if entries(other)), folder)


def entries(folder: str) -> list[str]:
    """Names in a folder; none when its process is gone."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - read some hundred times a second
    except OSError:
        return []


def _read(name: str) -> str:
    """Text of a file of ``/proc``; empty when its process is gone."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(file, 65536).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(file)


def _cpu_s(stat: str) -> float:
    # The command's name stands in parentheses and may hold anything, so the fields are counted from its end.
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_S


def _number(text: str, *names: str) -> int:
    """Sum of the named figures, which stand one per line."""
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(names))
