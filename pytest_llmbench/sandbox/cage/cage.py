"""The seam of a cage: what an agent is started in. One cage for each attempt, one start for each iteration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pytest_llmbench.schema.execution import LimitHit, Seed, Toolchain

GATE_PORT = 8901
"""Where the forwarder listens on 127.0.0.1 inside; each cage has a network of its own."""


@dataclass(frozen=True, slots=True)
class CageLimits:
    """Of everything that runs in a cage."""

    wall_s: float = 3600.0
    """Of one start."""
    memory_mb: int = 6144
    processes: int = 512
    """Threads included."""
    disk_mb: int = 8192
    """Workspace, home and temporary files together."""
    inodes: int = 400_000
    journal_bytes: int = 64_000_000
    """Most output of one start; a program that writes more is ended."""


@dataclass(frozen=True, slots=True)
class CageFolders:
    """Folders outside, this attempt's alone, on one file system. They exist when the cage is made."""

    workspace: Path
    home: Path


@dataclass(frozen=True, slots=True)
class CagePlan:
    """What a cage is made of."""

    folders: CageFolders
    limits: CageLimits = field(default_factory=CageLimits)
    socket: Path | None = None
    """The model gate's socket; None: no way out at all."""
    network: Literal["model", "open"] = "model"
    toolchains: Sequence[Toolchain] = ()
    mounts: Sequence[Path] = ()
    """Seen read-only at the same paths: the harness."""
    caches: Sequence[Seed] = ()
    """Read-only package caches of the task, seeded per attempt as for graded programs."""


@dataclass(frozen=True, slots=True)
class CageExit:
    """How one start ended. Everything that it had started is dead."""

    exit_code: int
    """Negative: ended by that signal."""
    wall_s: float
    cpu_s: float
    limit_hit: LimitHit | None = None
    stopped: bool = False
    """We ended it (``Running.stop``)."""


class Running(Protocol):
    """A start that is under way."""

    def stop(self) -> None:
        """End it and everything in it, soon; may be called from any thread, and again."""
        ...

    async def wait(self) -> CageExit:
        """Its end. Raises ``SandboxError`` when the cage itself failed."""
        ...


class Cage(Protocol):
    """A cage for one attempt."""

    @property
    def workspace(self) -> str:
        """The path of the workspace inside."""
        ...

    @property
    def home(self) -> str:
        """The path of the home inside."""
        ...

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        wall_s: float | None = None,
        gate: bool = True,
        on_stdout: Callable[[bytes], None],
        on_stderr: Callable[[bytes], None],
    ) -> Running:
        """Start a program in the workspace with nothing at its standard input.

        ``env`` is added to the cage's own ``PATH``, ``HOME``, ``TMPDIR``, ``LANG``. ``wall_s``: a shorter limit than
        the cage's. ``gate=False``: without the way to the model. ``on_stdout`` and ``on_stderr`` get the output in
        pieces as it comes, on a thread of the cage. Raises ``SandboxError`` when it cannot be started.
        """
        ...

    def remove(self) -> None:
        """End what still runs and remove what is the cage's own; the folders stay."""
        ...
