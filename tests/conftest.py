"""Fixtures of the project's own tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from support.bench import Bench

pytest_plugins = ["support.costs"]

settings.register_profile("any machine", deadline=None)  # how long an example takes says something of the machine
settings.load_profile("any machine")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # As in the background of a script: whatever the tests start would ignore Ctrl-C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A fresh project in which the whole pytest command can be run."""
    root = tmp_path / "project"
    root.mkdir()
    return Bench(root)


_WORKERS = {"plain": (), "n2": ("-n2",)} | ({"n0": ("-n0",)} if os.environ.get("TOX_ENV_NAME") else {})
"""``-n0`` differs from plain pytest in hardly anything: only `make proof`, which runs under tox, has both."""


@pytest.fixture(params=_WORKERS.values(), ids=_WORKERS)
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Repeats a test plain and with ``-n2``, under tox with ``-n0`` too."""
    return request.param
