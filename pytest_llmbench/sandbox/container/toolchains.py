"""Finding the compilers and interpreters of an image."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.container import engine as container_engine
from pytest_llmbench.sandbox.container.backend import container
from pytest_llmbench.sandbox.container.engine import Runtime
from pytest_llmbench.sandbox.container.init import SHELL
from pytest_llmbench.schema.execution import Limits, Toolchain

_PROGRAMS = {"python": ("python3", "python"), "node": ("node",), "go": ("go",), "cargo": ("cargo",)}
_ENVIRONMENTS = {
    "python": (("PYTHONHASHSEED", "0"),),
    "go": (
        ("GOTOOLCHAIN", "local"),
        ("GOPROXY", "off"),
        ("GOSUMDB", "off"),
        ("GOFLAGS", "-mod=mod"),
        ("CGO_ENABLED", "0"),
    ),
    "cargo": (("CARGO_NET_OFFLINE", "true"), ("CARGO_TERM_COLOR", "never")),
}
_PYTHON_MINIMUM = (3, 11)
"""From here on Python has the option that keeps the workspace from standing in for the standard library."""
_ASK = r"""for name; do
  path=$(command -v "$name") || continue
  case $name in
    go) version=$("$path" version 2>&1) ;;
    *) version=$("$path" --version 2>&1) ;;
  esac
  printf '%s\t%s\t%s\0' "$name" "$path" "$version"
done
exit 0"""
_LIMITS = Limits(wall_s=60.0, cpu_s=30.0, memory_mb=2048)


def find_toolchain(runtime: Runtime, image: str, name: str) -> Toolchain | None:
    """The toolchain ``name`` of an image, or None.

    Known are ``python``, ``node``, ``go`` and ``cargo``; any other name is a program on the image's ``PATH``. The
    answer is kept for this process. Raises ``SandboxError`` when the image cannot be run.
    """
    if name not in _PROGRAMS:
        return _found(runtime, image, (name,)).get(name)
    programs = tuple(program for names in _PROGRAMS.values() for program in names)
    found = _found(runtime, image, programs)
    for program in _PROGRAMS[name]:
        toolchain = found.get(program)
        if toolchain and (name != "python" or _numbers(toolchain.version) >= _PYTHON_MINIMUM):
            return Toolchain(name, toolchain.executable, toolchain.version, env=_ENVIRONMENTS.get(name, ()))
    return None


@cache
def _found(runtime: Runtime, image: str, programs: tuple[str, ...]) -> dict[str, Toolchain]:
    """Those of ``programs`` that the image has."""
    path = container_engine.image(runtime, image).path
    with tempfile.TemporaryDirectory(prefix="llmbench-image-") as workspace:
        command = (SHELL, "-c", _ASK, SHELL, *programs)
        result = container(runtime, image)(Path(workspace)).run(command, _LIMITS, env={"PATH": path})
    if not result.ok:
        said = result.stderr.strip()[-300:]
        msg = f"the image {image!r} could not be asked for its toolchains: {SHELL} {result.ending}: {said}"
        raise SandboxError(msg)
    found = {}
    for program, file, said in re.findall(r"(.*)\t(/.*)\t([^\0]*)\0", result.stdout):
        number = re.search(r"\d+(\.\d+)+", said)
        found[program] = Toolchain(program, Path(file), number[0] if number else "")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if version else ()
