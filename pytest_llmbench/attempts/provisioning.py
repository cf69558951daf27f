"""A task's toolchains, with what they need offline: seen to before an attempt, and handed to each."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from pytest_llmbench import toolchains
from pytest_llmbench.caches import cargo, go, npm
from pytest_llmbench.caches.store import Entry
from pytest_llmbench.errors import HarnessError
from pytest_llmbench.sandbox.selection import SandboxChoice, image_of, open_sandbox
from pytest_llmbench.schema.execution import ExecResult, Limits, Toolchain
from pytest_llmbench.schema.settings import SandboxName
from pytest_llmbench.schema.task import Task

DEPENDENCIES = "dependencies"
"""Folder in a task's data folder: a manifest and lock file of cargo or npm, or of both."""
COMMAND = "python -m pytest_llmbench warm"
"""Fetches what tasks need, by the network; see ``__main__.py``."""
_MANIFESTS = {"cargo": cargo.MANIFEST, "node": npm.MANIFEST}
_BUILD_LIMITS = Limits(
    wall_s=1800, cpu_s=3600, memory_mb=8000, processes=1000, open_files=4096, file_mb=2000, disk_mb=8000, inodes=200_000
)

Say = Callable[[str], None]
"""Tells the user one line about what takes a while."""


def missing(task: Task, sandbox: SandboxName = "auto") -> str:
    """Why a task cannot be graded here, in the sandbox of that name, with the remedy; "" when it can.

    Raises ``SandboxError`` when an image cannot be asked.
    """
    if named := image_of(sandbox):
        from pytest_llmbench.sandbox.container.toolchains import find_toolchain

        runtime, image = named
        lacks = [name for name in task.toolchains if not find_toolchain(runtime, image, name)]
        reasons = [f"the image {image} has no {name}: take one that has" for name in lacks]
        if any(_folder(task, name) for name in task.toolchains):
            reasons.append(f"what {task.id} depends on is kept on this machine, not in an image: --llm-sandbox=auto")
        return "; ".join(reasons)
    reasons = []
    for name in task.toolchains:
        chain = toolchains.find(name)
        if chain is None:
            reasons.append(toolchains.hint(name))
        elif (folder := _folder(task, name)) and not _fetched_entry(chain, folder).made:
            reasons.append(f"fetch what {task.id} depends on, once: {COMMAND} {shlex.quote(str(folder))}")
    return "; ".join(reasons)


def prepare(task: Task, choice: SandboxChoice, say: Say) -> None:
    """Make what an attempt of a task needs and the network is not needed for; soon done when it is there.

    Raises ``HarnessError``.
    """
    for name in () if image_of(choice.name) else task.toolchains:
        if chain := toolchains.find(name):
            if name == "go":
                _make_go(chain, say)
            elif name == "cargo" and (folder := _folder(task, name)):
                _build_crates(chain, folder, lambda: choice, say)


def equip(task: Task, workspace: Path, sandbox: SandboxName = "auto") -> list[Toolchain]:
    """The toolchains of one attempt, after ``prepare``, with their caches. Raises ``HarnessError``."""
    if named := image_of(sandbox):
        from pytest_llmbench.sandbox.container.toolchains import find_toolchain

        return [chain for name in task.toolchains if (chain := find_toolchain(*named, name))]
    try:
        return list(_equipped(task, workspace))
    except OSError as error:
        raise HarnessError(f"the toolchains of task {task.id!r} cannot be laid out: {error}.") from error


def warm(folders: Iterable[Path], choose: Callable[[], SandboxChoice], say: Say) -> list[str]:
    """Fetch and build what is named in the given ``dependencies`` folders; returns what could not be, and why.

    ``choose`` is asked for a sandbox when something is to be built.
    """
    problems = []
    for folder in folders:
        for name, manifest in _MANIFESTS.items():
            if (folder / manifest).is_file():
                try:
                    _warm(name, folder, choose, say)
                except (HarnessError, OSError) as error:
                    problems.append(f"{folder / manifest}: {error}")
    return problems


def warm_go(say: Say) -> None:
    """Compile Go's standard library where there is a Go. Raises ``HarnessError``."""
    if chain := toolchains.find("go"):
        _make_go(chain, say)


def dependency_folders(roots: Iterable[Path]) -> list[Path]:
    """Every folder of dependencies among ``roots`` and below them."""
    locks = (cargo.LOCK, npm.LOCK)
    found = {root for root in roots if any((root / lock).is_file() for lock in locks)}
    found |= {path.parent for root in roots for lock in locks for path in root.rglob(f"{DEPENDENCIES}/{lock}")}
    return sorted(found)


def _warm(name: str, folder: Path, choose: Callable[[], SandboxChoice], say: Say) -> None:
    chain = toolchains.find(name)
    if chain is None:
        raise HarnessError(toolchains.hint(name))
    _fetch(chain, folder, say)
    if name == "cargo":
        _build_crates(chain, folder, choose, say)


def _equipped(task: Task, workspace: Path) -> Iterator[Toolchain]:
    for name in task.toolchains:
        chain, folder = toolchains.find(name), _folder(task, name)
        if chain is None:
            continue
        if name == "go":
            yield go.equip(chain)
        elif name == "cargo" and folder:
            yield cargo.equip(chain, folder, workspace)
        elif name == "node" and folder:
            yield from npm.equip(chain, folder, workspace)
        else:
            yield chain


def _folder(task: Task, toolchain: str) -> Path | None:
    """Where a task names what it needs of a toolchain's registry; None: nothing."""
    manifest = _MANIFESTS.get(toolchain)
    folder = task.data / DEPENDENCIES if task.data else None
    return folder if folder and manifest and (folder / manifest).is_file() else None


def _fetched_entry(chain: Toolchain, folder: Path) -> Entry:
    return cargo.crates(folder) if chain.name == "cargo" else npm.packages(chain, folder)


def _fetch(chain: Toolchain, folder: Path, say: Say) -> None:
    def fill(new: Path) -> None:
        say(f"fetching what {folder} names")
        (cargo if chain.name == "cargo" else npm).fetch(chain, folder, new)

    _fetched_entry(chain, folder).make(fill)


def _make_go(chain: Toolchain, say: Say) -> None:
    def fill(new: Path) -> None:
        say(f"compiling the standard library of Go {chain.version}, once: about half a minute")
        go.fill(chain, new)

    go.entry(chain).make(fill)


def _build_crates(chain: Toolchain, folder: Path, choose: Callable[[], SandboxChoice], say: Say) -> None:
    def fill(new: Path) -> None:
        say(f"building the crates that {folder} names, once")
        choice = choose()

        def run(workspace: Path, equipped: Toolchain, command: Sequence[str]) -> ExecResult:
            return open_sandbox(choice, workspace, [equipped]).run(command, _BUILD_LIMITS, keep=(cargo.TARGET,))

        cargo.build(chain, folder, new, run)

    cargo.built(chain, folder).make(fill)
