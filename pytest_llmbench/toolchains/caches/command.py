"""Running a trusted tool to make a cache. Models' code is never near."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_llmbench.errors import HarnessError

_SHOWN = 1500


def run_tool(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> str:
    """What it prints on stdout. Raises ``HarnessError`` with the end of what it says when it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-_SHOWN:]
        words = " ".join([Path(command[0]).name, *map(str, command[1:])])
        raise HarnessError(f"{words} failed with status {done.returncode}: {said}")
    return done.stdout
