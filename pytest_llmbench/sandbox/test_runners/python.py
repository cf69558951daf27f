"""pytest, run by the task's Python with the pytest that is installed here."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.test_runners.base import DRIVERS, Report, Runner, Suite, read_driver
from pytest_llmbench.schema.execution import Limits

_PACKAGES = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
"""pytest, as it is installed where this runs, and what it imports; nothing else of ``site-packages`` is shown."""


class Pytest(Runner):
    """pytest with a reporting plugin of ours."""

    toolchain = "python"
    names = "FILE::TEST"

    def launch(self, host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
        """Our driver, which imports pytest from the packages mounted beside it."""
        driver = DRIVERS / "pytest_report.py"
        mounts = {driver: f"/driver/{driver.name}"}
        folders = {}
        for name in _PACKAGES:
            if (place := _installed(name)) is not None:
                mounts[place] = f"/driver/packages/{place.name}"
                folders[name] = host.seen_at(place, mounts[place]).rpartition("/")[0]
        if "pytest" not in folders:
            raise SandboxError("run_tests('pytest') needs pytest as a folder on the disk, and it is not installed so")
        request = {
            "nonce": suite.nonce,
            "workspace": host.home(bed),
            "packages": folders,
            "files": suite.places,
            "arguments": suite.arguments,
        }
        command = ("python", "-P", "-s", "-S", "-B", host.seen_at(driver, mounts[driver]))
        return Launch(command, limits, stdin=json.dumps(request).encode(), mounts=mounts)

    def read(self, suite: Suite, stdout: str) -> Report:
        """The driver's frames."""
        return read_driver(suite, stdout)


def _installed(name: str) -> Path | None:
    """The folder or file of a package of the interpreter that runs this."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    return Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
