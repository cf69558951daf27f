"""Looking for programs on this machine, and asking them what they are."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

EXTRA = 'pip install "pytest-llmbench[toolchains]"'
"""Installs Node and Go as Python packages."""


def candidates(program: str, path: str, wheel: str) -> list[str]:
    """The program on the ``PATH``, then the one inside the Python package ``wheel``, which is not imported."""
    found = [shutil.which(program, path=path)]
    spec = importlib.util.find_spec(wheel)
    folders = (spec.submodule_search_locations if spec else None) or []
    found += [shutil.which(program, path=str(Path(folder, "bin"))) for folder in folders]
    return [candidate for candidate in found if candidate]


def ask(command: Sequence[str], path: str, **env: str) -> str:
    """What a trusted program says; empty when it fails. Run in ``/``, where no project's settings change the answer."""
    env = os.environ | {"PATH": path} | env
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd="/", env=env, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def numbers(version: str) -> tuple[int, ...]:
    """``1.22rc1`` as ``(1, 22)``; empty for what is not a version."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def outside_usr(folder: Path) -> tuple[Path, ...]:
    """The folder as a mount, unless a sandbox shows it anyway."""
    return () if folder.resolve().is_relative_to("/usr") and folder.is_relative_to("/usr") else (folder,)
