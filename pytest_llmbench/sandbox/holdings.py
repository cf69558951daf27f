"""What a process tree holds that no file name leads to, and no figure of a process shows.

Deleted files that are open or mapped, files on their way over a socket, shared memory that was let go of but not given
back, and the kernel's buffers of pipes and sockets. Where only an upper bound can be seen, that is what counts.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass, field

from pytest_llmbench.sandbox.procfs import threads, tree

_SOCKET_BYTES, _PIPE_BYTES = 212_992, 65_536
"""What the kernel buffers at most for each, as long as nobody asks for more."""
_ON_THE_WAY = 8
"""So many descriptors may be on their way between processes, as when one hands over its listening socket."""
_MAPPING = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) ...(.) [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+) +(/.*) \(deleted\)$", re.MULTILINE
)


@dataclass(slots=True)
class Holdings:
    """What is held at one moment."""

    disk_bytes: int = 0
    inodes: int = 0
    buffer_bytes: int = 0
    """Of pipes and sockets."""
    shared_bytes: int = 0
    """Size of all shared memory, in use or not."""


@dataclass(slots=True)
class _Seen:
    files: set[tuple[int, int]] = field(default_factory=set)
    """Device and number."""
    on_the_way: int = 0


def holdings(root: int, devices: Collection[int], file_bytes: int) -> Holdings:
    """Look through the tree below ``root``.

    ``devices``: file systems whose files count as disk use. ``file_bytes``: the size that a file may have, which is
    taken for those that cannot be measured.
    """
    held, seen = Holdings(), _Seen()
    for pid in tree(root):
        folder = _descriptors_of(pid)
        for descriptor in _names(folder):
            _add_descriptor(held, seen, f"{folder}/{descriptor}", devices)
        _add_mappings(held, seen, pid, devices, file_bytes)
    held.disk_bytes += max(0, seen.on_the_way - _ON_THE_WAY) * file_bytes
    return held


def _descriptors_of(pid: int) -> str:
    """The folder of a process's descriptors; when its first thread has ended, that of one that lives on."""
    folder = f"/proc/{pid}/fd"
    if _names(folder):
        return folder
    others = (f"/proc/{pid}/task/{thread}/fd" for thread in threads(pid) if thread != pid)
    return next((other for other in others if _names(other)), folder)


def _add_descriptor(held: Holdings, seen: _Seen, path: str, devices: Collection[int]) -> None:
    try:
        status = os.stat(path)  # noqa: PTH116 - hundreds of times a second
    except OSError:
        return  # it was closed meanwhile
    found = status.st_dev, status.st_ino
    if found in seen.files:
        return
    # Links and names tell nothing: a path may be too long to be told.
    if stat.S_ISSOCK(status.st_mode):
        seen.files.add(found)
        held.buffer_bytes += _SOCKET_BYTES
        seen.on_the_way += _on_the_way(path)
    elif stat.S_ISFIFO(status.st_mode):
        seen.files.add(found)
        held.buffer_bytes += _PIPE_BYTES
    elif stat.S_ISREG(status.st_mode) and status.st_nlink == 0 and status.st_dev in devices:
        seen.files.add(found)
        held.disk_bytes += status.st_blocks * 512
        held.inodes += 1


def _on_the_way(path: str) -> int:
    """Descriptors that were sent over a socket and not received yet (Linux 5.15)."""
    match = re.search(r"^scm_fds: (\d+)$", _text(path.replace("/fd/", "/fdinfo/")), re.MULTILINE)
    return int(match[1]) if match else 0


def _add_mappings(held: Holdings, seen: _Seen, pid: int, devices: Collection[int], file_bytes: int) -> None:
    """Deleted files and shared memory in one process's address space."""
    text = _text(f"/proc/{pid}/maps") or next(
        filter(None, (_text(f"/proc/{pid}/task/{thread}/maps") for thread in threads(pid))), ""
    )
    for start, end, kind, major, minor, inode, name in _MAPPING.findall(text):
        file = os.makedev(int(major, 16), int(minor, 16)), int(inode)
        if file in seen.files:
            continue
        seen.files.add(file)
        if file[0] in devices:
            held.disk_bytes += file_bytes
            held.inodes += 1
        elif kind == "s" and name.startswith(("/dev/zero", "/memfd:", "/dev/shm")):  # noqa: S108
            held.shared_bytes += int(end, 16) - int(start, 16)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""
