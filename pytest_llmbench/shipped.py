"""The data that come with the package: inside the wheel, or beside the package in a checkout. Standard library only."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SUITES = PACKAGE / "suites"
"""Of a wheel: holds what lies beside the package in a checkout."""


def shipped(folder: str) -> Path:
    """The ``tasks`` or the ``fixtures`` that come with the package."""
    wheel = SUITES / folder
    return wheel if wheel.is_dir() else PACKAGE.parent / folder
