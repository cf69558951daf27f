"""Cargo, with a task's crates: fetched once, built once, and linked into every command's ``target`` folder.

Two cache entries, for cargo takes a crate for changed when it lies elsewhere: the first holds the sources, where builds
find them; the second what was built of them.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.schema.execution import Seed, Toolchain
from pytest_llmbench.toolchains.base import Cache, Manifest, Run, ToolchainSupport
from pytest_llmbench.toolchains.caches.command import run_tool
from pytest_llmbench.toolchains.caches.overlay import link_tree, make_room
from pytest_llmbench.toolchains.caches.store import Entry, digest
from pytest_llmbench.toolchains.machine import ask, outside_usr

MANIFEST, LOCK = "Cargo.toml", "Cargo.lock"
TARGET = "target"
_LINKS = "links"
_NOT_FOR_OTHERS = [
    f"{TARGET}/{profile}/{name}" for profile in ("debug", "release") for name in (".cargo-lock", "incremental")
]
"""What cargo opens to write, and what belongs to the one package on top."""


class Cargo(ToolchainSupport):
    """Rust's build tool, with a C compiler for linking."""

    name = "cargo"
    hint = "install Rust from https://rustup.rs and a C compiler for linking (apt-get install gcc libc6-dev)"
    programs = ("cargo",)
    env = (("CARGO_NET_OFFLINE", "true"), ("CARGO_TERM_COLOR", "never"))
    manifest = Manifest("cargo", MANIFEST, LOCK, "cargo generate-lockfile")

    def find(self, path: str) -> Toolchain | None:
        """The one on the ``PATH``, or behind the one there."""
        cargo = shutil.which("cargo", path=path)
        if cargo is None or shutil.which("cc", path=path) is None:
            return None
        executable = Path(cargo)
        rustup = executable.with_name("rustup")
        if rustup.exists() and rustup.samefile(executable):
            # A stand-in that starts the real one, by settings in the home folder: a sandbox has none.
            executable = Path(ask([str(rustup), "which", "cargo"], path))
        executable = executable.resolve()
        version = ask([str(executable), "--version"], path)
        if not executable.is_file() or not version:
            return None
        return Toolchain(self.name, executable, version.split()[1], outside_usr(executable.parent.parent), self.env)

    def to_fetch(self, toolchain: Toolchain, dependencies: Path) -> Cache:
        """The sources of the crates."""
        notice = f"fetching what {dependencies} names"
        return Cache(crates(dependencies), notice, lambda new, _run: fetch(toolchain, dependencies, new))

    def to_build(self, toolchain: Toolchain, dependencies: Path | None) -> Cache | None:
        """The crates, compiled."""
        if dependencies is None:
            return None
        notice = f"building the crates that {dependencies} names, once"
        return Cache(built(toolchain, dependencies), notice, lambda new, run: build(toolchain, dependencies, new, run))

    def equip(self, toolchain: Toolchain, dependencies: Path | None, workspace: Path) -> list[Toolchain]:
        """Cargo with the crates."""
        return [equip(toolchain, dependencies, workspace) if dependencies else toolchain]


def crates(dependencies: Path) -> Entry:
    """The sources of what ``dependencies`` names by its manifest and lock file. Raises ``OSError``."""
    return Entry(f"crates-{digest(*_named(dependencies))}")


def built(cargo: Toolchain, dependencies: Path) -> Entry:
    """What this cargo builds of the crates. Raises ``OSError``."""
    shaped_by = (_LINKS, *_named(dependencies), str(cargo.executable), str(crates(dependencies).path))
    return Entry(f"cargo-{cargo.version}-{digest(*shaped_by)}")


def fetch(cargo: Toolchain, dependencies: Path, folder: Path) -> None:
    """Download the crates by the user's own cargo settings; nothing of them is run.

    Raises ``HarnessError`` when cargo fails, ``OSError`` when the folder cannot be written.
    """
    project = folder / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "lib.rs").touch()
    # A workspace of its own: otherwise cargo would ask every folder above for one.
    alone = "" if "workspace" in _manifest(dependencies) else "\n[workspace]\n"
    (project / MANIFEST).write_text((dependencies / MANIFEST).read_text(encoding="utf-8") + alone, encoding="utf-8")
    shutil.copyfile(dependencies / LOCK, project / LOCK)
    path = f"{cargo.executable.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = {**os.environ, **dict(cargo.env), "PATH": path, "CARGO_NET_OFFLINE": "false"}
    command: list[str | Path] = [
        cargo.executable,
        "vendor",
        "--locked",
        "--manifest-path",
        project / MANIFEST,
        "vendor",
    ]
    settings = run_tool(command, folder, env)
    (folder / "vendor").mkdir(exist_ok=True)
    # Relative paths in it are taken from the folder above its own.
    (folder / "home").mkdir()
    (folder / "home" / "config.toml").write_text(f"{settings}\n[net]\noffline = true\n", encoding="utf-8")


def build(cargo: Toolchain, dependencies: Path, folder: Path, run: Run) -> None:
    """Build the crates for ``cargo build`` and ``cargo test``, with and without ``--release``.

    In a sandbox: build scripts and macros are other people's programs. Raises ``HarnessError`` when one fails.
    """
    project = crates(dependencies).path / "project"
    shutil.copytree(project, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    name = _manifest(dependencies)["package"]["name"]
    equipped = _with_sources(cargo, dependencies)
    steps = [["build"], ["test", "--no-run"], ["clean", "--package", name]]
    commands = [["cargo", *step, "--locked", *profile] for step in steps for profile in ([], ["--release"])]
    # One command: the next would find nothing of what the one before it built.
    script = "\n".join(map(shlex.join, (*commands, ["rm", "-rf", *_NOT_FOR_OTHERS])))
    result = run(folder, equipped, ("/bin/sh", "-exc", script), keep=(TARGET,))
    if not result.ok:
        raise HarnessError(f"building the crates in {dependencies}: cargo {result.ending}: {result.stderr[-1500:]}")
    if not (folder / TARGET).is_dir():
        raise HarnessError(f"a crate in {dependencies} took away the folder that it was built in. Do not use it.")
    link_tree(folder / TARGET, folder / _LINKS, built(cargo, dependencies).path / TARGET)


def equip(cargo: Toolchain, dependencies: Path, workspace: Path) -> Toolchain:
    """Cargo with the crates, and with what was built of them in the ``target`` folder of each command.

    What a reply put there is removed. Both entries must be there. Raises ``OSError``.
    """
    cache = built(cargo, dependencies).path
    make_room(workspace / TARGET)
    equipped = _with_sources(cargo, dependencies)
    seed = Seed(cache / _LINKS, place=TARGET)
    return replace(equipped, mounts=(*equipped.mounts, cache), seeds=(*equipped.seeds, seed))


def _with_sources(cargo: Toolchain, dependencies: Path) -> Toolchain:
    sources = crates(dependencies).path
    env = (*cargo.env, ("CARGO_HOME", str(sources / "home")))
    return replace(cargo, mounts=(*cargo.mounts, sources), env=env)


def _manifest(dependencies: Path) -> dict[str, Any]:
    """The manifest of a package with a name. Raises ``HarnessError``."""
    path = dependencies / MANIFEST
    try:
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        if isinstance(manifest["package"]["name"], str):
            return manifest
    except (ValueError, KeyError, TypeError) as error:
        raise HarnessError(
            f"{path} cannot be used ({error!r}): write a manifest with [package] and its name."
        ) from error
    raise HarnessError(f"{path} cannot be used: the name of its [package] is no text.")


def _named(dependencies: Path) -> tuple[bytes, bytes]:
    return (dependencies / MANIFEST).read_bytes(), (dependencies / LOCK).read_bytes()
