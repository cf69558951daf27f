"""The seam of a harness: what it needs to be started in a cage, and how what it prints is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pytest_llmbench.schema.agent import Dialect
from pytest_llmbench.schema.trajectory import TrajectoryEvent

DUMMY_KEY = "dummy"
"""What a harness gets in place of an API key."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A harness on this machine."""

    program: Path
    """The executable, resolved."""
    version: str
    mounts: tuple[Path, ...] = ()
    """Folders that it needs, to be seen read-only at the same paths: its packages, its interpreter."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a harness is started for. Paths are those inside the cage."""

    installation: Installation
    prompt: str
    model: str
    """The name that the gate serves."""
    base_url: str
    """The gate, without ``/v1``: ``http://127.0.0.1:8901``."""
    workspace: str
    home: str
    """Private, empty at the first iteration, kept until the attempt ends."""
    session: str = ""
    """A session to continue; empty: a new one."""
    context: int | None = None
    """The model's window, tokens."""
    output_tokens: int | None = None
    """Most tokens of one reply, where the harness wants to know."""
    timeout_s: float | None = None
    """The time limit of the iteration, for a harness that has one of its own; ours holds in any case."""


@dataclass(frozen=True, slots=True)
class HarnessCommand:
    """How it is started."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the cage's own ``PATH``, ``HOME``, ``TMPDIR`` and ``LANG``."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Name relative to the home -> text, written before the start; parents are made."""
    folders: Sequence[str] = ()
    """Relative to the home: to be made before the start."""


class EventReader(Protocol):
    """Reads what a harness prints. Everything it is given is hostile: nothing raises, everything is bounded."""

    def feed(self, line: str) -> list[TrajectoryEvent]:
        """Events of one line of the standard output (without its end)."""
        ...

    def finish(self, exit_code: int, stderr: str, transcript: bytes | None) -> list[TrajectoryEvent]:
        """What is known only at the end; ``transcript``: the file of ``transcript_file``, if there is one."""
        ...


class Harness(Protocol):
    """An agent's command line. Stateless."""

    @property
    def name(self) -> str:
        """As in ``--llm-agent=NAME``."""
        ...

    @property
    def dialect(self) -> Dialect:
        """What it speaks."""
        ...

    @property
    def install(self) -> str:
        """The command that installs it, for people to type."""
        ...

    @property
    def can_continue(self) -> bool:
        """Whether a session can be continued."""
        ...

    def find(self) -> Installation | None:
        """Where it is on this machine; None: nowhere. Never installs. Raises ``HarnessError`` for a broken one."""
        ...

    def command(self, start: Start) -> HarnessCommand:
        """How to start it."""
        ...

    def reader(self) -> EventReader:
        """For one start."""
        ...

    @property
    def transcript_file(self) -> str:
        """Relative to the home: what it writes besides its standard output and ``finish`` wants; empty: nothing."""
        ...
