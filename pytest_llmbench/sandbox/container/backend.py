"""Isolation by containers of an image that the user names, through the command line of podman or docker.

For systems without Linux namespaces of one's own, and for those who prefer images. A program sees the image read-only,
its workspace at ``/w`` and an empty ``/tmp``; toolchains are those of the image.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.container import engine as container_engine
from pytest_llmbench.sandbox.container.command_line import ContainerSpec
from pytest_llmbench.sandbox.container.engine import Runtime
from pytest_llmbench.sandbox.container.init import REPORT_BYTES, SHELL, Report, read_report
from pytest_llmbench.sandbox.container.seccomp_profile import profile
from pytest_llmbench.sandbox.container.watchdog import START_S, ContainerWatchdog
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.files.unprivileged_user import identity
from pytest_llmbench.sandbox.kernel.cgroup import UNSEEN_CPU
from pytest_llmbench.sandbox.kernel.seccomp import AF_UNIX, LOOPBACK_FAMILIES
from pytest_llmbench.sandbox.supervise.disk_usage import Disk
from pytest_llmbench.sandbox.supervise.process import ProcessExit, execute
from pytest_llmbench.schema.execution import LimitHit, Limits, Toolchain

_HOME = "/w"
_LIFETIME_FACTOR, _LIFETIME_EXTRA_S = 11, 60.0
"""After so many times its wall limit nobody can be waiting for a container any more."""
_RUNTIME_FAILED = (125, *range(-64, 0))
"""Statuses of the runtime's command when it failed itself, or was killed; no program's status is taken from there."""


class Container(Backend):
    """Runs each command in a container of its own, which is removed at once. ``container`` makes a usable class."""

    runtime: ClassVar[Runtime]
    image: ClassVar[str]
    guarantees = (
        "no network",
        "no files of this machine but those that a task shows, read-only",
        "no other processes",
        "no environment of yours",
        "a user without rights",
        "dangerous system calls denied",
        "limits on time, memory, processes, files and output",
        "nothing left running",
    )
    gaps = (
        "holes in the kernel, which is shared with this machine or the runtime's virtual machine",
        "memory and disk are measured many times a second and can be exceeded in between",
        UNSEEN_CPU,
        "honest programs miss: news of changed files",
        "where the runtime is on another machine, a virtual one included, no tree is measured: CPU time is limited for "
        "each process only, wall time includes waits for a CPU, memory includes /tmp, and the workspace's size is seen "
        "at the end",
        "what the image holds, its environment included, and where the runtime keeps it can be seen",
        "when pytest is killed by force, docker ends its last program only as the next run begins",
    )

    @classmethod
    def describe(cls) -> str:
        """``podman 4.3.1, image NAME (ID)``. Raises ``SandboxError`` when the runtime or the image is not there.

        Containers of runs that were killed by force are removed on this occasion.
        """
        engine = container_engine.engine(cls.runtime)
        found = container_engine.image(cls.runtime, cls.image)
        engine.remove_forgotten()
        return f"{cls.runtime} {engine.version}, image {cls.image} ({found.id[:12]})"

    def __init__(self, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> None:
        """``toolchains``: of the image, see ``container_toolchains``.

        Raises ``SandboxError`` when the runtime or the image is not there.
        """
        super().__init__(workspace, toolchains)
        self._engine = container_engine.engine(self.runtime)
        self._image = container_engine.image(self.runtime, self.image)

    def home(self, bed: Bed) -> str:  # noqa: ARG002 - part of the seam
        """``/w``."""
        return _HOME

    def seen_at(self, file: Path, inside: str) -> str:  # noqa: ARG002 - part of the seam
        """``inside``."""
        return inside

    def execute(self, launch: Launch, bed: Bed) -> ProcessExit:
        """In a container of its own, by the runtime's command."""
        writable = {bed.workspace: _HOME, **{path: str(path) for path in bed.caches.values()}}
        who = None if self._engine.rootless else identity()
        if who is not None:
            try:
                who.own(bed.top)
            except OSError as error:
                msg = f"{self.name} failed: the workspace cannot be handed over: {error}"
                raise SandboxError(msg) from error
        mark = secrets.token_hex(16)
        lifetime_s = math.ceil(START_S + _LIFETIME_EXTRA_S + _LIFETIME_FACTOR * launch.limits.wall_s)
        families = LOOPBACK_FAMILIES if launch.loopback else frozenset({AF_UNIX})
        watchdog = ContainerWatchdog(
            mark,
            launch.limits,
            Disk(list(writable), home=_HOME, volatile=("/tmp", "/dev/shm")),  # noqa: S108
        )
        with _file(profile(families)) as filter_file:
            name = container_engine.new_name(lifetime_s)
            box = ContainerSpec(self._engine, self._image, name, mark, lifetime_s, filter_file, who, writable)
            ended = self._attached(box, launch, watchdog)
        return self._of_program(ended, read_report(ended.stderr, mark), launch.limits, watchdog)

    def _attached(self, box: ContainerSpec, launch: Launch, watchdog: ContainerWatchdog) -> ProcessExit:
        """Run the runtime's command to its end; nothing of the container is left after it."""
        orderly = False
        try:
            ended = execute(
                box.command(launch),
                env=container_engine.environment(),
                limits=replace(launch.limits, output_bytes=launch.limits.output_bytes + REPORT_BYTES),
                kill=lambda leader: self._end(leader, watchdog, box.name),
                stdin=launch.stdin,
                cwd=box.filter_file.parent,  # podman leaves a note there when memory ran out
                watchdog=watchdog,
            )
            orderly = ended.status == 0
        except OSError as error:
            msg = f"{self._engine.program} could not be started: {error}"
            raise SandboxError(msg) from error
        finally:
            if not orderly:
                self._engine.remove(box.name)
        return ended

    def _end(self, leader: int, watchdog: ContainerWatchdog, name: str) -> None:
        """End the container, and with it the runtime's command ``leader``, which may have ended already."""
        if os.waitid(os.P_PID, leader, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        if watchdog.process_1 is not None:
            # It may be another user's, where a service runs it for us.
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.kill(watchdog.process_1, signal.SIGKILL)
                return
        with contextlib.suppress(SandboxError):  # it is tried once more
            self._engine.remove(name)

    def _of_program(
        self, ended: ProcessExit, report: Report, limits: Limits, watchdog: ContainerWatchdog
    ) -> ProcessExit:
        """What the program did, out of what the runtime's command did."""
        hit = ended.limit_hit
        if not report.began or (report.status is None and hit is None and ended.status in _RUNTIME_FAILED):
            what = "was lost" if report.began else "did not come up"
            said = report.said.decode(errors="replace").strip()[-500:]
            msg = f"{self.name}: the container {what} ({self.runtime} ended with status {ended.status}): {said}"
            raise SandboxError(msg)
        stdout, stderr = ended.stdout, report.said
        written = len(stdout) + len(stderr)
        if written > limits.output_bytes and (hit is None or hit.limit == "output_bytes"):
            hit = LimitHit("output_bytes", limits.output_bytes, written)
            stderr = stderr[: max(0, limits.output_bytes - len(stdout))]
            stdout = stdout[: limits.output_bytes]
        elif hit is None and report.killed:
            hit = LimitHit("memory_mb", limits.memory_mb, limits.memory_mb)
        elif hit is None and report.refused:
            hit = LimitHit("processes", limits.processes, limits.processes)
        elif hit is None and watchdog.process_1 is None and report.wall_s > limits.wall_s:
            hit = LimitHit("wall_s", limits.wall_s, report.wall_s)
        # A program that brought down process 1, by writing to its memory for example, brought down itself.
        status = -signal.SIGKILL if report.status is None else report.status
        wall_s = ended.wall_s if report.status is None else report.wall_s
        cpu_s = max(report.cpu_s, watchdog.cpu_s)
        return replace(ended, status=status, stdout=stdout, stderr=stderr, wall_s=wall_s, cpu_s=cpu_s, limit_hit=hit)


def container(runtime: Runtime, image: str) -> type[Container]:
    """The backend for one image of podman or docker. Nothing is asked of the runtime yet."""

    class Bound(Container):
        name = f"{runtime}:{image}"
        remedy = (
            f"{container_engine.INSTALL[runtime]}. The image must be on this machine "
            f"({runtime} pull {image}), hold {SHELL}, and have a /tmp that is open to everyone"
        )

    Bound.runtime, Bound.image = runtime, image
    return Bound


@contextlib.contextmanager
def _file(text: str) -> Iterator[Path]:
    """A file for the runtime to read."""
    with tempfile.TemporaryDirectory(prefix="llmbench-") as folder:
        file = Path(folder, "filter.json")
        file.write_text(text, encoding="utf-8")
        yield file
