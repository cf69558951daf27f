"""How much a command has written, seen from outside while it runs."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pytest_llmbench.sandbox.procfs import children, tree
from pytest_llmbench.sandbox.walk import walk

_MOST_DESCRIPTORS = 20_000
"""Looked at in one go; a tree that has more of them open is looked at in part."""


@dataclass(slots=True)
class DiskUsage:
    """What files take at one moment."""

    size_bytes: int = 0
    inodes: int = 0
    memory_bytes: int = 0
    """Of files that exist in memory alone (memfd)."""


class Disk:
    """The places that a command can write to."""

    def __init__(self, folders: Sequence[Path], *, home: str = "", volatile: Sequence[str] = ()) -> None:
        """``folders``: on our side, the workspace first.

        ``volatile``: paths inside of file systems that begin and end with the command. ``home``: the workspace's path
        inside, by which a root that is set up is known from one that is still ours.
        """
        self._folders = folders
        self._home = home
        self._volatile = volatile

    def usage(self, launcher: int | None, at_most: int) -> DiskUsage:
        """Measure all places; counting ends after ``at_most`` files.

        ``launcher``: process id above the command's process 1; None when all have ended, and the volatile file
        systems with them.
        """
        usage = DiskUsage()
        for folder in self._folders:
            _add_folder(usage, folder, at_most)
        if launcher is not None:
            self._add_volatile(usage, launcher)
            self._add_deleted(usage, launcher)
        return usage

    def _add_volatile(self, usage: DiskUsage, launcher: int) -> None:
        for pid in children(launcher)[:1] if self._volatile else ():
            root = f"/proc/{pid}/root"
            # Whatever fails here: it has just ended, or has not come so far.
            with contextlib.suppress(OSError):
                if self._folders[0].samefile(root + self._home):
                    for path in self._volatile:
                        status = os.statvfs(root + path)
                        usage.size_bytes += (status.f_blocks - status.f_bfree) * status.f_frsize
                        usage.inodes += status.f_files - status.f_ffree

    def _add_deleted(self, usage: DiskUsage, launcher: int) -> None:
        """Files that have no name any more but are open."""
        devices = {folder.stat().st_dev for folder in self._folders}
        seen: set[tuple[int, int]] = set()
        for path in islice(_descriptors(launcher), _MOST_DESCRIPTORS):
            with contextlib.suppress(OSError):
                target = os.readlink(path)  # noqa: PTH115 - hundreds of times a second
                if not target.endswith(" (deleted)"):
                    continue
                status = os.stat(path)  # noqa: PTH116
                if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) in seen:
                    continue
                seen.add((status.st_dev, status.st_ino))
                if target.startswith("/memfd:"):
                    usage.memory_bytes += status.st_blocks * 512
                elif status.st_dev in devices:
                    usage.size_bytes += status.st_blocks * 512
                    usage.inodes += 1


def _descriptors(launcher: int) -> Iterator[str]:
    """Links to everything that a tree has open."""
    for pid in tree(launcher):
        folder = f"/proc/{pid}/fd"
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(folder):  # noqa: PTH208
                yield f"{folder}/{descriptor}"


def _add_folder(usage: DiskUsage, folder: Path, at_most: int) -> None:
    linked: set[tuple[int, int]] = set()
    # What is moved about while we look ends the look; the next one sees it.
    with contextlib.suppress(OSError):
        for _, _, entry in islice(walk(folder), max(0, at_most + 1 - usage.inodes)):
            usage.inodes += 1
            if entry.st_nlink > 1 and not stat.S_ISDIR(entry.st_mode):
                if (entry.st_dev, entry.st_ino) in linked:
                    continue
                linked.add((entry.st_dev, entry.st_ino))
            usage.size_bytes += entry.st_blocks * 512
