"""Fixtures of the project's own tests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.bench import Bench

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # As in the background of a script: whatever the tests start would ignore Ctrl-C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
