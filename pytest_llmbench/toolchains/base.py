"""The protocol of a toolchain: everything that the package has to know of one, in one class.

A new toolchain is one module with a subclass, and its line in ``registry.py``. Two things are not part of it. File
endings, labels of code blocks and grammars belong to languages, of which most need no toolchain
(``schema/languages.py``). Test runners are started and read by the sandbox, of whose beds and mounts the modules here
know nothing: ``sandbox/test_runners`` has a module for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_llmbench.schema.execution import ExecResult, Toolchain
from pytest_llmbench.toolchains.caches.store import Entry

Say = Callable[[str], None]
"""Shows the user one line about what takes a while."""


class Run(Protocol):
    """Runs a command in a sandbox, with limits that a long build meets."""

    def __call__(
        self, workspace: Path, toolchain: Toolchain, command: tuple[str, ...], keep: tuple[str, ...]
    ) -> ExecResult:
        """``keep``: what the command leaves in the workspace, by name."""
        ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """The file in which a task names the packages that it depends on."""

    toolchain: str
    name: str
    lock: str
    """The file beside it that fixes every version."""
    lock_command: str
    """Makes the lock file."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache entry, and how it is made."""

    entry: Entry
    notice: str
    """What the user is shown while it is made."""
    fill: Callable[[Path, Run], None]
    """Put the content into a new folder. Raises ``HarnessError`` or ``OSError``."""

    def make(self, say: Say, run: Run) -> None:
        """Make the entry unless it is there. Raises ``HarnessError``."""

        def fill(new: Path) -> None:
            say(self.notice)
            self.fill(new, run)

        self.entry.make(fill)


class ToolchainSupport(ABC):
    """One toolchain. ``dependencies`` is a folder with its manifest and lock file, None where a task has none."""

    name: str
    """As in ``llm_task(toolchains=[...])``; sandboxed commands may be named after it."""
    hint: str
    """How to install it: part of a sentence for a skip message."""
    programs: tuple[str, ...]
    """Its program's names in an image; the first that is new enough is taken."""
    version_argument: str = "--version"
    """Makes the program print its version."""
    minimum_in_image: tuple[int, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    """What a sandbox sets for it, on this machine and in an image."""
    manifest: Manifest | None = None
    """None: tasks depend on nothing of it."""

    @abstractmethod
    def find(self, path: str) -> Toolchain | None:
        """The toolchain of this machine, given the ``PATH``; None: missing or too old."""

    def to_fetch(self, toolchain: Toolchain, dependencies: Path) -> Cache | None:
        """What the network is needed for; None: nothing. Raises ``OSError``."""
        del toolchain, dependencies
        return None

    def to_build(self, toolchain: Toolchain, dependencies: Path | None) -> Cache | None:
        """What is made without the network, after fetching; None: nothing. Raises ``OSError``."""
        del toolchain, dependencies
        return None

    def equip(self, toolchain: Toolchain, dependencies: Path | None, workspace: Path) -> list[Toolchain]:
        """The toolchain for one attempt, with its caches, and further ones that come with these.

        What is to be fetched and built must be there. Raises ``OSError``.
        """
        del dependencies, workspace
        return [toolchain]
