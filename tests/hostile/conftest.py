"""Canaries and sandboxes for the hostile corpus."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from support.canaries import Canaries
from support.compiled import COMPILED, Make, binary
from support.hostile import MARK, PROGRAMS, TOOLCHAINS, Prepared, Program

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import SandboxChoice, choose, open_sandbox
from pytest_llmbench.schema.execution import Toolchain


@cache
def _chosen(backend: str) -> SandboxChoice | str:
    try:
        return choose(backend, own_backends())
    except SandboxError as error:
        return str(error)


def make_sandbox(backend: str, workspace: Path, found: list[Toolchain]) -> Backend:
    """A sandbox of the backend; the test is skipped where that does not work."""
    choice = _chosen(backend)
    if isinstance(choice, str):
        pytest.skip(choice)
    sandbox = open_sandbox(choice, workspace, found)
    assert isinstance(sandbox, Backend)
    return sandbox


@pytest.fixture
def sandbox_for() -> Make:
    """Opens a sandbox for what is prepared, not tested."""
    return lambda folder, found: make_sandbox("auto", folder, found)


@pytest.fixture(scope="module")  # not longer: other tests look whether this process has children
def canaries() -> Iterator[Canaries]:
    """Alive for the whole module; each test's harm is repaired when it was told."""
    with Canaries() as alive:
        yield alive


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[[Program, str], Prepared]:
    """Lay a program into a fresh workspace of a backend's."""
    token = f"{os.environ.get(MARK, '')}{secrets.randbelow(9 * 10**11) + 10**11}"

    def laid_out(program: Program, backend: str) -> Prepared:
        name = TOOLCHAINS[program.language]
        toolchain = toolchains.find(name)
        if toolchain is None:
            pytest.skip(f"no {name}: {toolchains.hint(name)}")
        workspace = tmp_path / f"hostile-workspace-{token}"
        workspace.mkdir()
        if program.language in COMPILED:
            built = binary(program.language, toolchain, lambda folder, found: make_sandbox(backend, folder, found))
            shutil.copy(built, workspace / "program")
            (workspace / "program").chmod(0o755)
            own = [toolchain] if program.says.get("toolchain") == name else []
            return Prepared(make_sandbox(backend, workspace, own), ("./program", program.path.stem, token), token)
        for path in (program.path, PROGRAMS / program.language / f"attack{program.path.suffix}"):
            shutil.copy(path, workspace)
        return Prepared(make_sandbox(backend, workspace, [toolchain]), (name, program.path.name, token), token)

    return laid_out


@pytest.fixture
def within_reach(canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The secret in this process's environment, and in an open file that children may inherit."""
    monkeypatch.setenv("OPENAI_API_KEY", canaries.secret)
    descriptor = os.open(canaries.folder / "secret.txt", os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    yield
    os.close(descriptor)
