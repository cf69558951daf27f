"""Finding the compilers and interpreters of an image."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.container import engine as container_engine
from pytest_llmbench.sandbox.container.backend import container
from pytest_llmbench.sandbox.container.engine import Runtime
from pytest_llmbench.sandbox.container.init import SHELL
from pytest_llmbench.schema.execution import Limits, Toolchain
from pytest_llmbench.toolchains.machine import numbers

_ASK = r"""while [ $# -gt 0 ]; do
  name=$1 argument=$2
  shift 2
  path=$(command -v "$name") || continue
  version=$("$path" "$argument" 2>&1)
  printf '%s\t%s\t%s\0' "$name" "$path" "$version"
done
exit 0"""
"""Given programs, each with the argument that makes it print its version."""
_LIMITS = Limits(wall_s=60.0, cpu_s=30.0, memory_mb=2048)


def find_toolchain(runtime: Runtime, image: str, name: str) -> Toolchain | None:
    """The toolchain ``name`` of an image, or None.

    A name that is not registered is a program on the image's ``PATH``. The answer is kept for this process. Raises
    ``SandboxError`` when the image cannot be run.
    """
    known = toolchains.support(name)
    # An image is started once for all registered ones: that takes a second.
    together = map(toolchains.support, toolchains.names()) if name in toolchains.names() else (known,)
    questions = tuple((program, each.version_argument) for each in together for program in each.programs)
    found = _found(runtime, image, questions)
    for program in known.programs:
        toolchain = found.get(program)
        if toolchain and numbers(toolchain.version) >= known.minimum_in_image:
            return replace(toolchain, name=name, env=known.env)
    return None


@cache
def _found(runtime: Runtime, image: str, questions: tuple[tuple[str, str], ...]) -> dict[str, Toolchain]:
    """The programs that the image has, of ``questions``: each a name and what makes it print its version."""
    path = container_engine.image(runtime, image).path
    with tempfile.TemporaryDirectory(prefix="llmbench-image-") as workspace:
        command = (SHELL, "-c", _ASK, SHELL, *chain.from_iterable(questions))
        result = container(runtime, image)(Path(workspace)).run(command, _LIMITS, env={"PATH": path})
    if not result.ok:
        said = result.stderr.strip()[-300:]
        msg = f"the image {image!r} could not be asked for its toolchains: {SHELL} {result.ending}: {said}"
        raise SandboxError(msg)
    found = {}
    for program, file, said in re.findall(r"([^\t\0]*)\t(/[^\t\0]*)\t([^\0]*)\0", result.stdout):
        number = re.search(r"\d+(\.\d+)+", said)
        found[program] = Toolchain(program, Path(file), number[0] if number else "")
    return found
