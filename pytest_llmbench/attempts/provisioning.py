"""A task's toolchains, with what they need offline: seen to before an attempt, and handed to each."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pytest_llmbench import toolchains
from pytest_llmbench.errors import HarnessError
from pytest_llmbench.sandbox.selection import SandboxChoice, image_of, open_sandbox
from pytest_llmbench.schema.execution import ExecResult, Limits, Toolchain
from pytest_llmbench.schema.settings import SandboxName
from pytest_llmbench.schema.task import Task
from pytest_llmbench.toolchains.base import Run, Say

DEPENDENCIES = "dependencies"
"""Folder in a task's data folder: manifests and their lock files."""
COMMAND = "python -m pytest_llmbench warm"
"""Fetches what tasks need, by the network; see ``cli/warm.py``."""
_BUILD_LIMITS = Limits(
    wall_s=1800, cpu_s=3600, memory_mb=8000, processes=1000, open_files=4096, file_mb=2000, disk_mb=8000, inodes=200_000
)


def missing(task: Task, sandbox: SandboxName = "auto") -> str:
    """Why a task cannot be graded here, in the sandbox of that name, with the remedy; "" when it can.

    Raises ``SandboxError`` when an image cannot be asked.
    """
    if named := image_of(sandbox):
        from pytest_llmbench.sandbox.container.toolchains import find_toolchain

        runtime, image = named
        lacks = [name for name in task.toolchains if not find_toolchain(runtime, image, name)]
        reasons = [f"the image {image} has no {name}: take one that has" for name in lacks]
        if any(_dependencies(task, name) for name in task.toolchains):
            reasons.append(f"what {task.id} depends on is kept on this machine, not in an image: --llm-sandbox=auto")
        return "; ".join(reasons)
    reasons = []
    for name in task.toolchains:
        found = toolchains.find(name)
        if found is None:
            reasons.append(toolchains.hint(name))
        elif (folder := _dependencies(task, name)) and not _is_fetched(found, folder):
            reasons.append(f"fetch what {task.id} depends on, once: {COMMAND} {shlex.quote(str(folder))}")
    return "; ".join(reasons)


def prepare(task: Task, choice: SandboxChoice, say: Say) -> None:
    """Make what an attempt of a task needs and the network is not needed for; soon done when it is there.

    Raises ``HarnessError``.
    """
    for name in () if image_of(choice.name) else task.toolchains:
        if found := toolchains.find(name):
            _build(found, _dependencies(task, name), lambda: choice, say)


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

    ``choose`` is asked for a sandbox when something is to be built in one.
    """
    problems = []
    for folder in folders:
        for manifest in toolchains.manifests():
            if (folder / manifest.name).is_file():
                try:
                    _warm(manifest.toolchain, folder, choose, say)
                except (HarnessError, OSError) as error:
                    problems.append(f"{folder / manifest.name}: {error}")
    return problems


def warm_toolchains(choose: Callable[[], SandboxChoice], say: Say) -> list[str]:
    """Build what toolchains need whatever a task depends on; returns what could not be, and why."""
    problems = []
    for name in toolchains.names():
        if found := toolchains.find(name):
            try:
                _build(found, None, choose, say)
            except (HarnessError, OSError) as error:
                problems.append(str(error))
    return problems


def dependency_folders(roots: Iterable[Path]) -> list[Path]:
    """Every folder of dependencies among ``roots`` and below them."""
    locks = [manifest.lock for manifest in toolchains.manifests()]
    found = {root for root in roots if any((root / lock).is_file() for lock in locks)}
    found |= {path.parent for root in roots for lock in locks for path in root.rglob(f"{DEPENDENCIES}/{lock}")}
    return sorted(found)


def _dependencies(task: Task, toolchain: str) -> Path | None:
    """Where a task names what it needs of a toolchain's registry; None: nothing."""
    manifest = toolchains.support(toolchain).manifest
    folder = task.data / DEPENDENCIES if task.data else None
    return folder if folder and manifest and (folder / manifest.name).is_file() else None


def _is_fetched(toolchain: Toolchain, folder: Path) -> bool:
    needed = toolchains.support(toolchain.name).to_fetch(toolchain, folder)
    return needed is None or needed.entry.made


def _warm(name: str, folder: Path, choose: Callable[[], SandboxChoice], say: Say) -> None:
    found = toolchains.find(name)
    if found is None:
        raise HarnessError(toolchains.hint(name))
    if needed := toolchains.support(name).to_fetch(found, folder):
        needed.make(say, _runner(choose))
    _build(found, folder, choose, say)


def _build(toolchain: Toolchain, folder: Path | None, choose: Callable[[], SandboxChoice], say: Say) -> None:
    if needed := toolchains.support(toolchain.name).to_build(toolchain, folder):
        needed.make(say, _runner(choose))


def _equipped(task: Task, workspace: Path) -> Iterator[Toolchain]:
    for name in task.toolchains:
        if found := toolchains.find(name):
            yield from toolchains.support(name).equip(found, _dependencies(task, name), workspace)


def _runner(choose: Callable[[], SandboxChoice]) -> Run:
    def run(workspace: Path, toolchain: Toolchain, command: tuple[str, ...], keep: tuple[str, ...]) -> ExecResult:
        return open_sandbox(choose(), workspace, [toolchain]).run(command, _BUILD_LIMITS, keep=keep)

    return run
