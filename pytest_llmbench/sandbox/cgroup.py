"""Control groups: the kernel's own count of what a command and all that comes of it use.

A child that nobody waits for is in no parent's figures; in its group's it is. A group is made below the one that this
process is in, so that whatever holds for us holds for it, and only where that is allowed: for root, or where a folder
of version 2 was given to this user (a systemd user session). Figures of CPU time come from version 2, which needs no
controller for them, else from ``cpuacct`` of version 1; numbers of processes are held by ``pids`` of either.
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

from pytest_llmbench.schema.execution import Limits

_PREFIX = "llmbench-"
_OLD_S = 60.0
"""A group of a process that is not there any more is removed when it is older: that process may be out of our sight."""
_SPARE_PROCESSES = 12
"""The sandbox's own processes, and what the watchdog must still see to name the limit."""
_TRIES, _TRY_EVERY_S = 50, 0.01
_JOIN = 'for g in $1; do echo 0 >"$g" || exit 125; done; shift; exec "$@"'
_count = itertools.count()


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder in which groups can be made."""

    folder: Path
    figure: str = ""
    """The file with the CPU time of a group."""
    limits_processes: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The group of one command; falsy where there is none to be had."""

    folders: tuple[Path, ...] = ()
    figure: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.folders)

    @property
    def doors(self) -> list[str]:
        """Files; a process that writes 0 to each has joined, with all that comes of it."""
        return [f"{folder}/cgroup.procs" for folder in self.folders]

    def joining(self) -> list[str]:
        """The beginning of a command that first joins. It ends with status 125 where it cannot."""
        return ["/bin/sh", "-c", _JOIN, "join", " ".join(self.doors)] if self else []

    @property
    def cpu_s(self) -> float:
        """CPU time of all that was ever in it."""
        if self.figure is None:
            return 0.0
        text = self.figure.read_text()
        if self.figure.name == "cpu.stat":
            return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("usage_usec")) / 1e6
        return int(text) / 1e9


NO_GROUP = Group()


@contextlib.contextmanager
def group(limits: Limits) -> Iterator[Group]:
    """Make a group for one command, which must have ended with the context. Raises ``OSError``."""
    made: list[Path] = []
    figure = None
    try:
        for place in _places():
            folder = place.folder / f"{_PREFIX}{os.getpid()}-{next(_count)}"
            folder.mkdir()
            made.append(folder)
            if place.figure:
                figure = folder / place.figure
            if place.limits_processes:
                (folder / "pids.max").write_text(str(limits.processes + _SPARE_PROCESSES))
        yield Group(tuple(made), figure)
    finally:
        for folder in made:
            _remove(folder)


def gaps() -> tuple[str, ...]:
    """What is missing where no group can be had, in plain words."""
    found = []
    if not any(place.figure for place in _places()):
        found.append("CPU time of processes that nobody waits for is seen only if a look falls into their life")
    return tuple(found)


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
def _places() -> tuple[_Place, ...]:
    """Where groups can be made, as few as give all that there is. What dead processes left there is removed."""
    found: list[_Place] = []
    own = _own_folders()
    unified = own.get("")
    if unified is not None and _usable(unified, "cpu.stat"):
        found.append(_Place(unified, "cpu.stat", _usable(unified, "pids.max", enable="pids")))
    elif (folder := own.get("cpuacct")) is not None and _usable(folder, "cpuacct.usage"):
        found.append(_Place(folder, "cpuacct.usage"))
    pids = own.get("pids")
    if pids is not None and not any(place.limits_processes for place in found) and _usable(pids, "pids.max"):
        found.append(_Place(pids, limits_processes=True))
    for place in found:
        _tidy(place.folder)
    return tuple(found)


def _usable(folder: Path, file: str, *, enable: str = "") -> bool:
    """Whether groups can be made in ``folder`` that have ``file``, by trying."""
    trial = folder / f"{_PREFIX}{os.getpid()}-trial"
    try:
        if enable and enable not in (folder / "cgroup.subtree_control").read_text().split():
            (folder / "cgroup.subtree_control").write_text(f"+{enable}")
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
