"""Counting processes from outside: those that carry a mark, and those below this one."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from pathlib import Path
from typing import Self

_EVERY_S = 0.02
_GONE_S = 5.0
"""The kernel takes a moment to remove what was killed, longer on a busy machine."""


def marked(token: str) -> list[int]:
    """Processes with the token in their command line, environment or mounts, but for those that share our mounts."""
    mark, own, found = token.encode(), _mounts("self"), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            text = _read(entry / "cmdline") + _read(entry / "environ")
            if mark in text or (_mounts(entry.name) != own and mark in _read(entry / "mountinfo")):
                found.append(int(entry.name))
    return found


def survivors(token: str) -> list[str]:
    """Marked processes that are there although they had time to go; they are killed when they were told."""
    deadline = time.monotonic() + _GONE_S
    while (found := marked(token)) and time.monotonic() < deadline:
        time.sleep(_EVERY_S)
    told = [f"survived: {pid} {_read(Path(f'/proc/{pid}/cmdline'))!r}" for pid in found]
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    return told


class Peak:
    """The most that the processes below this one had at a time, but for those that were there at the start."""

    def __init__(self) -> None:
        self.tasks = 0
        self.memory_mb = 0
        """Resident memory, pages of several processes counted for each."""
        self._known = set(_below(os.getpid()))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            tasks = kilobytes = 0
            for pid in _below(os.getpid()):
                if pid not in self._known:
                    threads = _names(Path(f"/proc/{pid}/task"))
                    tasks += len(threads)
                    kilobytes += next(filter(None, (_kilobytes(pid, thread) for thread in threads)), 0)
            self.tasks, self.memory_mb = max(self.tasks, tasks), max(self.memory_mb, kilobytes >> 10)


def _kilobytes(pid: int, thread: str) -> int:
    """Resident memory of a process as one of its threads tells it; a thread that has ended tells 0."""
    text = _read(Path(f"/proc/{pid}/task/{thread}/status")).decode(errors="replace")
    return sum(int(number) for number in re.findall(r"^Rss(?:Anon|Shmem):\s*(\d+) kB", text, re.MULTILINE))


def _below(root: int) -> list[int]:
    """All descendants of a process."""
    waiting, found = [root], []
    while waiting:
        pid = waiting.pop()
        for thread in _names(Path(f"/proc/{pid}/task")):
            children = [int(child) for child in _read(Path(f"/proc/{pid}/task/{thread}/children")).split()]
            waiting += children
            found += children
    return found


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _mounts(pid: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    except OSError:
        return ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
