"""Python: the interpreter that runs pytest."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.toolchains.base import ToolchainSupport
from pytest_llmbench.toolchains.machine import outside_usr


class Python(ToolchainSupport):
    """The interpreter below any virtual environment, whose packages differ from machine to machine."""

    name = "python"
    hint = "the Python that runs pytest lacks its interpreter file: reinstall it"
    programs = ("python3", "python")
    minimum_in_image = (3, 11)
    """From here on Python has the option that keeps the workspace from standing in for the standard library."""
    env = (("PYTHONHASHSEED", "0"),)
    """A fixed seed: the order of a set must not decide a point."""

    def find(self, path: str) -> Toolchain | None:
        """The one that runs this, whatever the ``PATH``."""
        del path
        base = Path(sys.base_prefix)
        major, minor = sys.version_info[:2]
        for file_name in (f"python{major}.{minor}", "python3"):
            executable = base / "bin" / file_name
            if executable.is_file():
                return Toolchain(self.name, executable, platform.python_version(), outside_usr(base), self.env)
        return None
