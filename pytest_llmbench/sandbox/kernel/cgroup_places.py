"""Where control groups can be made: found by trying, once, below the groups that this process is in."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pytest_llmbench import clock

PREFIX = "llmbench-"
CPU_V1, CPU_V2 = "cpuacct.usage", "cpu.stat"
MEMORY_V1, MEMORY_V2 = "memory.kmem.usage_in_bytes", "memory.max"
_V2 = ""
_OLD_S = 60.0
"""A group of a process that is not there any more is removed when it is older: that process may be out of our sight."""
_TRIES, _TRY_EVERY_S = 50, 0.01
_count = itertools.count()


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which a group is made for each command."""

    folder: Path
    door: str
    """Name of a group's file to which a process with one thread writes 0 to join."""
    cpu: bool = False
    memory: bool = False
    """Whether its groups count the one and limit the other."""

    def make(self) -> Path:
        """Make a group. Raises ``OSError``."""
        made = self.folder / f"{PREFIX}{os.getpid()}-{next(_count)}"
        made.mkdir()
        return made


@cache
def places() -> tuple[Place, ...]:
    """One place for both figures, or one for each that can be had. What dead processes left there is removed."""
    own = own_folders()
    cpu = next((place for place in _for_cpu(own) if _usable(place)), None)
    memory = next((place for place in _for_memory(own) if _usable(place)), None)
    if memory is not None and (cpu is None or cpu.door == memory.door == "cgroup.procs"):
        cpu, memory = None, Place(memory.folder, memory.door, cpu=_usable(memory, CPU_V2), memory=True)
    found = tuple(place for place in (cpu, memory) if place is not None)
    for place in found:
        tidy(place.folder)
    return found


def remove(group: Path) -> None:
    """Remove a group; the last of its processes may still be on their way out."""
    for _ in range(_TRIES):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_TRY_EVERY_S)
        else:
            return


def tidy(folder: Path) -> None:
    """Remove empty groups of processes that are gone."""
    for old in folder.glob(f"{PREFIX}*-*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if not Path("/proc", pid).exists() and clock.wall() - old.stat().st_mtime > _OLD_S:
                old.rmdir()


def own_folders() -> dict[str, Path]:
    """The folders of the groups that this process is in, by controller; "" is version 2."""
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    paths = {name: path for line in groups for _, names, path in [line.split(":", 2)] for name in names.split(",")}
    found: dict[str, Path] = {}
    for line in mounts:
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split()[:3]
        names = [_V2] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        for name in names:
            path = Path(paths.get(name, ".."))
            if path.is_relative_to(root) and (folder := point / path.relative_to(root)).is_dir():
                found.setdefault(name, Path(folder))
    return found


def _for_cpu(own: dict[str, Path]) -> Iterator[Place]:
    """Version 1 first: a single thread joins there at once, where version 2 waits for all processors (RCU)."""
    if "cpuacct" in own:
        yield Place(own["cpuacct"], "tasks", cpu=True)
    if _V2 in own:  # the figure needs no controller
        yield Place(own[_V2], "cgroup.procs", cpu=True)


def _for_memory(own: dict[str, Path]) -> Iterator[Place]:
    if "memory" in own:
        yield Place(own["memory"], "tasks", memory=True)
    if _V2 in own:
        folder = own[_V2]
        yield Place(folder, "cgroup.procs", memory=True)
        # A group with processes gives none of its controllers on, so the place is beside it; not where it has limits of
        # its own, which would not hold there.
        limits = [folder / name for name in ("memory.max", "cpu.max")]
        if all(_text(limit).startswith("max") for limit in limits if limit.exists()):
            yield Place(folder.parent, "cgroup.procs", memory=True)


def _usable(place: Place, *files: str) -> bool:
    """Whether groups can be made there that have the files needed and can be joined from here, by trying."""
    version_1 = place.door == "tasks"
    needed = [*files, *([CPU_V1 if version_1 else CPU_V2] if place.cpu else [])]
    needed += [MEMORY_V1 if version_1 else MEMORY_V2] if place.memory else []
    if not os.access(place.folder / "cgroup.procs", os.W_OK):
        return False
    try:
        trial = place.make()
    except OSError:
        return False
    try:
        return all((trial / file).exists() for file in needed)
    finally:
        remove(trial)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
