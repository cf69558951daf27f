"""Choosing a backend by trying it. Nothing is ever run with less isolation than was asked for."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.base import Sandbox
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.local import Local
from pytest_llmbench.sandbox.proof import prove
from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.schema.settings import SandboxName

_BACKENDS: dict[str, type[Backend]] = {backend.name: backend for backend in (Bubblewrap, Local)}
_AUTOMATIC = (Bubblewrap,)
"""What ``auto`` tries, strongest first."""
_UNSAFE = "--llm-sandbox=none runs the models' code without any isolation"


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """A backend that was seen to work on this machine."""

    name: str
    """As in ``--llm-sandbox``, without ``auto``."""
    description: str
    """With its version, for headers and records: ``bubblewrap 0.8.0``."""
    guarantees: tuple[str, ...]
    """What it gives, in a few words each; empty: no isolation."""
    gaps: tuple[str, ...]
    """What it does not stop, in a few words each."""


def choose(name: SandboxName) -> SandboxChoice:
    """Find the backend that ``--llm-sandbox`` asks for and see a right and a wrong program judged in it.

    Raises ``SandboxError``, which says what to install, when it does not work here.
    """
    tried = []
    for candidate in _AUTOMATIC if name == "auto" else (_BACKENDS[name],):
        try:
            return _proven(candidate)
        except SandboxError as error:
            tried.append(f"{error}. {candidate.remedy}".rstrip())
    msg = f"no sandbox works on this machine: {'; '.join(tried)}. {_UNSAFE}."
    raise SandboxError(msg)


def open_sandbox(choice: SandboxChoice, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> Sandbox:
    """Make the sandbox of one workspace, an existing folder. Nothing is started before the first command."""
    return _BACKENDS[choice.name](workspace, toolchains)


def _proven(backend: type[Backend]) -> SandboxChoice:
    """Try a backend; raises ``SandboxError`` when it does not hold what it promises."""
    isolated = bool(backend.guarantees)
    if isolated and sys.platform != "linux":
        msg = f"{backend.name} needs Linux, this is {sys.platform}"
        raise SandboxError(msg)
    description = backend.describe()
    with tempfile.TemporaryDirectory(prefix="llmbench-proof-") as workspace:
        prove(backend(Path(workspace)), description, isolated=isolated)
    return SandboxChoice(backend.name, description, backend.guarantees, backend.gaps)
