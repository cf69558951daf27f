# ruff: noqa: INP001 - a script that is mounted alone
"""Runs inside the sandbox: pytest over given test files, reporting how each test ended (see ``sandbox/test_runners``).

pytest and all that this script uses are imported before the untrusted code, which shares their process.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any

    import pytest

PHASES = {"setup", "call", "teardown"}
OPTIONS = (
    # Settings and plugins that lie in the workspace are not the task's.
    *("-c", os.devnull, "--noconftest", "-p", "no:cacheprovider"),
    # Two q: no times, which differ from run to run.
    *("-qq", "--tb=short", "--color=no"),
)


class Shown:
    """Finds the packages that are shown to the sandbox one by one, and none that lies beside them."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        """Part of the protocol of ``sys.meta_path``. No folder is listed: it may not be open."""
        folder = self._folders.get(name)
        if folder is None:
            return None
        package = f"{folder}/{name}/__init__.py"
        return spec_from_file_location(name, package if os.access(package, os.F_OK) else f"{folder}/{name}.py")


class Reporter:
    """The plugin: one answer per test."""

    def __init__(self, answer: Callable[..., None]) -> None:
        self._answer = answer
        self._phases: list[tuple[str, bool]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a phase; a subtest is one more. An expected failure is none that passed, nor is an unexpected pass."""
        self._phases.append((report.when, report.outcome == "passed" and not hasattr(report, "wasxfail")))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Answer."""
        phases, self._phases = self._phases, []
        self._answer("test", nodeid, {when for when, _ in phases} == PHASES and all(passed for _, passed in phases))


def open_channel() -> tuple[dict[str, Any], Callable[..., None]]:
    """Keep our own descriptor of the answers, take the request, and leave an empty standard input."""
    request = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    descriptor = os.dup(1)
    write = os.write
    encode = json.JSONEncoder().encode
    nonce = request["nonce"]

    def answer(*frame: Any) -> None:
        rest = f"\n{nonce} {encode(frame)}\n".encode()
        while rest:
            rest = rest[write(descriptor, rest) :]

    return request, answer


def main() -> None:
    """Serve the request; the process ends here, without running what the code left for its exit."""
    end = os._exit
    request, answer = open_channel()
    workspace = request["workspace"]
    # Nothing lies below a device: compiled code that a program left in the workspace is not taken for the test files'.
    sys.pycache_prefix = os.devnull
    sys.meta_path.insert(0, Shown(request["packages"]))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    sys.path.insert(0, workspace)
    answer("ready")
    files = [f"{workspace}/{name}" for name in request["files"]]
    # Where pytest is not to look beyond: folders above the workspace may be closed.
    root = [f"--rootdir={workspace}", f"--confcutdir={workspace}"]
    status = pytest.main([*OPTIONS, *root, *request["arguments"], *files], [Reporter(answer)])
    sys.stdout.flush()
    sys.stderr.flush()
    answer("finished")
    end(int(status))


if __name__ == "__main__":
    main()
