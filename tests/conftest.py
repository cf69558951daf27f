"""Fixtures of the project's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A fresh project in which the whole pytest command can be run."""
    root = tmp_path / "project"
    root.mkdir()
    return Bench(root)


@pytest.fixture(params=[(), ("-n0",), ("-n2",)], ids=["plain", "n0", "n2"])
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Repeats a test plain, with ``-n0`` and with ``-n2``."""
    return request.param
