"""Running untrusted code: limits going in, evidence coming out. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

LimitName = Literal[
    "wall_s", "cpu_s", "memory_mb", "processes", "open_files", "output_bytes", "file_mb", "disk_mb", "inodes"
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandboxed command may use. A hit limit ends the whole process tree."""

    wall_s: float = 10.0
    """Wall time less the time spent waiting for a CPU, so that a busy machine changes no verdict."""
    cpu_s: float = 10.0
    """CPU time of the whole tree."""
    memory_mb: int = 1024
    """Memory of the whole tree."""
    processes: int = 100
    """Processes and threads of the whole tree."""
    open_files: int = 1024
    """Open files of any one process."""
    output_bytes: int = 1_000_000
    """Bytes on stdout and stderr together."""
    file_mb: int = 100
    """Size of any one file written."""
    disk_mb: int = 500
    """Size of all files in the workspace and in ``/tmp`` together, deleted ones that are still open included."""
    inodes: int = 20_000
    """Files and folders in the workspace and in ``/tmp`` together."""


@dataclass(frozen=True, slots=True)
class LimitHit:
    """The limit that ended a command."""

    limit: LimitName
    allowed: float
    observed: float

    def __str__(self) -> str:
        return f"{self.limit} limit hit: {self.observed:g} of {self.allowed:g} allowed"


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a sandboxed command did. Evidence, never a verdict: the program could have printed anything.

    Times are left out of the text form: it appears in assertion texts, which are records and the same on every run.
    """

    command: tuple[str, ...]
    exit_code: int
    """The exit status; negative: ended by that signal."""
    stdout: str
    stderr: str
    wall_s: float = field(repr=False)
    cpu_s: float = field(repr=False)
    """User and system time of the tree, as the kernel counted it."""
    limit_hit: LimitHit | None = None

    @property
    def ok(self) -> bool:
        """True when it ended by itself with status 0."""
        return self.exit_code == 0 and self.limit_hit is None


@dataclass(frozen=True, slots=True)
class CallResult:
    """What one call of a function inside the sandbox gave, as plain JSON values."""

    outcome: Literal["returned", "raised", "died"]
    """``died``: the process ended, hit a limit or answered nothing usable before this call was done."""
    value: Any = None
    """The returned value; only exact JSON types cross, compare it outside."""
    type_name: str = ""
    """Type of the returned value, or of the exception."""
    message: str = ""
    """The exception's text, or how the process died."""
    args_after: tuple[Any, ...] = ()
    """The arguments after the call, to see a mutated input."""
    stdout: str = ""
    """What the code printed during this call."""
    execution: ExecResult | None = field(default=None, compare=False, repr=False)
    """The run of the process that served this call."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler or interpreter found on this machine, and how a sandbox reaches it."""

    name: str
    executable: Path
    version: str = ""
    mounts: tuple[Path, ...] = ()
    """Folders outside /usr that it needs, read-only, at their own paths."""
    env: tuple[tuple[str, str], ...] = ()
    writable: tuple[Path, ...] = ()
    """Folders that it may write to, at their own paths: caches of this attempt alone."""
