"""What a process tree holds that no file name leads to, and no figure of a process shows.

Deleted files that are open or mapped, files on their way over a socket, shared memory that was let go of but not given
back, and what the kernel keeps for pipes, sockets, mappings and locks. Where only an upper bound can be seen, that is
what counts.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass, field

from pytest_llmbench import clock
from pytest_llmbench.sandbox.supervise import kernel_memory
from pytest_llmbench.sandbox.supervise.procfs import descriptors_of, entries, memory_status, threads, tree, written
from pytest_llmbench.schema.execution import Limits

_SOCKET_BYTES, _PIPE_BYTES = 212_992, 65_536
"""What the kernel buffers at most for each, as long as nobody asks for more."""
_CHECK_S = 0.1
"""How often a long look asks whether much is being written."""
_TELLING = 8
"""The part of the disk limit that is much."""
_ON_THE_WAY = 8
"""So many descriptors may be on their way between processes, as when one hands over its listening socket."""
_PATIENCE = 10
"""Looks after which what is still unclear counts as all that it could be: a receiver may take its time, a program that
nobody can look into may be about to end."""
_MAPPING = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) ...(.) [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+) +(/.*) \(deleted\)$", re.MULTILINE
)


@dataclass(slots=True)
class UnlinkedUsage:
    """What is held at one moment."""

    disk_bytes: int = 0
    inodes: int = 0
    buffer_bytes: int = 0
    """Of pipes, sockets and mappings."""
    shared_bytes: int = 0
    """Size of all shared memory, in use or not."""


@dataclass(slots=True)
class _Look:
    """One time through the tree."""

    files: set[tuple[int, int]] = field(default_factory=set)
    """Device and number of what has been counted."""
    on_the_way: int = 0
    unclear: set[tuple[int, int]] = field(default_factory=set)
    """Sockets over which something is on its way, by device and number, and processes that cannot be looked into."""


class Inventory:
    """What one tree holds, look after look."""

    def __init__(self, devices: Collection[int], limits: Limits) -> None:
        """``devices``: file systems whose files count as disk use."""
        self._devices = devices
        self._disk_bytes = limits.disk_mb << 20
        self._file_bytes = limits.file_mb << 20
        self._most_bytes = limits.open_files * self._file_bytes
        self._unclear: dict[tuple[int, int], int] = {}

    def look(self, root: int, launchers: int) -> UnlinkedUsage:
        """Look through the tree below ``root``, of whose processes the first ``launchers`` are the sandbox's own.

        Those that wrote most come first, and nobody after the limit is passed: the rest could take so long that the one
        that fills the disk does so meanwhile. One that begins to do so during a look has it begin again, once.
        """
        held = self._through(root, launchers, patient=False)
        return held if held is not None else self._through(root, launchers, patient=True) or UnlinkedUsage()

    def _through(self, root: int, launchers: int, *, patient: bool) -> UnlinkedUsage | None:
        """One time through the tree; None when much was written meanwhile, unless it is ``patient``."""
        held, look = UnlinkedUsage(), _Look()
        pids = list(tree(root))
        wrote = {pid: written(pid) for pid in pids}
        check_at = clock.monotonic() + _CHECK_S
        for pid in [*pids[:launchers], *sorted(pids[launchers:], key=wrote.__getitem__, reverse=True)]:
            if held.disk_bytes > self._disk_bytes:
                break
            if not patient and clock.monotonic() >= check_at:
                if sum(written(each)[0] - wrote[each][0] for each in pids) > self._disk_bytes // _TELLING:
                    return None
                check_at = clock.monotonic() + _CHECK_S
            folder = descriptors_of(pid)
            if pid not in pids[:launchers] and not os.access(folder, os.R_OK) and "RssAnon:" in memory_status(pid):
                look.unclear.add((0, pid))  # it lives and may not be looked into; the dead are nobody's either
            for descriptor in entries(folder):
                self._add_descriptor(held, look, f"{folder}/{descriptor}")
            self._add_mappings(held, look, pid)
        if pids[launchers:]:
            held.buffer_bytes += kernel_memory.of_connections(pids[launchers])
        held.disk_bytes += max(0, look.on_the_way - _ON_THE_WAY) * self._file_bytes
        self._unclear = {what: self._unclear.get(what, 0) + 1 for what in look.unclear}
        if max(self._unclear.values(), default=0) >= _PATIENCE:
            held.disk_bytes += self._most_bytes
        return held

    def _add_descriptor(self, held: UnlinkedUsage, look: _Look, path: str) -> None:
        try:
            status = os.stat(path)  # noqa: PTH116 - hundreds of times a second
        except OSError:
            return  # it was closed meanwhile
        found = status.st_dev, status.st_ino
        if found in look.files:
            return
        # Links and names tell nothing: a path may be too long to be told.
        if stat.S_ISSOCK(status.st_mode):
            look.files.add(found)
            held.buffer_bytes += _SOCKET_BYTES
            if on_the_way := _on_the_way(path):
                look.on_the_way += on_the_way
                look.unclear.add(found)
        elif stat.S_ISFIFO(status.st_mode):
            look.files.add(found)
            held.buffer_bytes += _PIPE_BYTES
        elif stat.S_ISREG(status.st_mode) and status.st_nlink == 0 and status.st_dev in self._devices:
            look.files.add(found)
            held.disk_bytes += status.st_blocks * 512
            held.inodes += 1

    def _add_mappings(self, held: UnlinkedUsage, look: _Look, pid: int) -> None:
        """Deleted files and shared memory in one process's address space."""
        text = _text(f"/proc/{pid}/maps") or next(
            filter(None, (_text(f"/proc/{pid}/task/{thread}/maps") for thread in threads(pid))), ""
        )
        held.buffer_bytes += kernel_memory.of_mappings(text)
        for start, end, kind, major, minor, inode, name in _MAPPING.findall(text):
            file = os.makedev(int(major, 16), int(minor, 16)), int(inode)
            if file in look.files:
                continue
            look.files.add(file)
            if file[0] in self._devices:
                held.disk_bytes += self._file_bytes
                held.inodes += 1
            elif kind == "s" and name.startswith(("/dev/zero", "/dev/shm")):  # noqa: S108
                held.shared_bytes += int(end, 16) - int(start, 16)


def _on_the_way(path: str) -> int:
    """Descriptors that were sent over a socket and not received yet (Linux 5.15)."""
    match = re.search(r"^scm_fds: (\d+)$", _text(path.replace("/fd/", "/fdinfo/")), re.MULTILINE)
    return int(match[1]) if match else 0


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""
