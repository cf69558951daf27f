"""Control groups: the kernel's own count of the CPU time that a command and all that comes of it use.

A child that nobody waits for is in no parent's figures; in its group's it is. A group is made below the one that this
process is in, so that whatever holds for us holds for it, and only where that is allowed: for root, or where a folder
of version 2 was given to this user (a systemd user session). Version 2 needs no controller for the figure; where there
is none it comes from ``cpuacct`` of version 1.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PREFIX = "llmbench-"
_OLD_S = 60.0
"""A group of a process that is not there any more is removed when it is older: that process may be out of our sight."""
_V2_FIGURE = "cpu.stat"
_TRIES, _TRY_EVERY_S = 50, 0.01
_JOIN = 'echo 0 >"$1" || exit 125; shift; exec "$@"'
_count = itertools.count()


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder in which groups can be made."""

    folder: Path
    figure: str
    """The file with the CPU time of a group."""


@dataclass(frozen=True, slots=True)
class Group:
    """The group of one command; falsy where there is none to be had."""

    folder: Path | None = None
    figure: str = ""

    def __bool__(self) -> bool:
        return self.folder is not None

    @property
    def door(self) -> str:
        """The file to which a process writes 0 to join, with all that comes of it; "" without a group."""
        return f"{self.folder}/cgroup.procs" if self else ""

    def joining(self) -> list[str]:
        """The beginning of a command that first joins. It ends with status 125 where it cannot."""
        return ["/bin/sh", "-c", _JOIN, "join", self.door] if self else []

    @property
    def cpu_s(self) -> float:
        """CPU time of all that was ever in it."""
        if self.folder is None:
            return 0.0
        text = (self.folder / self.figure).read_text()
        if self.figure == _V2_FIGURE:
            return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("usage_usec")) / 1e6
        return int(text) / 1e9


NO_GROUP = Group()


@contextlib.contextmanager
def group() -> Iterator[Group]:
    """Make a group for one command, which must have ended with the context. Raises ``OSError``."""
    place = _place()
    if place is None:
        yield NO_GROUP
        return
    folder = place.folder / f"{_PREFIX}{os.getpid()}-{next(_count)}"
    folder.mkdir()
    try:
        yield Group(folder, place.figure)
    finally:
        _remove(folder)


def gaps() -> tuple[str, ...]:
    """What is missing where no group can be had, in plain words."""
    if _place() is not None:
        return ()
    return ("CPU time of processes that nobody waits for is seen only if a look falls into their life",)


def _remove(folder: Path) -> None:
    """Remove a group; the last of its processes may still be on their way out."""
    for _ in range(_TRIES):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_TRY_EVERY_S)
        else:
            return


@cache
def _place() -> _Place | None:
    """Where groups can be made; None: nowhere. What dead processes left there is removed."""
    own = _own_folders()
    for controller, figure in (("", _V2_FIGURE), ("cpuacct", "cpuacct.usage")):
        folder = own.get(controller)
        if folder is not None and _usable(folder, figure):
            _tidy(folder)
            return _Place(folder, figure)
    return None


def _usable(folder: Path, file: str) -> bool:
    """Whether groups can be made in ``folder`` that have ``file`` and can be joined from here, by trying."""
    trial = folder / f"{_PREFIX}{os.getpid()}-{next(_count)}"
    try:
        trial.mkdir()
    except OSError:
        return False
    try:
        return (trial / file).exists() and os.access(folder / "cgroup.procs", os.W_OK)
    finally:
        _remove(trial)


def _tidy(folder: Path) -> None:
    """Remove empty groups of processes that are gone."""
    for old in folder.glob(f"{_PREFIX}*-*"):
        pid = old.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if not Path("/proc", pid).exists() and time.time() - old.stat().st_mtime > _OLD_S:
                old.rmdir()


def _own_folders() -> dict[str, Path]:
    """The folders of the groups that this process is in, by controller; "" is version 2."""
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return {}
    paths = {name: path for line in groups for _, names, path in [line.split(":", 2)] for name in names.split(",")}
    found: dict[str, Path] = {}
    for line in mounts:
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split()[:3]
        names = [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        for name in names:
            path = Path(paths.get(name, ".."))
            if path.is_relative_to(root) and (folder := point / path.relative_to(root)).is_dir():
                found.setdefault(name, Path(folder))
    return found
