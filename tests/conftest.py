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


_WORKERS = {"plain": (), "n2": ("-n2",)}
_UNDER_TOX = bool(os.environ.get("TOX_ENV_NAME"))


@pytest.fixture(params=[*_WORKERS.values(), *([("-n0",)] if _UNDER_TOX else [])], ids=" ".join)
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Repeats a test plain and with ``-n2``, for what processes might do differently.

    ``-n0`` differs from plain pytest in hardly anything: under tox alone there are all three.
    """
    return request.param


@pytest.fixture
def either_way() -> tuple[str, ...]:
    """Plain, with the packages of ``make test``, and with ``-n2`` under tox, for what is the same in both."""
    return _WORKERS["n2" if _UNDER_TOX else "plain"]
