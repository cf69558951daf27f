"""Running untrusted code: limits going in, evidence coming out. Standard library only."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from pytest_llmbench.text import stable_repr

LimitName = Literal[
    "wall_s", "cpu_s", "memory_mb", "processes", "open_files", "output_bytes", "file_mb", "disk_mb", "inodes"
]
RunnerName = Literal["pytest", "node", "go", "cargo"]
"""Runners of given test suites."""

_NAMES, _NAME_LENGTH = 5, 100
"""How many names of tests are told, and how much of each."""


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
    waited_s: float = field(default=0.0, repr=False)
    """The part of ``wall_s`` that counts towards no limit: other work had the CPUs."""

    @property
    def ok(self) -> bool:
        """True when it ended by itself with status 0."""
        return self.exit_code == 0 and self.limit_hit is None

    @property
    def ending(self) -> str:
        """How it ended, to follow the name of what was run: ``ended with status 1``, ``was ended by SIGKILL``."""
        if self.limit_hit is not None:
            return f"was ended: {self.limit_hit}"
        if self.exit_code >= 0:
            return f"ended with status {self.exit_code}"
        try:
            return f"was ended by {signal.Signals(-self.exit_code).name}"
        except ValueError:
            return f"was ended by signal {-self.exit_code}"


@dataclass(frozen=True, slots=True)
class CallResult:
    """What one call of a function inside the sandbox gave.

    Its text form is short and the same on every run, for assertion texts.
    """

    outcome: Literal["returned", "raised", "died"]
    """``died``: the process ended, hit a limit or answered nothing usable before this call was done."""
    value: Any = None
    """The returned value, of exact built-in types at all levels (``sandbox/calls``); compare it outside."""
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

    def __repr__(self) -> str:
        shown = [(each.name, stable_repr(getattr(self, each.name))) for each in fields(self) if each.repr]
        return f"CallResult({', '.join(f'{name}={text}' for name, text in shown)})"


@dataclass(frozen=True, slots=True, repr=False)
class TestRun:
    """What a given test suite reported, of which the code under test may have written every word.

    Its text form is short and the same on every run, for assertion texts.
    """

    __test__: ClassVar[bool] = False
    """pytest takes classes with such a name for tests."""
    passed: tuple[str, ...]
    """Expected tests that were reported once, as passed."""
    failed: tuple[str, ...]
    """Expected tests that failed, were skipped, or were reported more than once."""
    missing: tuple[str, ...]
    """Expected tests that were not reported."""
    unexpected: tuple[str, ...]
    """Tests that were reported and not expected, whatever their outcome."""
    finished: bool
    """The runner said that it had come to its end."""
    execution: ExecResult = field(compare=False)

    @property
    def ok(self) -> bool:
        """Every expected test passed, there was no other, and the runner ended by itself with status 0."""
        others = self.failed or self.missing or self.unexpected
        return bool(self.passed) and not others and self.finished and self.execution.ok

    def __str__(self) -> str:
        expected = len(self.passed) + len(self.failed) + len(self.missing)
        parts = [f"{len(self.passed)} of {expected} expected tests passed"]
        parts += [
            f"{kind}: {_some(names)}" for kind in ("failed", "missing", "unexpected") if (names := getattr(self, kind))
        ]
        if not self.execution.ok:
            parts.append(f"the runner {self.execution.ending}")
        elif not self.finished:
            parts.append("the runner ended before its end was reported")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"<TestRun: {self}>"


@dataclass(frozen=True, slots=True)
class Seed:
    """A folder that each command of a toolchain gets a copy of, to write to; nothing in it outlives the command."""

    source: Path
    """Read only. Big ones hold links to files that a mount shows, which are soon copied."""
    place: str = ""
    """Where the copy lies in the workspace; "": outside of it."""
    variable: str = ""
    """The environment variable that tells where it lies, if outside of the workspace."""
    files: tuple[tuple[str, str], ...] = ()
    """Name, text: written over the copy."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler or interpreter found on this machine, and how a sandbox reaches it."""

    name: str
    executable: Path
    version: str = ""
    mounts: tuple[Path, ...] = ()
    """Folders outside /usr that it needs, read-only, at their own paths."""
    env: tuple[tuple[str, str], ...] = ()
    seeds: tuple[Seed, ...] = ()
    """Caches that it must be able to write to."""


def _some(names: Sequence[str]) -> str:
    """The first few names, none of them long; they may come from hostile code."""
    shown = ", ".join(name if len(name) <= _NAME_LENGTH else f"{name[:_NAME_LENGTH]}..." for name in names[:_NAMES])
    return shown if len(names) <= _NAMES else f"{shown} and {len(names) - _NAMES} more"
