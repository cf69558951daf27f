"""What the kernel holds for a process tree, as far as it can be counted from outside without a control group.

Byte-range locks count here even where there is a group: the kernel charges them to nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from pytest_llmbench import clock
from pytest_llmbench.sandbox.supervise.procfs import descriptors_of, entries, tree

_LOCK_BYTES = 256
_MAPPING_BYTES = 256
"""What one takes, a little rounded up."""
_LOCK, _PART_BYTES = b"lock:", 1 << 16
_STATE, _QUEUES = 3, 4
"""The fields with a connection's state, and with what waits to be sent and to be read, in hexadecimal digits."""
_BEGINNING = ("02", "03")
"""States of a connection that is being made (SYN_SENT, SYN_RECV). It has sent nothing yet, and its sequence numbers are
set one after the other: read in between, their difference is any number."""

_SLICE_S = 0.01
_PAUSE = 9
"""Times what one count took: counting takes at most a tenth of the time."""


class Locks:
    """The locks of one tree, which a few milliseconds at a time are enough to count: they grow slowly."""

    def __init__(self) -> None:
        self._counted = self._running = 0
        self._count: Iterator[int] | None = None
        self._took_s = self._next = 0.0

    def look(self, root: int, launchers: int) -> int:
        """Go on counting; the bytes as they were last counted, or more if that many are found before its end.

        ``launchers``: how many processes of the tree below ``root``, the first ones, are the sandbox's own.
        """
        started = clock.monotonic()
        if self._count is None and started >= self._next:
            self._count, self._running, self._took_s = _each(root, launchers), 0, 0.0
        while self._count is not None and clock.monotonic() < started + _SLICE_S:
            found = next(self._count, None)
            if found is None:
                self._count, self._counted = None, self._running
                took_s = self._took_s + clock.monotonic() - started
                self._next = clock.monotonic() + _PAUSE * took_s
            else:
                self._running += found
        self._took_s += clock.monotonic() - started
        return max(self._counted, self._running)


def of_locks(descriptor_info: str) -> int:
    """Bytes of the locks that were taken through one descriptor: ``/proc/PID/fdinfo/NUMBER``."""
    try:
        file = os.open(descriptor_info, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0  # it was closed meanwhile
    try:
        found = 0
        while part := os.read(file, _PART_BYTES):
            found += part.count(_LOCK)
    except OSError:
        return 0
    finally:
        os.close(file)
    return found * _LOCK_BYTES


def of_mappings(maps: str) -> int:
    """Bytes of one process's mappings: the text of ``/proc/PID/maps``."""
    return maps.count("\n") * _MAPPING_BYTES


def of_connections(pid: int) -> int:
    """Bytes on their way in TCP connections of the network that a process is in, unless it is ours.

    The kernel may hold several times as much for them, if they came in small pieces.
    """
    try:
        if os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino:  # noqa: PTH116
            return 0
        return sum(_queued(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6"))
    except OSError:
        return 0  # it has ended


def _each(root: int, launchers: int) -> Iterator[int]:
    """Bytes of the locks of one descriptor after the other."""
    for pid in list(tree(root))[launchers:]:
        folder = f"{descriptors_of(pid)}info"
        for descriptor in entries(folder):
            yield of_locks(f"{folder}/{descriptor}")


def _queued(table: str) -> int:
    total = 0
    with open(table, encoding="ascii") as lines:  # noqa: PTH123
        next(lines, None)  # the title
        for line in lines:
            fields = line.split(maxsplit=_QUEUES + 1)
            if fields[_STATE] in _BEGINNING:
                continue
            sent, _, received = fields[_QUEUES].partition(":")
            total += int(sent, 16) + int(received, 16)
    return total
