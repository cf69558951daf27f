"""Looking after a running process tree, to see which limit it hits.

The kernel's own limits hold for one process each. What holds for a tree is measured here, a few dozen times a
second, and never in the first moments: most programs end before the first look.
"""

from __future__ import annotations

from pytest_llmbench import clock
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.kernel.cgroup import NO_GROUP, Group
from pytest_llmbench.sandbox.supervise.disk_usage import Disk, DiskUsage
from pytest_llmbench.sandbox.supervise.kernel_memory import Locks
from pytest_llmbench.sandbox.supervise.procfs import TreeUsage, counted_once, measure, tree, written
from pytest_llmbench.sandbox.supervise.unlinked_files import Inventory, UnlinkedUsage
from pytest_llmbench.schema.execution import LimitHit, Limits

FIRST_LOOK_S = 0.05
LOOK_EVERY_S = 0.03
_MEGABYTE = 1 << 20
_STARVED_FACTOR = 10
_STARVED_EXTRA_S = 5.0
_PAUSE_AFTER_DISK = 9
"""Times the cost of a look: looking at many files takes at most a tenth of the time, unless the disk fills up."""
_TELLING = 8
"""The part of a limit that must be written, or missing from the free space, to be looked after at once."""


class Watchdog:
    """Compares what a tree uses with its limits."""

    def __init__(
        self,
        root: int,
        limits: Limits,
        *,
        launchers: int = 0,
        disk: Disk | None = None,
        group: Group = NO_GROUP,
    ) -> None:
        """``root``: process id on top of the tree. ``launchers``: processes of the tree that are the sandbox's own.

        ``disk``: where the tree can write; None: nowhere that matters. ``group``: which the tree has joined.
        """
        self._group = group
        self._root = root
        self._limits = limits
        self._launchers = launchers
        self._disk = disk
        self._written = DiskUsage()
        self._inventory = Inventory(disk.devices(), limits) if disk is not None else None
        self._held = UnlinkedUsage()
        self._locks = Locks()
        self._lock_bytes = 0
        self._free = (0, 0)
        self._wrote_bytes = 0
        self._next_disk_look = 0.0
        self.cpu_s = 0.0
        """CPU time of the tree as it was last seen."""
        self._started = self._last_look = clock.monotonic()
        self._next_look = self._started + FIRST_LOOK_S
        self._tasks: dict[int, tuple[int, int]] = {}
        self._fair_wall_s = 0.0
        self.waited_s = 0.0
        """Seconds up to the last look in which the tree waited for a CPU that other work had."""

    @property
    def wall_s(self) -> float:
        """Seconds since the start, waits for a CPU included."""
        return clock.monotonic() - self._started

    @property
    def rest_s(self) -> float:
        """Seconds until the next look; 0 when it is due."""
        return max(0.0, self._next_look - clock.monotonic())

    def look(self) -> LimitHit | None:
        """Measure the tree and return the limit that it exceeds.

        Raises ``SandboxError`` when it ran far longer than its wall limit because other work had the CPUs.
        """
        usage = measure(self._root, self._limits.processes + self._launchers)
        usage.cpu_s = max(usage.cpu_s, self._group.cpu_s)
        now = clock.monotonic()
        fair_s = self._unhindered_s(usage, now - self._last_look)
        self._fair_wall_s += fair_s
        self.waited_s += now - self._last_look - fair_s
        self._last_look, self._next_look = now, now + LOOK_EVERY_S
        self.cpu_s = max(self.cpu_s, usage.cpu_s)
        self._look_at_disk(self._root)
        self._lock_bytes = self._locks.look(self._root, self._launchers)
        hit = self._exceeded(usage) or self._overwritten()
        starved_s = self._limits.wall_s * _STARVED_FACTOR + _STARVED_EXTRA_S
        if hit is None and now - self._started > starved_s:
            msg = (
                f"wall limit hit for want of a CPU: after {now - self._started:.1f} s the command had got "
                f"{usage.cpu_s:.1f} s of CPU time. Run fewer workers (-n) or other programs beside it."
            )
            raise SandboxError(msg)
        return hit

    def look_at_the_end(self) -> LimitHit | None:
        """What was written, and what the kernel ended, however short the time was, once the whole tree has ended."""
        self._next_disk_look = 0.0
        self._look_at_disk(None)
        return self._group.ended_for_memory(self._limits) or self._overwritten()

    def _look_at_disk(self, root: int | None) -> None:
        """Measure what was written, unless the last time was so dear that it would hinder the machine."""
        started = clock.monotonic()
        if self._disk is not None and (started >= self._next_disk_look or self._fills_up(self._disk)):
            self._free, self._wrote_bytes = self._disk.free(), self._tree_wrote_bytes()
            self._written = self._disk.usage(root, self._limits.inodes)
            self._held = UnlinkedUsage()
            if root is not None and self._inventory is not None:
                self._held = self._inventory.look(root, self._launchers)
            ended = clock.monotonic()
            self._next_disk_look = ended + _PAUSE_AFTER_DISK * (ended - started)

    def _fills_up(self, disk: Disk) -> bool:
        """Whether much was written since the last look, or much less is free: others may free or fill space too."""
        free_bytes, free_inodes = disk.free()
        less_bytes, less_inodes = self._free[0] - free_bytes, self._free[1] - free_inodes
        more_bytes = max(less_bytes, self._tree_wrote_bytes() - self._wrote_bytes)
        limits = self._limits
        return more_bytes > limits.disk_mb * _MEGABYTE / _TELLING or less_inodes > limits.inodes / _TELLING

    def _tree_wrote_bytes(self) -> int:
        """To disks, by all that live."""
        return sum(written(pid)[0] for pid in tree(self._root))

    def _overwritten(self) -> LimitHit | None:
        limits, written, held = self._limits, self._written, self._held
        size_bytes, inodes = written.size_bytes + held.disk_bytes, written.inodes + held.inodes
        if size_bytes > limits.disk_mb * _MEGABYTE:
            return LimitHit("disk_mb", limits.disk_mb, round(size_bytes / _MEGABYTE, 1))
        if inodes > limits.inodes:
            return LimitHit("inodes", limits.inodes, inodes)
        return None

    def _unhindered_s(self, usage: TreeUsage, passed_s: float) -> float:
        """The part of ``passed_s`` in which the tree ran, slept, or had only itself to wait for."""
        ran = waited = 0
        for thread, (run_ns, wait_ns) in usage.tasks.items():
            ran_before, waited_before = self._tasks.get(thread, (0, 0))
            if run_ns < ran_before:  # the number was given to a new thread
                ran_before = waited_before = 0
            ran += run_ns - ran_before
            waited += wait_ns - waited_before
        self._tasks = usage.tasks
        # Threads of one tree also wait for each other: while any of them ran, nothing hindered the tree.
        hindered_s = min(waited / 1e9, max(0.0, passed_s - ran / 1e9))
        return passed_s - hindered_s

    def _memory_bytes(self, private_bytes: int, shared_bytes: int) -> int:
        """All memory of the tree; of shared memory what is in use, or what was let go of but not given back."""
        in_the_kernel = max(self._held.buffer_bytes, self._group.kernel_bytes)
        return private_bytes + max(shared_bytes, self._held.shared_bytes) + in_the_kernel + self._lock_bytes

    def _exceeded(self, usage: TreeUsage) -> LimitHit | None:
        limits = self._limits
        if hit := self._group.ended_for_memory(limits):
            return hit
        processes = len(usage.tasks) - self._launchers
        if processes > limits.processes:
            return LimitHit("processes", limits.processes, processes)
        allowed_bytes = limits.memory_mb * _MEGABYTE
        memory_bytes = self._memory_bytes(usage.private_bytes, usage.shared_bytes)
        # Pages that forked processes share are first counted for each of them, which is quick, then only once.
        if memory_bytes > allowed_bytes:
            memory_bytes = self._memory_bytes(*counted_once(self._root))
        if memory_bytes > allowed_bytes:
            return LimitHit("memory_mb", limits.memory_mb, round(memory_bytes / _MEGABYTE, 1))
        if usage.cpu_s > limits.cpu_s:
            return LimitHit("cpu_s", limits.cpu_s, round(usage.cpu_s, 3))
        if self._fair_wall_s > limits.wall_s:
            return LimitHit("wall_s", limits.wall_s, round(self._fair_wall_s, 3))
        return None
