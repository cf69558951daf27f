"""What the kernel holds for a process tree, as far as it can be counted from outside without a control group.

Byte-range locks count here even where there is a group: the kernel charges them to nobody.
"""

from __future__ import annotations

import os

_LOCK_BYTES = 256
_MAPPING_BYTES = 256
"""What one takes, a little rounded up."""
_LOCK, _LISTED_BYTES = b"lock:", 1 << 26
_QUEUES = 4
"""The field with what waits to be sent and to be read, in hexadecimal digits."""


def of_locks(descriptor_info: str) -> int:
    """Bytes of the locks that were taken through one descriptor: ``/proc/PID/fdinfo/NUMBER``."""
    try:
        file = os.open(descriptor_info, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0  # it was closed meanwhile
    try:
        return os.read(file, _LISTED_BYTES).count(_LOCK) * _LOCK_BYTES
    except OSError:
        return 0
    finally:
        os.close(file)


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


def _queued(table: str) -> int:
    total = 0
    with open(table, encoding="ascii") as lines:  # noqa: PTH123
        next(lines, None)  # the title
        for line in lines:
            fields = line.split(maxsplit=_QUEUES + 1)
            sent, _, received = fields[_QUEUES].partition(":")
            total += int(sent, 16) + int(received, 16)
    return total
