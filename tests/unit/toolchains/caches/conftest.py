"""Attempts with caches: real toolchains, the isolating sandbox, and the user's cache folder, which is filled once."""

import hashlib
import os
from functools import cache
from pathlib import Path

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose, open_sandbox
from pytest_llmbench.schema.execution import Limits
from pytest_llmbench.toolchains.caches.store import VARIABLE

HERE = Path(__file__).parent


@cache
def isolating():
    return choose("auto", own_backends())


@pytest.fixture
def choice():
    """The sandbox that works here."""
    return isolating()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder of this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def found():
    """A toolchain of this machine."""

    def find(name):
        return toolchains.find(name) or pytest.skip(toolchains.hint(name))

    return find


@pytest.fixture
def attempt(tmp_path):
    """The workspace of a new attempt."""
    count = iter(range(100))

    def new(**files):
        workspace = tmp_path / f"attempt-{next(count)}" / "workspace"
        workspace.mkdir(parents=True)
        for name, text in files.items():
            path = workspace / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return workspace

    return new


@pytest.fixture
def run(choice):
    """Run a command in a sandbox, with limits that only a cold build meets."""

    def run(workspace, tools, *command, keep=(), **limits):
        limits = Limits(**{"wall_s": 60, "cpu_s": 60, **limits})
        return open_sandbox(choice, workspace, tools).run(command, limits, keep=keep)

    return run


def state(root):
    """Everything about a tree that a hostile program could change."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(folder, name)
            status = path.lstat()
            content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            said = (str(path), oct(status.st_mode), status.st_uid, status.st_mtime_ns, content)
            digest.update(repr(said).encode())
    return digest.hexdigest()


@pytest.fixture
def unchanged():
    """``state`` of a folder: compare before and after."""
    return state
