"""Control groups: the kernel's own count of what a command and all that comes of it use.

A child that nobody waits for is in no parent's figures, and no process's figures hold what the kernel keeps for it:
locks, mappings, buffers. In the group's they are. Groups are made where that is allowed: for root, or where a folder of
version 2 was given to this user (a systemd user session); ``cgroup_places.py`` finds out where.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.sandbox.kernel.cgroup_places import CPU_V1, CPU_V2, MEMORY_V1, places, remove
from pytest_llmbench.schema.execution import LimitHit, Limits

_MEGABYTE = 1 << 20
_SPARE_MB = 64
"""Kernel memory of honest programs that counts for nothing: tables, stacks, and what it remembers of files that they
looked at, which it would give back."""
_JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class Group:
    """What one command joins; falsy where there is nothing to be had."""

    doors: tuple[str, ...] = ()
    """Files to each of which a process with one thread writes 0 to join, with all that comes of it."""
    cpu: Path | None = None
    memory: Path | None = None
    """Folders with the figures."""

    def __bool__(self) -> bool:
        return bool(self.doors)

    def joining(self) -> list[str]:
        """The beginning of a command that first joins. It ends with status 125 where it cannot."""
        return ["/bin/sh", "-c", _JOIN, "join", *self.doors, "--"] if self else []

    @property
    def cpu_s(self) -> float:
        """CPU time of all that was ever in it."""
        if self.cpu is None:
            return 0.0
        if (self.cpu / CPU_V1).exists():
            return int((self.cpu / CPU_V1).read_text(encoding="utf-8")) / 1e9
        return _figures(self.cpu / CPU_V2)["usage_usec"] / 1e6

    @property
    def kernel_bytes(self) -> int:
        """What the kernel holds for the programs, beyond what it does for any: locks, mappings, buffers of sockets."""
        if self.memory is None:
            return 0
        if (self.memory / MEMORY_V1).exists():
            kernel, sockets = _number(self.memory / MEMORY_V1), _number(self.memory / "memory.kmem.tcp.usage_in_bytes")
        else:
            told = _figures(self.memory / "memory.stat")
            parts = sum(told.get(name, 0) for name in ("slab", "kernel_stack", "pagetables"))
            kernel, sockets = told.get("kernel", parts) - told.get("slab_reclaimable", 0), told.get("sock", 0)
        return max(0, kernel - _SPARE_MB * _MEGABYTE) + sockets

    def ended_for_memory(self, limits: Limits) -> LimitHit | None:
        """Whether the kernel ended a program of the group because there was no memory left within its limit."""
        if self.memory is None:
            return None
        old = self.memory / "memory.oom_control"
        told = _figures(old if old.exists() else self.memory / "memory.events")
        if not told.get("oom_kill"):
            return None
        peak = max(_number(self.memory / name) for name in ("memory.max_usage_in_bytes", "memory.peak"))
        return LimitHit("memory_mb", limits.memory_mb, round(peak / _MEGABYTE, 1) or limits.memory_mb)


NO_GROUP = Group()
UNSEEN_CPU = "CPU time of processes that nobody waits for is seen only if a look falls into their life"
"""What is missing without a group that counts it, in plain words."""
_UNSEEN_MEMORY = (
    "memory that the kernel holds for a program is estimated by what can be seen of it (mappings, pipes, sockets, "
    "data in connections) and can be several times as much"
)


@contextlib.contextmanager
def group(limits: Limits) -> Iterator[Group]:
    """Make a group for one command, which must have ended with the context. Raises ``OSError``."""
    with contextlib.ExitStack() as stack:
        doors: list[str] = []
        cpu = memory = None
        for place in places():
            made = place.make()
            stack.callback(remove, made)
            doors.append(f"{made}/{place.door}")
            cpu = made if place.cpu else cpu
            if place.memory:
                memory = made
                _limit(made, limits)
        yield Group(tuple(doors), cpu, memory)


def gaps() -> tuple[str, ...]:
    """What is missing where not all can be had, in plain words."""
    found = places()
    told = []
    if not any(place.cpu for place in found):
        told.append(UNSEEN_CPU)
    if not any(place.memory for place in found):
        told.append(_UNSEEN_MEMORY)
    return tuple(told)


def _limit(folder: Path, limits: Limits) -> None:
    """Have the kernel end what takes far too much between two looks, without swap. Raises ``OSError``.

    What files are read and written passes through the group's memory too, but is given back at the limit. Files of
    ``tmpfs`` (bubblewrap's ``/tmp``, the workspace on some machines) are not: they have a limit of their own, which
    comes on top, so that they cost nobody his memory.
    """
    most = str(max(0, limits.memory_mb + _SPARE_MB + limits.disk_mb) * _MEGABYTE)
    if (folder / MEMORY_V1).exists():
        (folder / "memory.limit_in_bytes").write_text(most, encoding="utf-8")
        # Buffers of TCP have a counter of their own, which is off until it has a limit.
        (folder / "memory.kmem.tcp.limit_in_bytes").write_text(
            str(max(0, limits.memory_mb) * _MEGABYTE), encoding="utf-8"
        )
        no_swap = (("memory.swappiness", "0"), ("memory.memsw.limit_in_bytes", most))
    else:
        (folder / "memory.max").write_text(most, encoding="utf-8")
        no_swap = (("memory.swap.max", "0"), ("memory.oom.group", "1"))
    for name, value in no_swap:
        if (folder / name).exists():
            (folder / name).write_text(value, encoding="utf-8")


def _figures(file: Path) -> dict[str, int]:
    """Names and numbers, one pair a line."""
    return {name: int(number) for name, number in map(str.split, file.read_text(encoding="utf-8").splitlines())}


def _number(file: Path) -> int:
    """The number in a file; 0 where there is no such file."""
    try:
        return int(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
