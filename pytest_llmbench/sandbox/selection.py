"""Choosing a backend by trying it. Nothing is ever run with less isolation than was asked for."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.kernel import cgroup
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.sandbox.protocol import Sandbox
from pytest_llmbench.sandbox.self_test import prove
from pytest_llmbench.sandbox.unsandboxed import Local
from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.schema.settings import SandboxName

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.container.engine import Runtime

_BACKENDS: dict[str, type[Backend]] = {backend.name: backend for backend in (Bubblewrap, Landlock, Local)}
_AUTOMATIC = (Bubblewrap, Landlock)
"""What ``auto`` tries, strongest first."""
_RUNTIMES: tuple[Runtime, ...] = ("podman", "docker")
_ELSEWHERE = "On another system than Linux use an image: --llm-sandbox=docker:IMAGE or podman:IMAGE"
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
    passed_over: tuple[str, ...] = ()
    """Stronger ones that ``auto`` tried, and why they do not work here."""
    missing_here: tuple[str, ...] = ()
    """Those of ``gaps`` that it has on this machine, for this user, and not on others."""


def choose(name: SandboxName) -> SandboxChoice:
    """Find the backend that ``--llm-sandbox`` asks for and see a right and a wrong program judged in it.

    Raises ``SandboxError``, which says what to install, when it does not work here.
    """
    tried: list[str] = []
    for candidate in _AUTOMATIC if name == "auto" else (_backend(name),):
        try:
            return replace(_proven(candidate), passed_over=tuple(tried))
        except SandboxError as error:
            tried.append(". ".join(filter(None, (str(error).rstrip("."), candidate.remedy))))
    msg = f"no sandbox works on this machine: {'; '.join(tried)}. {_UNSAFE}."
    raise SandboxError(msg)


def open_sandbox(choice: SandboxChoice, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> Sandbox:
    """Make the sandbox of one workspace, an existing folder. Nothing is started before the first command."""
    return _backend(choice.name)(workspace, toolchains)


def image_of(name: SandboxName) -> tuple[Runtime, str] | None:
    """The runtime and image that ``--llm-sandbox`` names; None when it names no image."""
    kind, _, image = name.partition(":")
    return next(((runtime, image) for runtime in _RUNTIMES if image and runtime == kind), None)


def _backend(name: SandboxName) -> type[Backend]:
    named = image_of(name)
    if named is None:
        return _BACKENDS[name]
    from pytest_llmbench.sandbox.container.backend import container

    return container(*named)


def _proven(backend: type[Backend]) -> SandboxChoice:
    """Try a backend; raises ``SandboxError`` when it does not hold what it promises."""
    isolated = bool(backend.guarantees)
    if backend in _AUTOMATIC and sys.platform != "linux":
        msg = f"{backend.name} needs Linux, this is {sys.platform}. {_ELSEWHERE}"
        raise SandboxError(msg)
    description = backend.describe()
    with tempfile.TemporaryDirectory(prefix="llmbench-proof-") as workspace:
        prove(backend(Path(workspace)), description, isolated=isolated)
    missing = cgroup.gaps() if backend in _AUTOMATIC else ()
    gaps = (*backend.gaps, *missing)
    return SandboxChoice(backend.name, description, backend.guarantees, gaps, missing_here=missing)
