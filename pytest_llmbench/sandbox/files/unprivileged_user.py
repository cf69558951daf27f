"""Who a program runs as when we are root: nobody that exists.

The kernel holds root to no limit on processes, and lets root's processes read whatever root may. So a program that root
starts runs as a user of its own, with a number that no account has. An ordinary user's programs stay that user's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.sandbox.files.tree_walk import walk

_FIRST = 1_900_000_000
"""Numbers from here on are given to nobody, see https://systemd.io/UIDS-GIDS."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user and group without account."""

    uid: int
    gid: int

    def arguments(self) -> list[str]:
        """The command ``setpriv`` that becomes this identity, without any capability, and starts what follows."""
        return [
            *("/usr/bin/setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"),
            *("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"),
        ]

    def own(self, folder: Path) -> None:
        """Become the owner of a folder and all it holds; links are not followed. Raises ``OSError``.

        Links that are in other folders too stay whose they are: nothing about them can be changed but their names.
        """
        os.chown(folder, self.uid, self.gid)
        for parent, name, entry in walk(folder):
            shared_link = stat.S_ISLNK(entry.st_mode) and entry.st_nlink > 1
            if not shared_link:
                with contextlib.suppress(FileNotFoundError):
                    os.chown(name, self.uid, self.gid, dir_fd=parent, follow_symlinks=False)


def identity() -> Identity | None:
    """The identity of all programs that this process starts, unlike any other process's; None unless we are root."""
    if os.geteuid() != 0:
        return None
    number = _FIRST + os.getpid()
    return Identity(number, number)
