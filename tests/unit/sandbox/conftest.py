"""Sandboxes over a temporary workspace. A Linux machine on which bubblewrap does not work fails the tests: what matters
is not skipped."""

import sys
from functools import cache

import pytest
from support.warm import warm_go

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import SandboxChoice, choose, open_sandbox


@cache
def working(name):
    try:
        return choose(name, own_backends())
    except SandboxError as error:
        return str(error)


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def bed(workspace):
    """Where a command's copy of the workspace lies, while it runs."""
    return workspace.with_name(f"{workspace.name}.bed1") / "w"


@pytest.fixture
def make_sandbox(workspace):
    """Open a sandbox by its name."""

    def make(name):
        choice = working(name)
        if not isinstance(choice, SandboxChoice):
            (pytest.fail if sys.platform == "linux" else pytest.skip)(choice)
        found = [toolchain for name in ("python", "node") if (toolchain := toolchains.find(name))]
        return open_sandbox(choice, workspace, found)

    return make


@pytest.fixture
def sandbox(make_sandbox):
    """The isolating one."""
    return make_sandbox("bubblewrap")


@pytest.fixture(params=["bubblewrap", "none"])
def either(request, make_sandbox):
    """Both backends, for what both promise."""
    return make_sandbox(request.param)


@pytest.fixture
def python(either):
    """Run Python source text in either backend."""

    def run(source, limits=None, **options):
        return either.run(["python", "-S", "-c", source], limits, **options)

    return run


@pytest.fixture
def sandboxed(sandbox):
    """Run Python source text in the isolating backend."""

    def run(source, limits=None, **options):
        return sandbox.run(["python", "-S", "-c", source], limits, **options)

    return run


@pytest.fixture
def builder(sandbox, workspace):
    """Open the isolating sandbox with a compiler in it, Go with its standard library compiled."""

    def make(name):
        toolchain = toolchains.find(name)
        if toolchain is None:
            pytest.skip(toolchains.hint(name))
        return Bubblewrap(workspace, [warm_go(toolchain) if name == "go" else toolchain])

    return make
