"""The suite `six` as it lies in this checkout: its tasks, their data, what each archetype of a reply is worth."""

from __future__ import annotations

import tomllib
from pathlib import Path

from support.bench import REPOSITORY

POINTS = 20.0
"""Of every task of the suite."""
COSTLY_FIRST = ("rust-cli", "go-middleware", "ts-refactor", "python-top-k", "js-bug-fix", "js-sse")
"""In the order in which grading all their mutants should begin when several processes share the work."""
_FOLDERS = {path.name.replace("_", "-"): path for path in (REPOSITORY / "tasks" / "six").iterdir() if path.is_dir()}
TASKS = sorted(_FOLDERS, key=COSTLY_FIRST.index)


def module(task: str) -> str:
    """Name of its test module."""
    return f"test_{task.replace('-', '_')}.py"


def data(task: str) -> Path:
    """Its folder of fixture data."""
    return REPOSITORY / "fixtures" / task


def bands(task: str) -> dict[str, tuple[float, float]]:
    """Archetype of a reply -> the band that its score must lie in."""
    text = (data(task) / "bands.toml").read_text(encoding="utf-8")
    return {archetype: (low, high) for archetype, (low, high) in tomllib.loads(text).items()}
