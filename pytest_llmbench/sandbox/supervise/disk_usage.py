"""How much a command has written, seen from outside while it runs."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pytest_llmbench.sandbox.files.tree_walk import walk
from pytest_llmbench.sandbox.supervise.procfs import children


@dataclass(slots=True)
class DiskUsage:
    """What files take at one moment."""

    size_bytes: int = 0
    inodes: int = 0


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

    def devices(self) -> set[int]:
        """The file systems of the folders on our side."""
        found = set()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                found.add(folder.stat().st_dev)
        return found

    def free(self) -> tuple[int, int]:
        """Bytes and inodes free where our folders lie: cheap to ask, and shared with others."""
        size_bytes = inodes = 0
        for folder in {folder.stat().st_dev: folder for folder in self._folders if folder.exists()}.values():
            status = os.statvfs(folder)
            size_bytes += status.f_bfree * status.f_frsize
            inodes += status.f_ffree
        return size_bytes, inodes

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
