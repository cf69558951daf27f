"""Looking after a program in a container, whose processes are no descendants of ours."""

from __future__ import annotations

from pytest_llmbench import clock
from pytest_llmbench.sandbox.container.init import find, process_ids
from pytest_llmbench.sandbox.supervise.disk_usage import Disk
from pytest_llmbench.sandbox.supervise.watchdog import Watchdog
from pytest_llmbench.schema.execution import LimitHit, Limits

START_S = 20.0
"""How long a container may take to start."""
_SEEK_EVERY_S = 0.01


class ContainerWatchdog(Watchdog):
    """Looks at the tree below a container's process 1 as soon as there is one; time counts from then on.

    Where process 1 is out of sight, all it sees is plain wall time, of which the container's start is a part.
    """

    def __init__(self, mark: str, limits: Limits, disk: Disk) -> None:
        """``mark``: of the container's process 1, which is to be started after this."""
        super().__init__(0, limits, launchers=1, disk=disk)
        self._mark = mark
        self._earlier = process_ids()

    @property
    def process_1(self) -> int | None:
        """Process id of the container's process 1 as this machine counts; None: not seen so far."""
        return self._root or None

    def look(self) -> LimitHit | None:
        """As ``Watchdog.look``."""
        if not self._root and not self._seek():
            late_s = self.wall_s - START_S
            return LimitHit("wall_s", self._limits.wall_s, round(late_s, 3)) if late_s > self._limits.wall_s else None
        return super().look()

    def _seek(self) -> bool:
        self._root = find(self._mark, self._earlier) or 0
        now = clock.monotonic()
        if self._root:
            self._started = self._last_look = now
        else:
            self._next_look = now + _SEEK_EVERY_S
        return bool(self._root)
