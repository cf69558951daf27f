"""Any program below ``/usr``, which every sandbox shows."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.toolchains.base import ToolchainSupport


class Program(ToolchainSupport):
    """One program by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hint = f"install {name} below /usr with the system's package manager"
        self.programs = (name,)

    def find(self, path: str) -> Toolchain | None:
        """The first on the ``PATH``, if it is below ``/usr``."""
        program = shutil.which(self.name, path=path)
        if program is None or not Path(program).resolve().is_relative_to("/usr"):
            return None
        return Toolchain(self.name, Path(program))
