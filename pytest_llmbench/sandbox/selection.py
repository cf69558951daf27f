"""Choosing a backend by trying it. Nothing is ever run with less isolation than was asked for."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_llmbench.errors import LLMBenchError, SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.kernel import cgroup
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.sandbox.protocol import Sandbox
from pytest_llmbench.sandbox.registry import AUTO, Backends, find_backend
from pytest_llmbench.sandbox.self_test import prove
from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.schema.registry import OURS
from pytest_llmbench.schema.settings import SandboxName

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.container.engine import Runtime

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
    backend: type[Backend] = field(kw_only=True, repr=False)
    plugin: str = OURS
    """The plugin that registered it."""

    def sent(self) -> dict[str, Any]:
        """What another process needs to know of it, in simple types: the backend goes by its name."""
        return {name: value for name, value in asdict(self).items() if name != "backend"}

    @classmethod
    def received(cls, sent: Mapping[str, Any], backends: Backends) -> SandboxChoice:
        """The choice of the process that tried it. Raises ``OptionError`` where no plugin here registers it."""
        return cls(**sent, backend=find_backend(sent["name"], backends)[1])


def choose(name: SandboxName, backends: Backends) -> SandboxChoice:
    """Find the backend that ``--llm-sandbox`` asks for and see a right and a wrong program judged in it.

    Raises ``SandboxError``, which says what to install, when it does not work here, ``OptionError`` for an unknown
    name.
    """
    tried: list[str] = []
    for candidate in [backend.name for backend in _AUTOMATIC] if name == AUTO else [name]:
        plugin, backend = find_backend(candidate, backends)
        try:
            return replace(_proven(backend), passed_over=tuple(tried), plugin=plugin)
        except SandboxError as error:
            said = str(error) if plugin == OURS else f"plugin {plugin}: {error}"
            tried.append(". ".join(filter(None, (said.rstrip("."), backend.remedy))))
    msg = f"no sandbox works on this machine: {'; '.join(tried)}. {_UNSAFE}."
    raise SandboxError(msg)


def open_sandbox(choice: SandboxChoice, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> Sandbox:
    """Make the sandbox of one workspace, an existing folder. Nothing is started before the first command.

    Raises ``SandboxError``.
    """
    return _opened(choice.backend, workspace, toolchains)


def image_of(name: SandboxName) -> tuple[Runtime, str] | None:
    """The runtime and image that ``--llm-sandbox`` names; None when it names no image."""
    kind, _, image = name.partition(":")
    return next(((runtime, image) for runtime in _RUNTIMES if image and runtime == kind), None)


def _opened(backend: type[Backend], workspace: Path, toolchains: Sequence[Toolchain] = ()) -> Backend:
    try:
        return backend(workspace, toolchains)
    except LLMBenchError:
        raise
    except Exception as error:
        msg = f"the sandbox {backend.name} cannot be made: {type(error).__name__}: {error}"
        raise SandboxError(msg) from error


def _described(backend: type[Backend]) -> str:
    try:
        return str(backend.describe())
    except LLMBenchError:
        raise
    except Exception as error:
        msg = f"the sandbox {backend.name} cannot be described: {type(error).__name__}: {error}"
        raise SandboxError(msg) from error


def _proven(backend: type[Backend]) -> SandboxChoice:
    """Try a backend; raises ``SandboxError`` when it does not hold what it promises."""
    isolated = bool(backend.guarantees)
    if backend in _AUTOMATIC and sys.platform != "linux":
        msg = f"{backend.name} needs Linux, this is {sys.platform}. {_ELSEWHERE}"
        raise SandboxError(msg)
    description = _described(backend)
    with tempfile.TemporaryDirectory(prefix="llmbench-proof-") as workspace:
        prove(_opened(backend, Path(workspace)), description, isolated=isolated)
    missing = cgroup.gaps() if backend in _AUTOMATIC else ()
    gaps = (*backend.gaps, *missing)
    return SandboxChoice(backend.name, description, backend.guarantees, gaps, missing_here=missing, backend=backend)
