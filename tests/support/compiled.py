"""The Rust and Go programs of the hostile corpus, compiled in a sandbox, once per machine and source text."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from support.hostile import PROGRAMS, TOOLCHAINS
from support.warm import warm_go

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.schema.execution import Limits, Toolchain

_LIMITS = Limits(wall_s=600, cpu_s=1200, memory_mb=4000, file_mb=500, disk_mb=3000, inodes=100_000, processes=400)
_RUST = ["rustc", "--edition", "2021", "main.rs", "-o", "built"]
_GO = ["go", "build", "-o", "built", "."]
COMPILED = ("rust", "go")
Make = Callable[[Path, list[Toolchain]], Backend]
"""Opens a sandbox over a folder."""
FOLDER = "HOSTILE_BINARIES"
"""Names a folder of binaries in the environment, for who shares those of another user."""


def folder_of_binaries() -> Path:
    """Where they are kept."""
    return Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "pytest-llmbench-tests")


def binary(language: str, toolchain: Toolchain, make: Make) -> Path:
    """The binary that holds all programs of ``language``; compiled where it is not there yet."""
    sources = sorted((PROGRAMS / language).iterdir())
    text = b"\0".join([toolchain.version.encode(), *(path.read_bytes() for path in sources)])
    folder = folder_of_binaries()
    found = folder / f"{language}-{hashlib.sha256(text).hexdigest()[:16]}"
    if found.exists():
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{language}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers one compiles
        if not found.exists():
            _compile(language, toolchain, make, sources, found)
    return found


def build_all(make: Make) -> None:
    """Compile what this machine has toolchains for."""
    for language in COMPILED:
        if toolchain := toolchains.find(TOOLCHAINS[language]):
            binary(language, toolchain, make)


def _compile(
    language: str,
    toolchain: Toolchain,
    make: Make,
    sources: list[Path],
    found: Path,
) -> None:
    with tempfile.TemporaryDirectory(prefix="llmbench-tests-") as place:
        build = Path(place, "build")
        build.mkdir()
        for source in sources:
            shutil.copy(source, build)
        (build / "go.mod").write_text("module hostile\n\ngo 1.22\n")
        sandbox = make(build, [warm_go(toolchain) if language == "go" else toolchain])
        result = sandbox.run(_RUST if language == "rust" else _GO, _LIMITS, keep=["built"])
        assert result.ok, f"the {language} programs do not compile: {result.limit_hit} {result.stderr[-3000:]}"
        shutil.copy(build / "built", found.with_suffix(".new"))
        found.with_suffix(".new").replace(found)
