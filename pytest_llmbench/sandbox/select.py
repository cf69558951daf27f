"""Choosing a backend by trying it. Nothing is ever run with less isolation than was asked for."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox import bubblewrap
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.base import Sandbox
from pytest_llmbench.sandbox.local import Local
from pytest_llmbench.schema.execution import Limits, Toolchain
from pytest_llmbench.schema.settings import SandboxName

_BACKENDS: dict[str, type[Backend]] = {"bubblewrap": bubblewrap.Bubblewrap, "none": Local}
_AUTOMATIC = ("bubblewrap",)
"""What ``auto`` tries, best first."""
_INSTALL = {
    "bubblewrap": (
        "Install it with: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora), "
        "pacman -S bubblewrap (Arch) or apk add bubblewrap (Alpine). Where it is installed and still fails, the "
        "system forbids user namespaces, as many containers do: allow them there"
    )
}
_UNSAFE = "--llm-sandbox=none runs the models' code without any isolation"
_PROBE = ("cat", "/proc/net/dev", "/proc/self/limits")
_PROBE_LIMITS = Limits(wall_s=20.0, cpu_s=10.0)


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """A backend that was seen to work on this machine."""

    name: str
    """``bubblewrap`` or ``none``."""
    description: str
    """With its version, for headers and records: ``bubblewrap 0.8.0``."""
    guarantees: tuple[str, ...]
    """What it was seen to give, in a few words each; empty: no isolation."""


def choose(name: SandboxName) -> SandboxChoice:
    """Find the backend that ``--llm-sandbox`` asks for and run a known program in it.

    Raises ``SandboxError``, which says what to install, when it does not work here.
    """
    if name == "none":
        return SandboxChoice("none", "none (no isolation)", ())
    tried = []
    for candidate in _AUTOMATIC if name == "auto" else (name,):
        try:
            return _tried(candidate)
        except SandboxError as error:
            tried.append(f"{error}. {_INSTALL[candidate]}")
    msg = f"no sandbox works on this machine: {'; '.join(tried)}. {_UNSAFE}."
    raise SandboxError(msg)


def open_sandbox(choice: SandboxChoice, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> Sandbox:
    """Make the sandbox of one workspace, an existing folder. Nothing is started before the first command."""
    return _BACKENDS[choice.name](workspace, toolchains)


def _tried(name: str) -> SandboxChoice:
    """Run the probe; raises ``SandboxError`` when the backend does not hold what it promises."""
    if sys.platform != "linux":
        msg = f"{name} needs Linux, this is {sys.platform}"
        raise SandboxError(msg)
    description = bubblewrap.version()
    with tempfile.TemporaryDirectory(prefix="llmbench-probe-") as workspace:
        result = _BACKENDS[name](Path(workspace)).run(_PROBE, _PROBE_LIMITS)
    if not result.ok:
        msg = f"{description}: a program that must run failed with status {result.exit_code}: {result.stderr[-300:]}"
        raise SandboxError(msg)
    interfaces = set(re.findall(r"^ *(\w+):", result.stdout, re.MULTILINE))
    if interfaces != {"lo"}:
        msg = f"{description}: a program inside saw the network ({', '.join(sorted(interfaces))})"
        raise SandboxError(msg)
    if re.search(r"^Max (data|file) size +unlimited", result.stdout, re.MULTILINE):
        msg = f"{description}: the limits were not set"
        raise SandboxError(msg)
    return SandboxChoice(name, description, ("no network", "own processes", "own files", "clean environment", "limits"))
